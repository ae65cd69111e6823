//! `switchhook check` as a shell sees it.

use std::path::PathBuf;
use std::process::{Command, Output};

fn directory(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&directory).expect("a directory");
    directory
}

/// Runs `switchhook check` in a directory that holds `files`, on each of `arguments`.
fn check(name: &str, files: &[(&str, &[u8])], arguments: &[&str]) -> (i32, String, String) {
    let directory = directory(name);
    for (file, content) in files {
        std::fs::write(directory.join(file), content).expect("written");
    }
    let output = switchhook(&directory, &[], &[&["check"], arguments].concat());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("a status"), text(output.stdout), text(output.stderr))
}

fn switchhook(directory: &PathBuf, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchhook"));
    command.current_dir(directory).args(arguments).env_clear().envs(variables.iter().copied());
    command.output().expect("the binary runs")
}

const GOOD: (&str, &[u8]) = ("good.toml", b"[sip]\nudp = \"127.0.0.1:0\"\n");
const BAD: (&str, &[u8]) = ("bad.toml", b"[sip]\nupd = 1\nudp = \"x\"\n");
const LIST: (&str, &[u8]) = ("list.json", b"[{\"verb\": \"hangup\"}]");

#[test]
fn good_files_are_ok() {
    let (status, stdout, stderr) = check("good", &[GOOD, LIST], &["good.toml", "list.json"]);
    assert_eq!((status, stderr.as_str()), (0, ""));
    assert_eq!(stdout, "good.toml: ok\nlist.json: ok\n");
}

#[test]
fn every_fault_is_printed_and_the_next_file_is_checked() {
    let (status, stdout, stderr) = check("bad", &[GOOD, BAD], &["bad.toml", "good.toml"]);
    assert_eq!(status, 1);
    assert_eq!(stdout, "good.toml: ok\n");
    let lines: Vec<&str> = stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{stderr}");
    assert!(lines[0].starts_with("bad.toml:2:1: /sip/upd: unknown key; "), "{stderr}");
    assert!(lines[0].ends_with("; did you mean `udp`"), "{stderr}");
    assert!(lines[1].starts_with("bad.toml:3:7: /sip/udp: not an address and port; "), "{stderr}");
}

#[test]
fn an_application_with_faults_says_where() {
    let list: (&str, &[u8]) = ("list", b"[\n{\"verb\": \"dail\"},\n{\"verb\": 5}]");
    let (status, stdout, stderr) = check("faulty", &[list], &["list"]);
    assert_eq!((status, stdout.as_str()), (1, ""));
    let lines: Vec<&str> = stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{stderr}");
    assert!(lines[0].starts_with("list:2:") && lines[0].contains("dial"), "{stderr}");
    assert!(lines[1].starts_with("list:3:") && lines[1].contains(": /1/verb: "), "{stderr}");
}

#[test]
fn an_application_that_is_no_json_has_a_dash_for_its_pointer() {
    let list: (&str, &[u8]) = ("list.json", b"[\n{\"verb\": }]");
    let (status, _, stderr) = check("no_json", &[list], &["list.json"]);
    assert_eq!(status, 1);
    assert!(stderr.starts_with("list.json:2:10: -: "), "{stderr}");
}

#[test]
fn an_unknown_property_is_a_warning() {
    let list: (&str, &[u8]) = ("list.json", b"[{\"verb\": \"hangup\", \"unknown\": 1}]");
    let (status, stdout, stderr) = check("warning", &[list], &["list.json"]);
    assert_eq!((status, stdout.as_str()), (0, "list.json: ok\n"));
    assert!(stderr.starts_with("warning: list.json:1:21: "), "{stderr}");
}

#[test]
fn what_cannot_be_read_is_2_and_wins() {
    let latin: (&str, &[u8]) = ("latin.toml", b"# \xe9\n");
    let (status, stdout, stderr) = check(
        "unreadable",
        &[GOOD, BAD, latin],
        &["lost.json", "bad.toml", "latin.toml", ".", "good.toml"],
    );
    assert_eq!(status, 2);
    assert_eq!(stdout, "good.toml: ok\n");
    let line = |start: &str| stderr.lines().find(|line| line.starts_with(start)).expect(start);
    assert!(line("lost.json: cannot be read: No such file").ends_with("; check the path"));
    assert!(line("latin.toml: cannot be read: ").ends_with("; save it as UTF-8"));
    assert!(line(".: cannot be read: ").ends_with("; name a file in it"));
}

#[test]
fn a_configuration_is_checked_with_its_environment() {
    let directory = directory("environment");
    std::fs::write(directory.join("empty.toml"), "").expect("written");
    let arguments = ["check", "empty.toml"];
    let with = |variables: &[(&str, &str)]| {
        let output = switchhook(&directory, variables, &arguments);
        (output.status.code(), String::from_utf8(output.stderr).expect("text"))
    };
    assert_eq!(with(&[("SWITCHHOOK_SIP_UDP", "127.0.0.1:0")]), (Some(0), String::new()));
    assert_eq!(with(&[]).0, Some(1));
    let (status, stderr) = with(&[("SWITCHHOOK_SIP_UDP", "x")]);
    assert_eq!(status, Some(1));
    assert!(stderr.starts_with("environment: SWITCHHOOK_SIP_UDP: not an address"), "{stderr}");
}

#[test]
fn a_wrong_command_line_is_2() {
    let directory = directory("usage");
    for arguments in [&["check"][..], &["chek", "x"], &[]] {
        let output = switchhook(&directory, &[], arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn serve_does_not_start_on_a_fault() {
    let directory = directory("serve");
    std::fs::write(directory.join("bad.toml"), BAD.1).expect("written");
    let output = switchhook(&directory, &[], &["serve", "--config", "bad.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.starts_with(b"bad.toml:2:1: /sip/upd: "));
    let output = switchhook(&directory, &[], &["serve", "--config", "lost.toml"]);
    assert_eq!(output.status.code(), Some(2));
}
