//! Floors 0 and 1 depend on nothing that reads a clock, draws randomness or waits. `cargo tree`
//! says what is in the build of one crate, with the features that this crate alone asks for.

use std::process::Command;

use crate::tree;

/// The crates of floors 0 and 1.
pub(crate) const PURE: &[&str] = &["sip", "media", "verbs", "call"];

/// A package that may not be there at all (`feature` is `None`), or not with that feature.
struct Ban {
    package: &'static str,
    feature: Option<&'static str>,
    why: &'static str,
}

const BANS: &[Ban] = &[
    Ban { package: "tokio", feature: None, why: "a pure crate waits for nothing" },
    Ban { package: "rand", feature: None, why: "randomness is seeded and injected" },
    Ban { package: "fastrand", feature: None, why: "randomness is seeded and injected" },
    Ban { package: "getrandom", feature: None, why: "randomness is seeded and injected" },
    Ban { package: "chrono", feature: Some("clock"), why: "time is injected" },
    Ban { package: "chrono", feature: Some("now"), why: "time is injected" },
    Ban { package: "uuid", feature: Some("v4"), why: "ids come from injected bytes" },
    Ban { package: "uuid", feature: Some("v7"), why: "ids come from injected bytes" },
];

/// Faults of one crate, from lines of `name version|features`.
fn faults(name: &str, closure: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for line in closure.lines() {
        let (package, features) = line.split_once('|').unwrap_or((line, ""));
        let package = package.split(' ').next().unwrap_or_default();
        for ban in BANS.iter().filter(|ban| ban.package == package) {
            let has = |feature| features.trim_end_matches(" (*)").split(',').any(|f| f == feature);
            if ban.feature.is_none_or(has) {
                let feature = ban.feature.map(|feature| format!(" with `{feature}`"));
                let feature = feature.unwrap_or_default();
                faults.push(format!("`{name}` builds `{package}`{feature}: {}", ban.why));
            }
        }
    }
    faults.sort();
    faults.dedup();
    faults
}

/// Everything the library of `name` builds on, itself first.
fn closure(name: &str) -> String {
    let ask = |offline: &[&str]| {
        Command::new(env!("CARGO"))
            .args(["tree", "--package", name, "--edges", "normal,no-proc-macro"])
            .args(["--prefix", "none", "--format", "{p}|{f}"])
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
    String::from_utf8(output.stdout).expect("cargo tree writes text")
}

#[test]
fn pure_crates_build_no_clock_no_randomness_no_runtime() {
    for name in PURE {
        let closure = closure(name);
        assert!(closure.starts_with(&format!("{name} ")), "{closure}");
        tree::expect_none(&faults(name, &closure));
    }
}

#[test]
fn banned_packages_and_features_are_found() {
    let closure = "sip v0.1.0|\nuuid v1.2.3|default,std,v4 (*)\ntokio v1.0.0|\nuuid v1|v5\n";
    let found = faults("sip", closure);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("`tokio`"));
    assert!(found[1].contains("`uuid` with `v4`"));
    assert!(faults("sip", "tokio-util v1|\nchrono v0.4|serde\n").is_empty());
}
