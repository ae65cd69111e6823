//! A checkout builds anywhere: no text names a mirror of packages or a directory of somebody's
//! machine.

use crate::tree::{self, File};

/// Directories of one machine. In two pieces so that this file passes its own check.
const MACHINE_PATHS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/tmp/pl", "an"),
];

/// Hosts that packages come from; which one to use is the business of whoever builds.
const HOSTS: &[&str] = &[
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("pypi", ".org"),
    concat!("registry.npmjs", ".org"),
    concat!("proxy.golang", ".org"),
    concat!("deb.debian", ".org"),
    concat!("archive.ubuntu", ".com"),
    concat!("artifac", "tory"),
];

/// Written by cargo, which records where each package is kept.
const GENERATED: &[&str] = &["Cargo.lock", "fuzz/Cargo.lock", "differential/Cargo.lock"];

/// A path counts where it begins: not in the middle of a URL or of a longer path.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-}/".contains(c))
    })
}

fn faults(file: &File) -> Vec<String> {
    if GENERATED.contains(&file.path.as_str()) {
        return Vec::new();
    }
    let mut faults = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let at = format!("{}:{}", file.path, index + 1);
        for path in MACHINE_PATHS.iter().filter(|path| names_path(line, path)) {
            faults.push(format!("{at}: `{path}` exists on one machine only"));
        }
        for host in HOSTS.iter().filter(|host| line.contains(*host)) {
            faults.push(format!("{at}: `{host}`: leave the source of packages to the builder"));
        }
    }
    faults
}

#[test]
fn no_text_names_a_machine_or_a_mirror() {
    tree::expect_none(&tree::files().iter().flat_map(faults).collect::<Vec<_>>());
}

#[test]
fn machine_paths_and_mirrors_are_found() {
    for word in MACHINE_PATHS.iter().chain(HOSTS) {
        let found = faults(&File::new("a.md", &format!("one\nsee `{word}x`\n")));
        assert_eq!(found.len(), 1, "{word}: {found:?}");
        assert!(found[0].starts_with("a.md:2: "));
    }
    let url = format!("http://example.com{}x and target{}y", MACHINE_PATHS[0], MACHINE_PATHS[1]);
    assert!(faults(&File::new("a.md", &url)).is_empty());
    assert!(faults(&File::new("Cargo.lock", HOSTS[0])).is_empty());
}
