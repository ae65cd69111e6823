//! Opening: fresh files, files of others, of newer versions, of nobody.

use std::os::unix::fs::PermissionsExt;

use store::{Client, ErrorKind, Store};

use crate::scratch::{Scratch, client, execute, url};

#[tokio::test]
async fn a_fresh_file_is_made_and_only_its_owner_may_read_it() {
    let scratch = Scratch::new();
    let store = scratch.open().await;
    store.create(&client("", "jane")).await.expect("made");
    let mut files = 0;
    for file in std::fs::read_dir(scratch.path()).expect("read") {
        let file = file.expect("read");
        let mode = file.metadata().expect("read").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?} holds passwords", file.file_name());
        files += 1;
    }
    assert!(files >= 3, "the database, its log, the owner's mark");
}

#[tokio::test]
async fn what_was_committed_is_there_after_opening_again() {
    let scratch = Scratch::new();
    for number in 0..3 {
        let store = scratch.open().await;
        assert_eq!(store.list::<Client>().await.expect("read").len(), number);
        store.create(&client("", &format!("user-{number}"))).await.expect("made");
        store.close().await;
    }
}

#[tokio::test]
async fn two_on_one_file_are_one_too_many() {
    let scratch = Scratch::new();
    let store = scratch.open().await;
    let copy = store.clone();
    let error = Store::open(&scratch.url()).await.expect_err("it has an owner");
    assert_eq!(error.kind(), ErrorKind::InUse);
    assert!(error.to_string().contains("another Switchhook runs on it"), "{error}");
    let link = scratch.path().join("link.db");
    std::os::unix::fs::symlink(scratch.file(), &link).expect("linked");
    let error = Store::open(&url(&link)).await.expect_err("the same by another name");
    assert_eq!(error.kind(), ErrorKind::InUse);
    drop(store);
    Store::open(&scratch.url()).await.expect_err("a copy still owns it");
    drop(copy);
    scratch.open().await;
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_as_it_is() {
    let scratch = Scratch::new();
    scratch.open().await.close().await;
    let newer = "INSERT INTO _sqlx_migrations \
                 (version, description, success, checksum, execution_time) \
                 VALUES (9001, 'of a later version', 1, x'00', 0)";
    execute(scratch.other_program().await, &[newer]).await;
    let before = std::fs::read(scratch.file()).expect("read");
    let error = Store::open(&scratch.url()).await.expect_err("newer");
    assert_eq!(error.kind(), ErrorKind::NewerSchema);
    let said = error.to_string();
    assert!(said.contains("it has schema 9001; this version knows 1 at most"), "{said}");
    assert!(said.contains("switchhook.db") && said.contains("start that version"), "{said}");
    assert_eq!(std::fs::read(scratch.file()).expect("read"), before);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let scratch = Scratch::new();
    std::fs::write(scratch.file(), "these are my notes, not a database\n".repeat(100)).expect("w");
    let error = Store::open(&scratch.url()).await.expect_err("no database");
    assert_eq!(error.kind(), ErrorKind::Foreign);
    assert!(error.to_string().contains("file is not a database"), "{error}");
    assert!(std::fs::read_to_string(scratch.file()).expect("read").starts_with("these are my"));
}

#[tokio::test]
async fn the_database_of_another_program_is_refused() {
    let scratch = Scratch::new();
    execute(scratch.other_program().await, &["CREATE TABLE notes (note TEXT)"]).await;
    let error = Store::open(&scratch.url()).await.expect_err("not ours");
    assert_eq!(error.kind(), ErrorKind::Foreign);
    assert!(error.to_string().contains("another program"), "{error}");
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_named() {
    let scratch = Scratch::new();
    let file = scratch.path().join("nowhere").join("switchhook.db");
    let error = Store::open(&url(&file)).await.expect_err("no directory");
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    let said = error.to_string();
    assert!(
        said.contains("nowhere/switchhook.db") && said.contains("make the directory"),
        "{said}"
    );
}

#[tokio::test]
async fn a_locked_fresh_file_is_told() {
    let scratch = Scratch::new();
    let mut other = scratch.other_program().await;
    sqlx::query("BEGIN EXCLUSIVE").execute(&mut other).await.expect("locked");
    let error = Store::open(&scratch.url()).await.expect_err("locked");
    assert_eq!(error.kind(), ErrorKind::Locked, "{error}");
}

#[tokio::test]
async fn a_database_that_may_only_be_read_is_told() {
    let scratch = Scratch::new();
    std::fs::write(scratch.file(), "").expect("written");
    let error = Store::open(&format!("{}?mode=ro", scratch.url())).await.expect_err("read only");
    assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
}

#[tokio::test]
async fn other_kinds_of_store_are_refused_without_their_password() {
    let error = Store::open("postgres://switch:hunter2@db/calls").await.expect_err("not here");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    assert_eq!(
        error.to_string(),
        "store [store] url: opening it: no store of that kind: \"postgres\"; \
         remedy: a file, such as sqlite:switchhook.db"
    );
}

#[tokio::test]
async fn a_store_in_memory_is_forgotten() {
    let store = Store::open("sqlite::memory:").await.expect("opens");
    store.create(&client("", "jane")).await.expect("made");
    let other = Store::open("sqlite::memory:").await.expect("opens beside it");
    assert_eq!(other.list::<Client>().await.expect("read"), []);
    assert_eq!(store.list::<Client>().await.expect("read").len(), 1);
}
