//! Secrets that the file leaves out.

use switchhook::config::Config;

use crate::reading::{SHORTEST, config};

const USERS: &str = "[[client]]\nusername = \"jane\"\npassword = \"s\"\n\
                     [[client]]\nusername = \"joe\"\n";

fn users() -> Config {
    config(&format!("{SHORTEST}{USERS}"))
}

/// Bytes that count up from `first`.
fn counting(first: u8) -> impl FnMut(&mut [u8]) {
    let mut next = first;
    move |bytes| {
        for byte in bytes {
            *byte = next;
            next = next.wrapping_add(1);
        }
    }
}

#[test]
fn a_client_without_password_cannot_register_before_it_has_one() {
    let mut config = users();
    assert!(config.settings.client("joe").is_none());
    let generated = config.fill_generated(counting(0));
    let purposes: Vec<&str> = generated.iter().map(|made| made.purpose.as_str()).collect();
    assert_eq!(purposes, ["password of client joe", "[http] admin_token", "[http] webhook_secret"]);
    let joe = config.settings.client("joe").expect("joe");
    assert_eq!(joe.password, "abcdefghijkmnpqrstuvwxyz");
    assert_eq!(joe.password, generated[0].secret.0);
    assert_eq!(config.http.admin_token.as_ref(), Some(&generated[1].secret));
    assert_eq!(config.http.webhook_secret.as_ref(), Some(&generated[2].secret));
    assert_ne!(generated[0].secret, generated[1].secret);
    assert_ne!(generated[1].secret, generated[2].secret);
    assert_eq!(config.settings.client("jane").expect("jane").password, "s");
    assert!(config.fill_generated(counting(0)).is_empty(), "once is enough");
    assert!(!format!("{generated:?}").contains("abcdef"));
}

#[test]
fn reading_again_keeps_what_was_generated() {
    let mut first = users();
    first.fill_generated(counting(0));
    let mut second = users();
    second.keep_generated(&first);
    assert!(second.fill_generated(counting(100)).is_empty());
    let password = |config: &Config| config.settings.client("joe").expect("joe").password.clone();
    assert_eq!(password(&first), password(&second));
    assert_eq!(first.http.webhook_secret, second.http.webhook_secret);
    assert_eq!(first.http.admin_token, second.http.admin_token);
}

#[test]
fn a_password_that_left_the_file_is_not_kept() {
    let mut first = config(&format!("{SHORTEST}{USERS}password = \"old\"\n"));
    first.fill_generated(counting(0));
    let mut second = users();
    second.keep_generated(&first);
    second.fill_generated(counting(0));
    assert_ne!(second.settings.client("joe").expect("joe").password, "old");
}
