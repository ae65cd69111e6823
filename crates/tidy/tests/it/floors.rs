//! Which crate of the workspace may import which: the floors of ARCHITECTURE.md as a table. A
//! crate that the table does not know and a row without its crate fail alike; a permission that
//! nobody uses is fine.

use std::process::Command;

use serde_json::Value;

use crate::tree;

/// One crate and what it may import, with the reason for the line.
struct Row {
    name: &'static str,
    may_import: &'static [&'static str],
    why: &'static str,
}

const FLOORS: &[Row] = &[
    Row { name: "sip", may_import: &[], why: "a body is bytes: no SDP, no application" },
    Row { name: "media", may_import: &[], why: "audio does not know who signalled it" },
    Row { name: "verbs", may_import: &[], why: "the language is readable without a switch" },
    Row { name: "call", may_import: &["sip", "media", "verbs"], why: "decides; does nothing" },
    Row { name: "net", may_import: &["sip", "media"], why: "sockets carry both, know no call" },
    Row { name: "hooks", may_import: &["verbs"], why: "HTTP out, in the words of the language" },
    Row {
        name: "api",
        may_import: &["verbs", "store"],
        why: "HTTP in; keeps entries, reaches calls by a trait of its own",
    },
    Row { name: "store", may_import: &["verbs"], why: "keeps what it is given; knows no call" },
    Row {
        name: "switchhook",
        may_import: &["sip", "media", "verbs", "call", "net", "hooks", "api", "store", "testkit"],
        why: "the wiring; testkit plays the phones of the demo",
    },
    Row {
        name: "testkit",
        may_import: &["sip", "media", "verbs", "call", "net", "hooks", "api"],
        why: "drives every floor but the binary",
    },
    Row {
        name: "fuzzing",
        may_import: &["sip", "media", "verbs", "call", "switchhook", "testkit"],
        why: "gives bytes to whatever reads bytes",
    },
    Row { name: "tidy", may_import: &[], why: "judges the texts of the others" },
];

/// A workspace crate and the workspace crates among its normal dependencies.
type Imports = Vec<(String, Vec<String>)>;

fn faults(imports: &Imports, floors: &[Row]) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, imported) in imports {
        let Some(row) = floors.iter().find(|row| row.name == name) else {
            faults.push(format!("crate `{name}` has no row in FLOORS: say what it may import"));
            continue;
        };
        for import in imported.iter().filter(|import| !row.may_import.contains(&import.as_str())) {
            faults.push(format!("crate `{name}` may not import `{import}`: {}", row.why));
        }
    }
    for row in floors.iter().filter(|row| !imports.iter().any(|(name, _)| name == row.name)) {
        faults.push(format!("FLOORS has a row for `{}`, which is no crate", row.name));
    }
    faults
}

/// The imports as `cargo metadata --no-deps` tells them; a dependency counts as one of ours when
/// it has a path.
fn imports(metadata: &Value) -> Imports {
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let normal =
        |dependency: &&Value| dependency["kind"].is_null() && dependency["path"].is_string();
    let imported = |package: &Value| {
        let dependencies = package["dependencies"].as_array().map_or(&[][..], Vec::as_slice);
        dependencies.iter().filter(normal).map(name).collect()
    };
    packages.iter().map(|package| (name(package), imported(package))).collect()
}

fn metadata() -> Value {
    let ask = |offline: &[&str]| {
        Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--no-deps"])
            .args(offline)
            .current_dir(tree::root())
            .output()
            .expect("cargo runs: it runs this test")
    };
    let mut output = ask(&["--offline"]);
    if !output.status.success() {
        output = ask(&[]);
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata writes JSON")
}

#[test]
fn crates_import_only_what_their_floor_may() {
    let imports = imports(&metadata());
    assert!(imports.iter().any(|(name, imported)| name == "call" && !imported.is_empty()));
    tree::expect_none(&faults(&imports, FLOORS));
}

#[test]
fn a_forbidden_import_an_unknown_crate_and_a_stale_row_are_found() {
    let metadata = serde_json::json!({"packages": [
        {"name": "sip", "dependencies": [
            {"name": "media", "kind": null, "path": "crates/media"},
            {"name": "testkit", "kind": "dev", "path": "crates/testkit"},
            {"name": "bytes", "kind": null},
        ]},
        {"name": "newcomer", "dependencies": []},
    ]});
    let floors = &[
        Row { name: "sip", may_import: &["verbs"], why: "a body is bytes" },
        Row { name: "gone", may_import: &[], why: "was there once" },
    ];
    let found = faults(&imports(&metadata), floors);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].contains("may not import `media`"));
    assert!(found[1].contains("`newcomer` has no row"));
    assert!(found[2].contains("`gone`"));
}
