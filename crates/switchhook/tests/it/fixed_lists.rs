//! `app_json`: a list of verbs in a file beside the configuration.

use std::path::PathBuf;

use switchhook::config::{LoadError, Loaded, load};

use crate::reading::{SHORTEST, lines};

/// Writes both files into a directory of that name and reads the configuration.
fn read(name: &str, application: &str, list: &str) -> (PathBuf, Result<Loaded, LoadError>) {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&directory).expect("a directory");
    let text = format!("{SHORTEST}[[application]]\nname = \"main\"\n{application}");
    std::fs::write(directory.join("switchhook.toml"), text).expect("written");
    std::fs::write(directory.join("list.json"), list).expect("written");
    let loaded = load(&directory.join("switchhook.toml"), []);
    (directory, loaded)
}

fn faults(name: &str, application: &str, list: &str) -> Vec<String> {
    match read(name, application, list) {
        (directory, Err(LoadError::Faulty { faults, .. })) => {
            let prefix = format!("{}/", directory.display());
            lines(&faults).iter().map(|line| line.replace(&prefix, "")).collect()
        }
        (_, other) => panic!("no faults: {other:?}"),
    }
}

const LIST: &str = r#"[{"verb": "dial", "actionHook": "/done",
  "target": [{"type": "phone", "number": "+49", "confirmHook": "http://h/x"},
             {"type": "user", "name": "joe", "confirmHook": {"url": "confirm"}}]},
 {"verb": "tag", "data": {"actionHook": "/mine"}}]"#;

#[test]
fn a_list_is_read_relative_to_the_configuration() {
    let hook = "call_hook = \"http://h/\"\napp_json = \"list.json\"\n";
    let (_, loaded) = read("list_is_read", hook, LIST);
    let settings = loaded.expect("no fault").config.settings;
    let application = settings.application("main").expect("main");
    assert_eq!(application.app_json.as_deref(), Some(LIST));
}

#[test]
fn relative_hooks_need_an_origin() {
    let expected = "relative hook without an origin; \
                    expected an absolute URL, or a call_hook in the application, got";
    assert_eq!(
        faults("relative_hooks", "app_json = \"list.json\"\n", LIST),
        [
            format!("list.json:1:33: /0/actionHook: {expected} \"/done\""),
            format!("list.json:3:69: /0/target/1/confirmHook/url: {expected} \"confirm\""),
        ]
    );
}

#[test]
fn faults_of_the_list_are_placed_in_its_file() {
    let faults = faults("faulty_list", "app_json = \"list.json\"\nx = 1\n", "[\n{\"verb\": 5}]");
    assert_eq!(faults.len(), 2, "{faults:#?}");
    assert!(faults[0].starts_with("switchhook.toml:6:1: /application/0/x: "), "{faults:#?}");
    assert!(faults[1].starts_with("list.json:2:"), "{faults:#?}");
}

#[test]
fn a_list_that_is_not_there_is_a_fault_of_the_key() {
    let faults = faults("no_list", "app_json = \"lost.json\"\n", "[]");
    assert_eq!(faults.len(), 1, "{faults:#?}");
    let start = "switchhook.toml:5:12: /application/0/app_json: the file cannot be read: No such";
    assert!(faults[0].starts_with(start), "{faults:#?}");
}

#[test]
fn an_unknown_property_is_a_warning_or_with_strict_a_fault() {
    let list = r#"[{"verb": "hangup", "unknown": 1}]"#;
    let (_, loaded) = read("lenient", "app_json = \"list.json\"\n", list);
    let warnings = lines(&loaded.expect("no fault").warnings);
    assert!(warnings.len() == 1 && warnings[0].contains("list.json:1:21: "), "{warnings:#?}");
    let faults = faults("strict", "strict = true\napp_json = \"list.json\"\n", list);
    assert!(faults.len() == 1 && faults[0].starts_with("list.json:1:21: "), "{faults:#?}");
}
