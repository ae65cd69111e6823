//! Each crate of floors 0 and 1 has a `clippy.toml` of its own with every ban of those floors;
//! clippy does the rest.

use crate::purity::PURE;
use crate::tree::{self, File};

const BANS: &[&str] = &[
    "std::time::Instant::now",
    "std::time::Instant::elapsed",
    "std::time::SystemTime::now",
    "std::time::SystemTime::elapsed",
    "std::env::var",
    "std::env::var_os",
    "std::thread::spawn",
    "std::thread::sleep",
    "std::collections::HashMap",
    "std::collections::HashSet",
];

fn faults(files: &[File]) -> Vec<String> {
    let mut faults = Vec::new();
    for name in PURE {
        let path = format!("crates/{name}/clippy.toml");
        let Some(file) = files.iter().find(|file| file.path == path) else {
            faults.push(format!("{path} is missing: floors 0 and 1 ban clocks, threads, env"));
            continue;
        };
        let active = |line: &&str| !line.trim_start().starts_with('#');
        let active: Vec<&str> = file.text.lines().filter(active).collect();
        for ban in BANS {
            let quoted = format!("\"{ban}\"");
            if !active.iter().any(|line| line.contains(&quoted)) {
                faults.push(format!("{path} does not ban {ban}"));
            }
        }
    }
    faults
}

#[test]
fn pure_crates_ban_clock_environment_threads_and_random_order() {
    tree::expect_none(&faults(&tree::files()));
}

#[test]
fn a_missing_file_and_a_missing_ban_are_found() {
    let all: String = BANS.iter().map(|ban| format!("{{ path = \"{ban}\" }},\n")).collect();
    let less = all.replace("{ path = \"std::env::var\"", "# { path = \"std::env::var\"");
    let files = [
        File::new("crates/sip/clippy.toml", &all),
        File::new("crates/media/clippy.toml", &less),
        File::new("crates/verbs/clippy.toml", &all),
    ];
    let found = faults(&files);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("does not ban std::env::var"));
    assert!(found[1].contains("crates/call/clippy.toml is missing"));
}
