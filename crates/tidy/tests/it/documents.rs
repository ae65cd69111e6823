//! What the documents promise exists: paths that ARCHITECTURE.md names, `make` targets that the
//! documents name, links between documents.

use std::collections::BTreeSet;

use crate::tree::{self, File};

/// Lines of ARCHITECTURE.md: it is read in one sitting or not at all.
const ARCHITECTURE_MAX: usize = 300;

/// The parts of a text between backticks, with their lines.
fn spans(text: &str) -> Vec<(usize, &str)> {
    let mut spans = Vec::new();
    for (index, line) in text.lines().enumerate() {
        spans.extend(line.split('`').skip(1).step_by(2).map(|span| (index + 1, span)));
    }
    spans
}

/// Faults of paths like `crates/…` in a document; `exists` answers for files and directories. A
/// path ends at a brace, so that `crates/sip/src/{uri,parse}.rs` promises `crates/sip/src/`.
fn path_faults(document: &File, exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let path = |span: &str| {
        let end = span.find(|c: char| c.is_whitespace() || "{*:…".contains(c));
        span[..end.unwrap_or(span.len())].to_owned()
    };
    let named = spans(&document.text).into_iter().filter(|(_, span)| span.starts_with("crates/"));
    let missing = named.map(|(line, span)| (line, path(span))).filter(|(_, path)| !exists(path));
    missing.map(|(line, path)| format!("{}:{line}: `{path}` is not there", document.path)).collect()
}

/// Targets that a Makefile defines.
fn make_targets(makefile: &str) -> BTreeSet<&str> {
    let rule = |line: &&str| !line.starts_with(['\t', '#', '.', ' ']) && !line.contains(":=");
    let rules = makefile.lines().filter(rule).filter_map(|line| line.split_once(':'));
    rules.flat_map(|(targets, _)| targets.split_whitespace()).collect()
}

/// Faults of `make target`, in backticks or as a command line.
fn make_faults(document: &File, makefile: &str) -> Vec<String> {
    let targets = make_targets(makefile);
    let lines = document.text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let mut faults = Vec::new();
    for (line, command) in spans(&document.text).into_iter().chain(lines) {
        let Some(target) = command.trim_start_matches("$ ").strip_prefix("make ") else { continue };
        let target = target.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next();
        let target = target.unwrap_or_default();
        let prose = command.contains('`') || target.is_empty();
        if !prose && !targets.contains(target) && looks_like_command(command) {
            faults.push(format!("{}:{line}: no `make {target}`", document.path));
        }
    }
    faults
}

/// A sentence may begin with "make"; a command has a target and at most a comment.
fn looks_like_command(command: &str) -> bool {
    let command = command.split('#').next().unwrap_or_default();
    command.split_whitespace().count() <= 3
}

/// Faults of relative links in a document.
fn link_faults(document: &File, exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let directory = document.path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let mut faults = Vec::new();
    for (index, line) in document.text.lines().enumerate() {
        for target in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") || file.starts_with("mailto:") {
                continue;
            }
            let path = match (directory, file.strip_prefix("../")) {
                (_, Some(above)) => above.to_owned(),
                ("", None) => file.to_owned(),
                (directory, None) => format!("{directory}/{file}"),
            };
            if !exists(&path) {
                faults.push(format!("{}:{}: link to {file}", document.path, index + 1));
            }
        }
    }
    faults
}

/// Faults of table rows that begin with the name of a constant and name a file: it must be there.
fn constant_faults(document: &File, files: &[File]) -> Vec<String> {
    let upper = |name: &str| {
        name.len() > 1 && !name.contains(|c: char| !"_".contains(c) && !c.is_ascii_uppercase())
    };
    let mut faults = Vec::new();
    for (index, line) in document.text.lines().enumerate().filter(|(_, l)| l.starts_with("| `")) {
        let names = spans(line);
        let path = names.iter().map(|(_, span)| *span).find(|span| span.starts_with("crates/"));
        let (Some((_, name)), Some(path)) = (names.first(), path) else { continue };
        let declares = format!("const {name}:");
        let found = files.iter().any(|file| file.path == path && file.text.contains(&declares));
        if upper(name) && !found {
            faults.push(format!("{}:{}: no `{name}` in {path}", document.path, index + 1));
        }
    }
    faults
}

/// Faults of programs that a document shows: they are files of `examples`, word for word.
fn program_faults(document: &File, examples: &[File]) -> Vec<String> {
    let shown = |example: &&File| !document.text.contains(&example.text);
    let fault =
        |example: &File| format!("{} does not show {} as it is", document.path, example.path);
    examples.iter().filter(shown).map(fault).collect()
}

