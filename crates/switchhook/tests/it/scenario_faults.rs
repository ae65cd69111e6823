//! Everything that is wrong with a scenario is said at once, each with its place.

use std::path::PathBuf;
use std::process::Command;

/// stderr of `simulate` on a scenario that must not run.
fn faults(name: &str, text: &str) -> Vec<String> {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("scenario_faults");
    std::fs::create_dir_all(&directory).expect("a directory");
    let file = format!("{name}.toml");
    std::fs::write(directory.join(&file), text).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchhook"));
    let output = command.current_dir(directory).env_clear().args(["simulate", &file]).output();
    let output = output.expect("the binary runs");
    let stderr = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(output.stdout, b"", "nothing ran");
    stderr.lines().map(|line| line.replacen(&format!("{file}:"), "", 1)).collect()
}

const APP: &str = "app = '[{\"verb\": \"hangup\"}]'\n";

#[track_caller]
fn assert_faults(name: &str, text: &str, expected: &[&str]) {
    let found = faults(name, &format!("{APP}{text}"));
    assert_eq!(found, expected, "{text}");
}

#[test]
fn unknown_keys_are_named_with_what_was_meant() {
    assert_faults(
        "unknown",
        "thinsk = \"1s\"\n[[callee]]\nuser = \"jane\"\nanswer = \"1s\"\n[expect]\n\
         winer = \"jane\"\n",
        &[
            "2:1: /thinsk: unknown key; expected one of name, app, app_json, thinks, run_for, \
             hook, sound, hold_music, refer, network, callee, caller, expect, got \"thinsk\"; did \
             you mean `thinks`",
            "5:1: /callee/0/answer: unknown key; expected one of user, number, uri, carrier, name, \
             vanishes, fork, answers_again, early_media, rings, hangs_up, answers, busy, refuses, \
             keys, holds, refers, got \"answer\"; did you mean `answers`",
            "7:1: /expect/winer: unknown key; expected one of bridges, dial_call_status, \
             dial_sip_status, winner, lost_because, caller_status, statuses, hooks, asked, alerts, \
             heard, dtmf, answered_between, ended_between, got \"winer\"; did you mean `winner`",
        ],
    );
}

#[test]
fn wrong_values_are_located() {
    assert_faults(
        "values",
        "[[callee]]\nuser = \"jane\"\nanswers = 3\n[[callee]]\nuser = \"joe\"\nrings = true\n\
         refuses = 200\n[expect]\nwinner = \"jame\"\ndial_call_status = \"bussy\"\n\
         answered_between = [\"3s\", \"1s\"]\n",
        &[
            "4:11: /callee/0/answers: duration without a unit; expected a duration such as \
             \"500ms\", \"30s\", \"10m\", \"1h\", got the integer 3; did you mean \"3s\"",
            "7:9: /callee/1/rings: no time; expected a duration such as \"500ms\", or false for \
             never, got true",
            "8:11: /callee/1/refuses: out of range; expected an integer from 300 to 699, got the \
             integer 200",
            "10:10: /expect/winner: no such callee; expected one of jane, joe, nobody, got \
             \"jame\"; did you mean `jane`",
            "11:20: /expect/dial_call_status: unknown word; expected one of \"completed\", \
             \"busy\", \"no-answer\", \"failed\", got \"bussy\"; did you mean `busy`",
            "12:20: /expect/answered_between: no range; expected two durations such as \
             [\"2900ms\", \"3100ms\"], got an array",
        ],
    );
}

