//! `SWITCHHOOK_SECTION_KEY`.

use std::time::Duration;

use crate::reading::{SHORTEST, faults, lines, read};

#[test]
fn a_variable_overrides_its_key_in_every_type() {
    let variables = [
        ("SWITCHHOOK_SIP_UDP", "127.0.0.1:5070"),
        ("SWITCHHOOK_SIP_T1_MS", "100"),
        ("SWITCHHOOK_MEDIA_TIMEOUT", "5m"),
        ("SWITCHHOOK_LIMITS_CALLS_PER_SECOND", "7"),
        ("SWITCHHOOK_HTTP_ALLOW_PRIVATE", "10.0.0.0/8, 192.168.0.0/16"),
        ("SWITCHHOOK_HTTP_WEBHOOK_SECRET", "w"),
        ("SWITCHHOOK_HTTP_ADMIN_TOKEN", "t"),
        ("PATH", "/bin"),
    ];
    // What is overridden need not even be right.
    let config = read("[sip]\nudp = 5\n", &variables).expect("no fault").config;
    assert_eq!(config.sip.udp, Some("127.0.0.1:5070".parse().unwrap()));
    assert_eq!(config.sip.t1, Duration::from_millis(100));
    assert_eq!(config.media.timeout, Some(Duration::from_secs(300)));
    assert_eq!(config.settings.limits.calls_per_second, 7);
    assert_eq!(config.http.allow_private.len(), 2);
    assert_eq!(config.http.webhook_secret, Some(hooks::Secret("w".to_owned())));
    assert_eq!(config.http.admin_token, Some(hooks::Secret("t".to_owned())));
}

#[test]
fn a_wrong_variable_is_a_fault_of_the_environment() {
    let variables = [("SWITCHHOOK_SIP_T1_MS", "soon"), ("SWITCHHOOK_MEDIA_PROTS", "1-2")];
    assert_eq!(
        faults(&format!("{SHORTEST}t1_ms = 0.5\nx = 1\n"), &variables)[1..],
        [
            "environment: SWITCHHOOK_MEDIA_PROTS: unknown key of [media]; expected one of \
             SWITCHHOOK_MEDIA_ADDRESS, SWITCHHOOK_MEDIA_PORTS, SWITCHHOOK_MEDIA_TIMEOUT, \
             SWITCHHOOK_MEDIA_RINGBACK, SWITCHHOOK_MEDIA_SOUNDS, \
             SWITCHHOOK_MEDIA_HOLD_MUSIC, got \"SWITCHHOOK_MEDIA_PROTS\"; \
             did you mean `SWITCHHOOK_MEDIA_PORTS`",
            "environment: SWITCHHOOK_SIP_T1_MS: wrong type; \
             expected an integer from 10 to 10000, got \"soon\"",
        ]
    );
}

#[test]
fn of_a_variable_that_is_of_no_section_the_operator_is_warned() {
    let variables = [
        ("SWITCHHOOK_MEDAI_PORTS", "1-2"),
        ("SWITCHHOOK_CLIENT_PASSWORD", "hidden"),
        // As an orchestrator names a service that is called so.
        ("SWITCHHOOK_PORT", "tcp://10.0.0.1:5060"),
    ];
    let warnings = read(SHORTEST, &variables).expect("no fault").warnings;
    let said = lines(&warnings);
    assert_eq!(said.len(), 3, "{said:?}");
    assert_eq!(
        said[..2],
        [
            "environment: SWITCHHOOK_CLIENT_PASSWORD: unknown section; expected one of \
             SWITCHHOOK_SIP_…, SWITCHHOOK_MEDIA_…, SWITCHHOOK_HTTP_…, SWITCHHOOK_STORE_…, \
             SWITCHHOOK_CLUSTER_…, SWITCHHOOK_LIMITS_…, SWITCHHOOK_LOG_…, \
             got \"SWITCHHOOK_CLIENT_PASSWORD\"",
            "environment: SWITCHHOOK_MEDAI_PORTS: unknown section; expected one of \
             SWITCHHOOK_SIP_…, SWITCHHOOK_MEDIA_…, SWITCHHOOK_HTTP_…, SWITCHHOOK_STORE_…, \
             SWITCHHOOK_CLUSTER_…, SWITCHHOOK_LIMITS_…, SWITCHHOOK_LOG_…, \
             got \"SWITCHHOOK_MEDAI_PORTS\"; \
             did you mean `SWITCHHOOK_MEDIA_PORTS`",
        ]
    );
    assert!(said[2].starts_with("environment: SWITCHHOOK_PORT: unknown section; "), "{said:?}");
    assert!(!said.concat().contains("hidden"), "{said:?}");
}