fn documents() -> Vec<File> {
    let ours =
        |path: &str| path.ends_with(".md") && (!path.contains('/') || path.starts_with("docs/"));
    tree::files().into_iter().filter(|file| ours(&file.path)).collect()
}

fn on_disk(path: &str) -> bool {
    tree::root().join(path).exists()
}

#[test]
fn architecture_is_short_and_names_what_exists() {
    let documents = documents();
    let architecture = documents.iter().find(|file| file.path == "ARCHITECTURE.md");
    let lines = architecture.expect("ARCHITECTURE.md is there").text.lines().count();
    assert!(lines <= ARCHITECTURE_MAX, "{lines} lines, at most {ARCHITECTURE_MAX}");
    let faults = documents.iter().flat_map(|document| path_faults(document, &on_disk));
    tree::expect_none(&faults.collect::<Vec<_>>());
}

#[test]
fn documents_name_targets_of_the_makefile_and_link_to_files() {
    let makefile = std::fs::read_to_string(tree::root().join("Makefile")).expect("it is there");
    let mut faults = Vec::new();
    for document in documents() {
        faults.extend(make_faults(&document, &makefile));
        faults.extend(link_faults(&document, &on_disk));
    }
    tree::expect_none(&faults);
}

#[test]
fn documents_name_constants_that_exist() {
    let files = tree::files();
    let faults = documents().into_iter().flat_map(|document| constant_faults(&document, &files));
    tree::expect_none(&faults.collect::<Vec<_>>());
}

#[test]
fn the_programs_of_the_readme_are_those_of_the_examples() {
    let is_program = |file: &File| {
        file.path.starts_with("examples/application") && !file.path.ends_with(".json")
    };
    let files = tree::files();
    let programs: Vec<File> = files.iter().filter(|file| is_program(file)).cloned().collect();
    assert_eq!(programs.len(), 2, "one for Node, one for Python");
    let readme = files.iter().find(|file| file.path == "README.md").expect("README.md is there");
    tree::expect_none(&program_faults(readme, &programs));
}

#[test]
fn constants_that_do_not_exist_are_found() {
    let text = "| name | where |\n\
                | `A_MAX` | `crates/x/src/a.rs` |\n\
                | `B_MAX` | `crates/x/src/a.rs` |\n\
                | `dial.timeout` | `crates/x/src/a.rs` |\n";
    let files = [File::new("crates/x/src/a.rs", "pub const A_MAX: usize = 1;")];
    let found = constant_faults(&File::new("docs/limits.md", text), &files);
    assert_eq!(found, ["docs/limits.md:3: no `B_MAX` in crates/x/src/a.rs"]);
}

#[test]
fn a_program_that_is_shown_differently_is_found() {
    let readme = File::new("README.md", "```js\none\n```\n");
    let programs = [File::new("examples/a.mjs", "one\n"), File::new("examples/b.py", "two\n")];
    let found = program_faults(&readme, &programs);
    assert_eq!(found, ["README.md does not show examples/b.py as it is"]);
}

#[test]
fn paths_that_do_not_exist_are_found() {
    let text = "see `crates/sip/src/{a,b}.rs`,\n`crates/gone/src/lib.rs` and `crates/sip`: fine";
    let exists = |path: &str| ["crates/sip/src/", "crates/sip"].contains(&path);
    let found = path_faults(&File::new("ARCHITECTURE.md", text), &exists);
    assert_eq!(found, ["ARCHITECTURE.md:2: `crates/gone/src/lib.rs` is not there"]);
}

#[test]
fn make_targets_that_do_not_exist_are_found() {
    let makefile = "SHELL := x\n.PHONY: run\nrun build: dep ## text\n\trecipe: no\n";
    let text = "Type `make run` or `make fly`.\n\n    make build  # builds it\n    make walk\n\
                make sure that it rings, please\n";
    let found = make_faults(&File::new("README.md", text), makefile);
    assert_eq!(found, ["README.md:1: no `make fly`", "README.md:4: no `make walk`"]);
}

#[test]
fn dead_links_are_found() {
    let text =
        "[a](limits.md#x) [b](gone.md) [c](https://example.com) [d](#here) [e](../README.md)";
    let exists = |path: &str| ["docs/limits.md", "README.md"].contains(&path);
    let found = link_faults(&File::new("docs/a.md", text), &exists);
    assert_eq!(found, ["docs/a.md:1: link to gone.md"]);
}