#[test]
fn what_is_pressed_held_and_heard_is_checked() {
    assert_faults(
        "talk",
        "[[sound]]\nurl = \"/a.wav\"\n[[caller]]\nkeys = [{ press = \"12x\", at = \"1s\" }]\n\
         [[callee]]\nuser = \"jane\"\nanswers = \"1s\"\nkeys = \"1\"\n\
         holds = [{ at = \"3s\", until = \"2s\" }, { until = \"1s\" }]\n\
         [[callee]]\nuser = \"joe\"\nanswers = \"1s\"\nanswers_again = \"1s\"\n\
         keys = [{ press = \"1\", at = \"1s\" }]\n[expect]\nheard = [\"tone\", \"jame\"]\n",
        &[
            "2:1: /sound/0/lasts: lasts is missing; expected how long it is, such as \"4s\", got \
             nothing",
            "5:19: /caller/0/keys/0/press: no keys; expected 1 to 32 of 0123456789*#ABCD, got \
             \"12x\"",
            "9:8: /callee/0/keys: wrong type; expected tables [[callee.keys]], got \"1\"",
            "10:31: /callee/0/holds/0/until: it ends before it begins; expected a time after at, \
             got \"2s\"",
            "10:39: /callee/0/holds/1/at: at is missing; expected when, such as \"3s\" after the \
             answer, got nothing",
            "15:8: /callee/1/keys: one that answers twice or forks does not press keys; expected \
             no such key, got an array",
            "17:18: /expect/heard/1: nothing that can be heard; expected a URL, or one of jane, \
             joe, tone, nothing, got \"jame\"; did you mean `jane`",
        ],
    );
}

#[test]
fn transfers_are_checked() {
    assert_faults(
        "transfers",
        "refer = \"allow\"\n[[callee]]\nuser = \"jane\"\nanswers = \"1s\"\n\
         refers = [{ to = \"jame\", at = \"1s\" }, { at = \"1s\", gets = 99, told = true }, \
         { to = \"sip:\", at = \"1s\" }, { to = \"later\", at = \"1s\", stay = true }]\n\
         [[callee]]\nuser = \"later\"\nanswers = \"1s\"\nanswers_again = \"1s\"\n\
         refers = [{ to = \"jane\", at = \"1s\" }]\n[expect]\n\
         bridges = [[\"caller\", \"jane\"], [\"jane\"], [\"caler\", \"jane\"]]\n",
        &[
            "2:9: /refer: unknown word; expected one of \"refuse\", \"transfer\", got \"allow\"",
            "6:18: /callee/0/refers/0/to: no such callee; expected a sip: or tel: URI, or one of \
             jane, later, got \"jame\"; did you mean `jane`",
            "6:39: /callee/0/refers/1/to: to is missing; expected a callee, or a URI such as \
             \"sip:bob@partner.example\", got nothing",
            "6:59: /callee/0/refers/1/gets: out of range; expected an integer from 200 to 699, \
             got the integer 99",
            "6:70: /callee/0/refers/1/told: no status; expected a SIP status such as 200, or \
             false for nothing, got true",
            "6:85: /callee/0/refers/2/to: no URI that can be referred to; expected at most 200 \
             characters, without headers: \"sip:bob@a.example\", got \"sip:\"",
            "6:133: /callee/0/refers/3/stay: unknown key; expected one of to, at, replaces, \
             silent, stays, gets, told, got \"stay\"; did you mean `stays`",
            "11:10: /callee/1/refers: one that answers twice or forks does not refer; expected no \
             such key, got an array",
            "13:32: /expect/bridges/1: no pair; expected two parties such as [\"caller\", \
             \"mobile\"], got an array",
            "13:43: /expect/bridges/2/0: no such party; expected one of caller, jane, later, got \
             \"caler\"; did you mean `caller`",
        ],
    );
}

#[test]
fn contradictions_are_located() {
    assert_faults(
        "contradictions",
        "[[callee]]\nuser = \"jane\"\nnumber = \"1\"\n[[callee]]\n\
         uri = \"sip:bob@x.example\"\ncarrier = \"c\"\nanswers = \"1s\"\nbusy = \"1s\"\n\
         [[callee]]\nnumber = \"+2\"\n[[callee]]\nnumber = \"2\"\n[[callee]]\n\
         uri = \"sip:x@10.0.0.1\"\n[[callee]]\nuser = \"u\"\nanswers_again = \"1s\"\n",
        &[
            "4:10: /callee/0/number: it is reached in two ways; expected one of user, number and \
             uri, got \"1\"",
            "7:11: /callee/1/carrier: a carrier without a number; expected number beside it, got \
             \"c\"",
            "9:8: /callee/1/busy: it ends in two ways; expected one of answers, busy, refuses, \
             got \"1s\"",
            "13:10: /callee/3/number: another callee is reached by it; expected \
             [[callee.fork]] for several phones, got \"2\"",
            "15:7: /callee/4/uri: an address of the simulation itself; expected one outside \
             10.0.0.0/16, got \"sip:x@10.0.0.1\"",
            "18:17: /callee/5/answers_again: it does not answer at all; expected answers beside \
             answers_again, got \"1s\"",
        ],
    );
}

