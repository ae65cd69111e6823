//! `app_json`: a fixed list of verbs in a file beside the configuration.
//!
//! The file is read and checked whole when the configuration is, so that no call meets its
//! faults. They are reported with the place in that file.

use std::path::Path;

use hooks::resolve_url;
use serde_json::Value;

use super::fault::{Fault, Place, Report};
use super::reader::Entry;

/// Members whose inside belongs to the application and is no hook, whatever it is called.
const OPAQUE: [&str; 6] = ["customerData", "data", "env_vars", "headers", "metadata", "tag"];

/// The text of the list, or nothing where it has faults. `has_origin`: the application has a
/// call_hook for relative hooks to resolve on.
pub(super) fn read(
    entry: &Entry<'_>,
    path: &Path,
    strict: bool,
    has_origin: bool,
) -> Option<String> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let what = format!("the file cannot be read: {error}");
            entry.fault(&what, "a JSON list of verbs, its path relative to this file");
            return None;
        }
    };
    let shown = path.display().to_string();
    let report = entry.report;
    match verbs::parse_application(&text, strict) {
        Ok(application) => {
            for warning in application.warnings {
                report.warn(in_file(&shown, warning));
            }
        }
        Err(faults) => {
            for fault in faults {
                report.fault(in_file(&shown, fault));
            }
            return None;
        }
    }
    if has_origin || !refuse_relative(report, &shown, &text) { Some(text) } else { None }
}

/// A fault of an application, in the file that holds it.
pub(crate) fn in_file(path: &str, fault: verbs::Fault) -> Fault {
    let verbs::Fault { line, column, pointer, what, expected, got, did_you_mean } = fault;
    let place = Place::File { path: path.to_owned(), line, column };
    Fault { place, pointer, what, expected, got, did_you_mean }
}

/// Reports the hooks that need an origin; true if there were any.
fn refuse_relative(report: &Report, path: &str, text: &str) -> bool {
    let Ok(list) = serde_json::from_str(text) else { return false };
    let mut relative = Vec::new();
    hooks_of(&list, "", &mut relative);
    relative.retain(|hook| resolve_url("", hook.url).is_err());
    let places = Report::new(path, text);
    let mut from = 0;
    for hook in &relative {
        from = find(text, from, hook);
        report.fault(Fault {
            place: places.place(from),
            pointer: hook.pointer.clone(),
            what: "relative hook without an origin".to_owned(),
            expected: "an absolute URL, or a call_hook in the application".to_owned(),
            got: format!("{:?}", hook.url),
            did_you_mean: None,
        });
    }
    !relative.is_empty()
}

struct HookAt<'v> {
    pointer: String,
    key: &'v str,
    url: &'v str,
}

/// Every hook of `value`, in the order of the text.
fn hooks_of<'v>(value: &'v Value, pointer: &str, found: &mut Vec<HookAt<'v>>) {
    match value {
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                hooks_of(value, &format!("{pointer}/{index}"), found);
            }
        }
        Value::Object(members) => {
            // jambonz: `url` of a target is its confirmHook; a target is known by its type.
            let is_target = members.contains_key("type") && !members.contains_key("verb");
            for (key, value) in members {
                let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                let is_hook = key.ends_with("Hook") || key.ends_with("_hook") || key == "hook";
                match (value, value.get("url")) {
                    (Value::String(url), _) if is_hook || (is_target && key == "url") => {
                        found.push(HookAt { pointer, key, url });
                    }
                    (_, Some(Value::String(url))) if is_hook => {
                        found.push(HookAt { pointer: format!("{pointer}/url"), key, url });
                    }
                    _ if OPAQUE.contains(&key.as_str()) => {}
                    _ => hooks_of(value, &pointer, found),
                }
            }
        }
        _ => {}
    }
}

/// Where `hook` stands in `text`, not before `from`: its value after its key.
fn find(text: &str, from: usize, hook: &HookAt<'_>) -> usize {
    let after = |from: usize, word: &str| {
        let word = Value::from(word).to_string();
        text.get(from..).and_then(|rest| rest.find(&word)).map(|at| (from + at, word.len()))
    };
    let key = after(from, hook.key);
    let value = key.and_then(|(at, length)| after(at + length, hook.url));
    value.or(key).map_or(from, |(at, _)| at)
}
