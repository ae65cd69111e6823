//! `[[application]]`: the hooks that run a call, or the fixed list that does.

use std::path::Path;
use std::sync::Arc;

use call::settings::{Application, Decline};
use hooks::resolve_url;
use verbs::{Hook, HookMethod};

use super::app_json;
use super::names::{Names, sid};
use super::reader::{Entry, Section};

const ABSOLUTE: &str = "an absolute URL such as \"http://127.0.0.1:9000/incoming\"";

/// All applications, and their names (also of those that have faults).
pub(super) fn applications<'a>(
    sections: Vec<Section<'a>>,
    directory: &Path,
) -> (Vec<Arc<Application>>, Names<'a>) {
    let mut names = Names::new("application");
    let mut applications = Vec::new();
    for section in sections {
        applications.extend(application(section, directory, &mut names).map(Arc::new));
    }
    (applications, names)
}

fn application<'a>(
    section: Section<'a>,
    directory: &Path,
    names: &mut Names<'a>,
) -> Option<Application> {
    let name = section.required("name", "a name for others to refer to");
    let name = name.and_then(|entry| names.declare(&entry));
    let call_entry = section.entry("call_hook");
    let call_hook = call_entry.as_ref().and_then(|entry| hook(entry, ""));
    let base = match (&call_hook, &call_entry) {
        (Some(hook), _) => hook.url.clone(),
        // The call_hook has a fault of its own; that is no fault of this one.
        (None, Some(_)) => "http://call-hook".to_owned(),
        (None, None) => String::new(),
    };
    let status_hook = section.entry("call_status_hook");
    let call_status_hook = status_hook.and_then(|entry| hook(&entry, &base));
    let flag = |key| section.entry(key).and_then(|entry| entry.boolean()).unwrap_or(false);
    let (strict, default_hooks) = (flag("strict"), flag("default_hooks"));
    let decline = section.entry("decline").and_then(|entry| decline(&entry));
    let origin = call_entry.is_some();
    let list = section.entry("app_json");
    if list.is_none() && !origin {
        let expected = "call_hook = \"http://…\" or app_json = \"FILE\"";
        section.missing("call_hook", "the application has nothing to run", expected);
    }
    if let Some(entry) = section.entry("default_hooks")
        && default_hooks
        && !origin
    {
        entry.unresolved("default hooks are relative and have no origin", "a call_hook", None);
    }
    let app_json = list.and_then(|entry| {
        let file = entry.text()?;
        app_json::read(&entry, &directory.join(file), strict, origin)
    });
    section.finish();
    let name = name?.to_owned();
    Some(Application {
        sid: sid("application", &name),
        name,
        call_hook,
        call_status_hook,
        app_json,
        strict,
        default_hooks,
        decline: decline.unwrap_or(Decline::Last),
    })
}

fn decline(entry: &Entry<'_>) -> Option<Decline> {
    match entry.as_text() {
        Some("last") => Some(Decline::Last),
        Some("603") => Some(Decline::Always603),
        Some(_) => {
            entry.fault("unknown way to decline", "\"last\" or 603");
            None
        }
        None => entry.integer(603..=603).map(|_| Decline::Always603),
    }
}

/// A URL, or `{ url, method, username, password }`. A relative URL is taken on the origin of
/// `base`, which may be empty.
fn hook(entry: &Entry<'_>, base: &str) -> Option<Hook> {
    if !entry.is_table() {
        return url(entry, base).map(Hook::post);
    }
    let section = entry.table()?;
    let address = section.required("url", ABSOLUTE);
    let address = address.and_then(|entry| url(&entry, base));
    let method = section.entry("method").and_then(|entry| entry.word(&["POST", "GET"]));
    let username = section.entry("username").and_then(|entry| entry.text());
    let password = section.secret("password");
    if let Some(entry) = &password
        && username.is_none()
    {
        entry.unresolved("a password without a user", "username beside it", None);
    }
    let password = password.and_then(|entry| entry.text());
    section.finish();
    Some(Hook {
        url: address?,
        method: if method == Some("GET") { HookMethod::Get } else { HookMethod::Post },
        username: username.map(str::to_owned),
        password: password.map(str::to_owned),
    })
}

/// The text is an absolute URL with a user in it.
pub(super) fn has_credentials(url: &str) -> bool {
    let host = url.split("://").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next());
    host.is_some_and(|host| host.contains('@'))
}

fn url(entry: &Entry<'_>, base: &str) -> Option<String> {
    let written = entry.text()?;
    let url = match resolve_url(base, written) {
        Ok(url) => url,
        Err(error) => {
            let is_relative = error.what.starts_with("relative");
            entry.fault(&error.what, if is_relative { ABSOLUTE } else { error.expected });
            return None;
        }
    };
    if url.starts_with("ws") {
        let what = "WebSocket hooks are not supported yet by this version";
        entry.fault(what, "an http or https URL");
        return None;
    }
    // why: a URL is shown in logs and alerts, a password is not.
    if has_credentials(&url) {
        entry.redacted().fault("credentials in the URL", "{ url, username, password } instead");
        return None;
    }
    Some(url)
}
