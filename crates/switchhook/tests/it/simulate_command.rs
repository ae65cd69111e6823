//! `switchhook simulate` as a shell and a build server see it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn directory(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("simulate").join(name);
    std::fs::create_dir_all(&directory).expect("a directory");
    directory
}

fn simulate(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchhook"));
    command.current_dir(directory).env_clear().arg("simulate").args(arguments);
    command.output().expect("the binary runs")
}

/// Status, stdout and stderr of `simulate` in a directory of its own that holds `files`.
fn with_files(name: &str, files: &[(&str, &str)], arguments: &[&str]) -> (i32, String, String) {
    let directory = directory(name);
    for (file, content) in files {
        std::fs::write(directory.join(file), content).expect("written");
    }
    let output = simulate(&directory, arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("a status"), text(output.stdout), text(output.stderr))
}

/// A user answers; something is expected.
fn answered(expect: &str) -> String {
    format!(
        "name = \"A <call> & a \\\"quote\\\"\"\n\
         app = '[{{\"verb\": \"dial\", \"answerOnBridge\": true, \"actionHook\": \"/done\", \
         \"target\": [{{\"type\": \"user\", \"name\": \"jane\"}}]}}]'\n\
         [[callee]]\nuser = \"jane\"\nanswers = \"2s\"\n[expect]\n{expect}\n"
    )
}

/// The scenarios beside the documents, in alphabetical order.
fn examples() -> Vec<String> {
    let listed = std::fs::read_dir(root().join("examples/simulate")).expect("it is there");
    let mut paths: Vec<String> = listed
        .map(|entry| entry.expect("readable").file_name().into_string().expect("text"))
        .filter(|name| name.ends_with(".toml"))
        .map(|name| format!("examples/simulate/{name}"))
        .collect();
    paths.sort();
    paths
}

#[test]
fn every_example_passes() {
    let paths = examples();
    assert!(paths.len() >= 10, "{paths:?}");
    let arguments: Vec<&str> = paths.iter().map(String::as_str).collect();
    let output = simulate(&root(), &arguments);
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}\n{err}");
    assert_eq!(err, "");
    assert_eq!(out.matches("\nok     ").count(), paths.len(), "{out}");
    assert!(out.ends_with(&format!("{0} scenarios: {0} passed\n", paths.len())), "{out}");
}

#[test]
fn every_example_passes_with_any_seed() {
    for path in examples() {
        let output = simulate(&root(), &[&path, "--count", "50", "--seed", "1000"]);
        let out = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{out}");
        assert!(out.starts_with("ok     ") && out.contains(": seeds 1000 to 1049"), "{out}");
    }
}

