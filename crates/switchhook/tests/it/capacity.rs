//! Ports and file descriptors against `[limits] calls`.

use switchhook::config::{
    DESCRIPTORS_OF_CONNECTIONS, DESCRIPTORS_RESERVED, SOCKETS_PER_CALL, fit_capacity,
};

use crate::reading::{SHORTEST, config};

fn check(ports: &str, calls: u64, nofile: u64) -> Result<(), String> {
    let text = format!("{SHORTEST}[limits]\ncalls = {calls}\n[media]\nports = \"{ports}\"\n");
    let fewer = fit_capacity(&mut config(&text), nofile).map_err(|fault| fault.to_string())?;
    assert_eq!(fewer, None, "nothing is changed that was asked for");
    Ok(())
}

#[test]
fn enough_is_enough_and_one_less_is_not() {
    let nofile = 10 * SOCKETS_PER_CALL + DESCRIPTORS_RESERVED;
    assert_eq!(check("20000-20039", 10, nofile), Ok(()));
    assert_eq!(
        check("20000-20038", 10, nofile),
        Err("t.toml:4:9: /limits/calls: 10 calls need 40 media ports; expected at most 9 calls, \
             or a wider [media] ports, got 38 ports in 20000-20038"
            .to_owned())
    );
    assert_eq!(
        check("20000-20039", 10, nofile - 1),
        Err("t.toml:4:9: /limits/calls: 10 calls need 296 file descriptors; expected at most 9 \
             calls, or a higher hard limit (ulimit -Hn, LimitNOFILE), got a hard limit of 295"
            .to_owned())
    );
}

#[test]
fn connections_take_descriptors_where_there_is_tcp() {
    let text = format!("{SHORTEST}tcp = \"127.0.0.1:5060\"\n[limits]\ncalls = 10\n");
    let nofile = 10 * SOCKETS_PER_CALL + DESCRIPTORS_RESERVED + DESCRIPTORS_OF_CONNECTIONS;
    assert!(fit_capacity(&mut config(&text), nofile).is_ok());
    assert!(fit_capacity(&mut config(&text), nofile - 1).is_err());
}

#[test]
fn odd_ends_of_the_range_serve_nobody() {
    assert!(check("20001-20040", 10, 100_000).is_err());
    assert_eq!(check("20001-20041", 10, 100_000), Ok(()));
}

#[test]
fn the_defaults_fit_each_other() {
    let mut config = config(SHORTEST);
    let before = config.settings.limits.calls;
    assert_eq!(fit_capacity(&mut config, 65536), Ok(None));
    assert_eq!(config.settings.limits.calls, before);
}

#[test]
fn without_a_wish_there_are_as_many_calls_as_there_is_room_for() {
    let narrow = format!("{SHORTEST}[media]\nports = \"20000-20039\"\n");
    let fitted = |nofile| {
        let mut config = config(&narrow);
        let fewer = fit_capacity(&mut config, nofile).map_err(|fault| fault.to_string())?;
        Ok((fewer.unwrap().to_string(), config.settings.limits.calls))
    };
    let (said, calls): (String, usize) = fitted(100_000).unwrap();
    assert_eq!(calls, 10);
    assert!(
        said.contains("2500 calls need 10000 media ports: there may be 10 at one time"),
        "{said}"
    );
    let four = DESCRIPTORS_RESERVED + 4 * SOCKETS_PER_CALL;
    assert_eq!(fitted(four).unwrap().1, 4, "whichever is shorter");
    let refusal: String = fitted(DESCRIPTORS_RESERVED).unwrap_err();
    assert!(refusal.contains("need 10000 media ports"), "nobody could be called: {refusal}");
}