#[test]
fn a_fault_of_the_list_has_its_place_in_the_scenario() {
    let found = faults("inline", "app = '''\n[\n  { \"verb\": \"dail\" }\n]\n'''\n");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("3:") && found[0].contains(": /app/0"), "{found:?}");
    assert!(found[0].contains("dial"), "{found:?}");
    let found = faults("in_quotes", "name = \"x\"\napp = '[{\"verb\": \"dail\"}]'\n");
    assert!(found[0].starts_with("2:7: /app/0"), "{found:?}");
    let found = faults("hook", &format!("{APP}[[hook]]\nurl = \"/a\"\nanswer = '{{}}'\n"));
    assert!(found[0].starts_with("4:10: /hook/0/answer: no list; "), "{found:?}");
}

#[test]
fn a_list_in_a_file_has_its_place_there() {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("scenario_faults");
    std::fs::create_dir_all(&directory).expect("a directory");
    std::fs::write(directory.join("list.json"), "[\n{\"verb\": \"dail\"}]").expect("written");
    let found = faults("in_a_file", "app_json = \"list.json\"\n");
    assert!(found[0].starts_with("list.json:2:"), "{found:?}");
    let found = faults("no_file", "app_json = \"lost.json\"\n");
    assert!(found[0].starts_with("1:12: /app_json: the file cannot be read: "), "{found:?}");
    let found = faults("two_lists", &format!("{APP}app_json = \"list.json\"\n"));
    assert!(found[0].starts_with("2:12: /app_json: app is there already; "), "{found:?}");
    let found = faults("no_list", "name = \"x\"\n");
    assert!(
        found[0].starts_with("1:1: /app: the application has nothing to answer; "),
        "{found:?}"
    );
}

#[test]
fn hooks_answer_in_one_way() {
    let hook = "[[hook]]\nurl = \"/a\"\nanswer = '[]'\n";
    assert_faults(
        "hook_ways",
        &format!("{hook}status = 500\n{hook}fails = true\n[[hook]]\nstatus = 200\n"),
        &[
            "5:10: /hook/0/status: an answer and a status that is none of success; expected one \
             of both, got the integer 500",
            "9:9: /hook/1/fails: an answer of a hook that cannot be reached; expected false, got \
             true",
            "10:1: /hook/2/url: url is missing; expected the hook as the list of verbs names it, \
             such as \"/done\", got nothing",
            "11:10: /hook/2/status: out of range; expected an integer from 300 to 599, got the \
             integer 200",
        ],
    );
}

#[test]
fn too_much_is_refused() {
    let phones = "[[callee]]\nuser = \"jane\"\n".repeat(11);
    let found = faults("phones", &format!("{APP}{phones}"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("too many phones of this user; expected at most 10"), "{found:?}");
    let callees = "[[callee]]\nuser = \"jane\"\n".repeat(101);
    let found = faults("callees", &format!("{APP}{callees}"));
    assert!(found[0].contains("too many callees; expected at most 100"), "{found:?}");
    let callers = "[[caller]]\n".repeat(101);
    let found = faults("callers", &format!("{APP}{callers}"));
    assert!(found[0].contains("too many callers; expected at most 100"), "{found:?}");
    let forks = "[[callee.fork]]\n".repeat(11);
    let found = faults("forks", &format!("{APP}[[callee]]\nuser = \"jane\"\n{forks}"));
    assert!(found[0].contains("too many forks; expected at most 10"), "{found:?}");
    let found = faults("long", &format!("{APP}# {}\n", "x".repeat(1024 * 1024)));
    assert!(found[0].contains("cannot be read: it is longer than 1048576 bytes"), "{found:?}");
}