#[test]
fn the_documents_show_scenarios_as_they_are_and_what_they_print() {
    for (document, example) in
        [("README.md", "next-when-busy"), ("docs/simulate.md", "answers-twice")]
    {
        let path = format!("examples/simulate/{example}.toml");
        let text = std::fs::read_to_string(root().join(document)).expect("it is there");
        let scenario = std::fs::read_to_string(root().join(&path)).expect("it is there");
        let output = simulate(&root(), &[&path]).stdout;
        let printed = String::from_utf8(output).expect("text");
        assert!(text.contains(&scenario), "{document} does not show {path} as it is");
        assert!(text.contains(printed.trim_end()), "{document} does not show:\n{printed}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let path = "examples/simulate/foul-network.toml";
    let run = |seed: &str| simulate(&root(), &[path, "--seed", seed]).stdout;
    assert_eq!(run("7"), run("7"));
    assert_ne!(run("7"), run("8"));
}

#[test]
fn an_expectation_that_does_not_hold_says_expected_and_got() {
    let scenario = answered(
        "dial_call_status = \"busy\"\ncaller_status = 200\nwinner = \"nobody\"\n\
         hooks = 3\nanswered_between = [\"1s\", \"1500ms\"]\nstatuses = [\"trying\"]",
    );
    let (status, out, err) = with_files("fails", &[("a.toml", &scenario)], &["a.toml"]);
    assert_eq!((status, err.as_str()), (1, ""));
    assert!(out.contains("\nFAILED A <call> & a \"quote\""), "{out}");
    let lines: Vec<&str> = out.lines().map(str::trim).collect();
    for line in [
        "dial_call_status: expected busy, got completed",
        "winner: expected nobody, got jane",
        "hooks: expected 3, got 2",
        "statuses: expected [trying], got [trying, in-progress, completed]",
    ] {
        assert!(lines.contains(&line), "{line}: {out}");
    }
    assert!(out.contains("answered_between: expected 1 s to 1.5 s, got 2."), "{out}");
    assert!(!out.contains("caller_status"), "{out}");
    assert!(!out.contains('\u{1b}'), "no colours where nobody looks: {out}");
}

#[test]
fn of_many_seeds_the_first_that_fails_is_shown_with_its_replay() {
    let scenario = format!(
        "run_for = \"300s\"\n{}[network]\nweather = \"foul\"\n",
        answered("answered_between = [\"2s\", \"2500ms\"]")
    );
    let files = [("foul.toml", scenario.as_str())];
    let (status, out, _) = with_files("seeds", &files, &["foul.toml", "--count", "40"]);
    assert_eq!(status, 1, "{out}");
    let again =
        out.lines().find_map(|line| line.trim().strip_prefix("again: switchhook simulate "));
    let again: Vec<&str> = again.expect("a command").split(' ').collect();
    assert_eq!(&again[..2], ["foul.toml", "--seed"]);
    assert!(out.contains("foul.toml\n\n"), "the ladder of it is shown: {out}");
    assert_eq!(out.matches("Switchhook").count(), 1, "one ladder: {out}");
    assert!(out.contains(": seeds 1 to 40, "), "{out}");
    let (status, replayed, _) = with_files("seeds", &files, &again);
    assert_eq!(status, 1);
    let fault = out.lines().find(|line| line.contains("answered_between: ")).expect("a fault");
    assert!(replayed.contains(fault), "{replayed}");
}

#[test]
fn a_call_that_nobody_ends_fails_and_says_so() {
    let scenario = format!("run_for = \"60s\"\n{}[[caller]]\nhangs_up = false\n", answered(""));
    let (status, out, _) = with_files("stays", &[("stays.toml", &scenario)], &["stays.toml"]);
    assert_eq!(status, 1, "{out}");
    let told = "the run: expected an end within 60 s, got a call that is still up; ";
    assert!(out.contains(told), "{out}");
}

#[test]
fn an_application_that_redirects_for_ever_is_stopped() {
    let scenario = "app = '[{\"verb\": \"redirect\", \"actionHook\": \"/again\"}]'\n\
                    thinks = \"1ms\"\n[[hook]]\nurl = \"/again\"\n\
                    answer = '[{\"verb\": \"redirect\", \"actionHook\": \"/again\"}]'\n";
    let (status, out, _) = with_files("again", &[("again.toml", scenario)], &["again.toml"]);
    assert_eq!(status, 1, "{out}");
    assert!(out.contains("hooks that were asked: expected at most 10000, got "), "no end");
    assert!(out.contains("… and "), "the ladder is cut");
}

#[test]
fn a_number_that_nobody_has_is_refused_by_the_carrier() {
    let scenario = "app = '[{\"verb\": \"dial\", \"actionHook\": \"/done\", \"target\": \
                    [{\"type\": \"phone\", \"number\": \"+491\"}]}]'\n\
                    [[callee]]\nnumber = \"+492\"\n\
                    [expect]\ndial_sip_status = 404\nwinner = \"nobody\"\n\
                    lost_because = { \"+491\" = \"rejected\" }\n";
    let (status, out, err) = with_files("nobody", &[("nobody.toml", scenario)], &["nobody.toml"]);
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
}

#[test]
fn the_worst_scenario_decides_the_status_and_the_others_run() {
    let (good, bad) = (answered("winner = \"jane\""), answered("winner = \"nobody\""));
    let files = [("good.toml", good.as_str()), ("bad.toml", &bad), ("faulty.toml", "ap = 1\n")];
    let (status, out, err) =
        with_files("worst", &files, &["faulty.toml", "lost.toml", "bad.toml", "good.toml"]);
    assert_eq!(status, 2);
    assert!(out.ends_with("4 scenarios: 1 passed, 1 failed, 2 not run\n"), "{out}");
    assert!(err.contains("faulty.toml:1:1: /ap: unknown key; "), "{err}");
    assert!(err.contains("lost.toml: cannot be read: "), "{err}");
    let (status, ..) = with_files("worst", &files, &["bad.toml", "good.toml"]);
    assert_eq!(status, 1);
}

/// Reads a report with the parser of another language: `file|name|failure or error|has output`.
const READER: &str = "
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
assert root.tag == 'testsuites', root.tag
print(root.get('tests'), root.get('failures'), root.get('errors'))
for suite in root:
    assert suite.tag == 'testsuite', suite.tag
    for case in suite:
        float(case.get('time'))
        bad = [child for child in case if child.tag in ('failure', 'error')]
        out = case.find('system-out')
        print(case.get('classname'), case.get('name'),
              ' '.join(b.tag + ': ' + b.get('message') for b in bad) or '-',
              out is not None and 'Switchhook' in out.text, sep='|')
";

#[test]
fn a_build_server_reads_the_report() {
    let directory = directory("junit");
    let (good, bad) = (answered("winner = \"jane\""), answered("winner = \"nobody\""));
    let odd = "ap\u{1}p = 1\n".to_owned();
    for (file, text) in [("good.toml", &good), ("bad.toml", &bad), ("<odd>&.toml", &odd)] {
        std::fs::write(directory.join(file), text).expect("written");
    }
    let arguments = ["good.toml", "bad.toml", "<odd>&.toml", "--junit", "report.xml"];
    assert_eq!(simulate(&directory, &arguments).status.code(), Some(2));
    let first = std::fs::read(directory.join("report.xml")).expect("written");
    simulate(&directory, &arguments);
    assert_eq!(first, std::fs::read(directory.join("report.xml")).expect("written"));
    let mut python = Command::new("python3");
    let read = python.current_dir(&directory).args(["-c", READER, "report.xml"]).output();
    let read = read.expect("python3 is there");
    let out = String::from_utf8_lossy(&read.stdout).into_owned();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "3 1 1");
    assert_eq!(lines[1], "good.toml|A <call> & a \"quote\"|-|True");
    let failed = "failure: winner: expected nobody, got jane";
    assert_eq!(lines[2], format!("bad.toml|A <call> & a \"quote\"|{failed}|True"));
    assert!(lines[3].starts_with("<odd>&.toml|<odd>&.toml|error: <odd>&.toml:1:"), "{out}");
}

#[test]
fn a_report_that_cannot_be_written_is_said() {
    let files = [("a.toml", &*answered(""))];
    let (status, _, err) =
        with_files("unwritable", &files, &["a.toml", "--junit", "no/such/report.xml"]);
    assert_eq!(status, 2);
    assert!(err.starts_with("no/such/report.xml: cannot be written: "), "{err}");
}

#[test]
fn counts_out_of_range_are_a_wrong_command_line() {
    let files = [("a.toml", &*answered(""))];
    for count in ["0", "10000001", "x"] {
        let (status, _, err) = with_files("count", &files, &["a.toml", "--count", count]);
        assert_eq!(status, 2, "{count}: {err}");
    }
}

#[test]
fn random_dials_are_the_same_for_a_seed_however_many_threads_play_them() {
    let directory = directory("random");
    let run = |arguments: &[&str]| {
        let output = simulate(&directory, arguments);
        let out = String::from_utf8(output.stdout).expect("text");
        assert_eq!(output.status.code(), Some(0), "{out}");
        out
    };
    let many = |jobs| run(&["--random", "--count", "300", "--seed", "5", "--jobs", jobs]);
    let out = many("1");
    assert!(out.starts_with("ok     random dials: seeds 5 to 304  (results: "), "{out}");
    assert_eq!(out, many("3"));
    let one = run(&["--random", "--seed", "5"]);
    assert!(one.contains("INVITE") && one.contains("\nok     random dials: seed 5"), "{one}");
    assert_eq!(one, run(&["--random", "--seed", "5"]));
}

#[test]
fn jobs_are_for_random_dials() {
    let files = [("a.toml", &*answered(""))];
    assert_eq!(with_files("jobs", &files, &["a.toml", "--jobs", "2"]).0, 2);
    assert_eq!(with_files("jobs", &files, &[]).0, 2);
}
