//! The database is locked by another program, or its disk is full: calls go on, /healthz says what
//! to do, and what waited is written once it can be.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::scene::{CALLEE, CALLER, Config, Scene, dial};
use crate::support::switch::{ADMIN_TOKEN, Switch};
use crate::support::wait_for;

/// A usual configuration with a database in `folder`.
fn with_database(scene: &Scene, folder: &Path) -> Config {
    let mut config = scene.config();
    config.http = format!("admin_token = \"{ADMIN_TOKEN}\"");
    config.rest = format!("[store]\nurl = \"sqlite:{}\"\n", folder.join("db").display());
    config
}

/// One call, from its beginning to its end.
fn a_call_succeeds(scene: &Scene, switch: &Switch) {
    let (caller, callee) = (scene.phone(CALLER), scene.phone(CALLEE));
    scene.app.runs("/incoming", &dial(&[&callee], &serde_json::json!({})));
    let callee_runs = callee.plays("callee_answers", switch);
    caller.plays("caller_hangs_up", switch).finishes();
    callee_runs.finishes();
}

/// Waits until /healthz says that the database fails, and gives its words.
fn degraded(switch: &Switch) -> String {
    wait_for("the health to be degraded", || {
        let health = switch.health();
        let why = health["degraded"].as_str().map(str::to_owned);
        why.filter(|_| health["status"] == "degraded")
    })
}

/// Waits until all is well and the parties of so many calls are on record.
fn recovers(switch: &Switch, calls: u64) {
    wait_for("the health to be well", || (switch.health()["status"] == "ok").then_some(()));
    wait_for("the records", || {
        let (status, page) = switch.rest("GET", "/RecentCalls?page=1&count=10", &Value::Null);
        (status == 200 && page["total"] == 2 * calls).then_some(())
    });
}

/// A program that holds the lock of a database until it is ended.
struct Lock(Child);

impl Lock {
    fn of(database: &Path) -> Lock {
        let held = database.with_extension("held");
        let program = "import sqlite3, sys, time\n\
                       db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20)\n\
                       db.execute('BEGIN IMMEDIATE')\n\
                       open(sys.argv[2], 'w').close()\n\
                       time.sleep(60)\n";
        let child = Command::new("python3")
            .args(["-c", program])
            .args([database, held.as_path()])
            .stdin(Stdio::null())
            .spawn()
            .expect("python3 is there: make test installs it");
        let lock = Lock(child);
        wait_for("the lock", || held.exists().then_some(()));
        lock
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

#[test]
fn a_locked_database_harms_no_call_and_nothing_is_lost() {
    let scene = Scene::new();
    let config = with_database(&scene, &scene.folder);
    let switch = scene.starts(&config);
    let lock = Lock::of(&scene.folder.join("db"));
    a_call_succeeds(&scene, &switch);
    let why = degraded(&switch);
    assert!(why.contains("locked"), "{why}");
    assert!(why.contains("; "), "no remedy: {why}");
    a_call_succeeds(&scene, &switch);
    drop(lock);
    recovers(&switch, 2);
    switch.ends();
}

#[test]
fn a_full_disk_harms_no_call_and_nothing_is_lost() {
    let scene = Scene::new();
    let disk = scene.folder.join("disk");
    std::fs::create_dir_all(&disk).expect("it can be made");
    let config = with_database(&scene, &disk);
    // A small disk that only this process sees.
    let mount =
        format!("mount -t tmpfs -o size=1m tmpfs '{}' && exec \"$0\" \"$@\"", disk.display());
    let file = scene.writes(&config);
    let switch = Switch::start_by(&file, &["unshare", "-rm", "sh", "-c", &mount]);
    let seen = format!("/proc/{}/root{}", switch.id(), disk.display());
    let filler = Path::new(&seen).join("filler");
    // Filled to the last byte, whatever the database took already.
    let fill = format!("cat /dev/zero > '{}' 2>/dev/null; sync", filler.display());
    Command::new("sh").args(["-c", &fill]).status().expect("a shell is there");
    let mut calls = 0;
    let why = wait_for("the health to be degraded", || {
        a_call_succeeds(&scene, &switch);
        calls += 1;
        switch.health()["degraded"].as_str().map(str::to_owned)
    });
    assert!(why.contains("full"), "{why}");
    assert!(why.contains("; "), "no remedy: {why}");
    a_call_succeeds(&scene, &switch);
    std::fs::remove_file(&filler).expect("it was written");
    recovers(&switch, calls + 1);
    switch.ends();
}
