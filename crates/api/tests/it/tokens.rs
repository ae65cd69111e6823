//! The bearer token: every route under `/v1` but one needs it.

use std::collections::BTreeSet;

use store::Secret;

use crate::rig::{Rig, TOKEN};

/// Every route below `/v1` that needs the token.
pub(crate) const ROUTES: &[(&str, &str)] = &[
    ("GET", "/Accounts"),
    ("GET", "/Accounts/{a}"),
    ("PUT", "/Accounts/{a}"),
    ("GET", "/Accounts/{a}/WebhookSecret"),
    ("GET", "/Accounts/{a}/Calls"),
    ("POST", "/Accounts/{a}/Calls"),
    ("GET", "/Accounts/{a}/Calls/count"),
    ("GET", "/Accounts/{a}/Calls/{sid}"),
    ("PUT", "/Accounts/{a}/Calls/{sid}"),
    ("POST", "/Accounts/{a}/Calls/{sid}"),
    ("DELETE", "/Accounts/{a}/Calls/{sid}"),
    ("GET", "/Accounts/{a}/CallCount"),
    ("GET", "/Accounts/{a}/RegisteredSipUsers"),
    ("POST", "/Accounts/{a}/RegisteredSipUsers"),
    ("GET", "/Accounts/{a}/RegisteredSipUsers/{sid}"),
    ("GET", "/Accounts/{a}/RecentCalls"),
    ("GET", "/Accounts/{a}/Alerts"),
    ("GET", "/ServiceProviders"),
    ("GET", "/ServiceProviders/{p}"),
    ("GET", "/ServiceProviders/{p}/Accounts"),
    ("GET", "/ServiceProviders/{p}/RecentCalls"),
    ("GET", "/ServiceProviders/{p}/Alerts"),
    ("GET", "/Applications"),
    ("POST", "/Applications"),
    ("GET", "/Applications/{sid}"),
    ("PUT", "/Applications/{sid}"),
    ("DELETE", "/Applications/{sid}"),
    ("GET", "/Accounts/{a}/Applications"),
    ("POST", "/Accounts/{a}/Applications"),
    ("GET", "/Accounts/{a}/Applications/{sid}"),
    ("PUT", "/Accounts/{a}/Applications/{sid}"),
    ("DELETE", "/Accounts/{a}/Applications/{sid}"),
    ("GET", "/VoipCarriers"),
    ("POST", "/VoipCarriers"),
    ("GET", "/VoipCarriers/{sid}"),
    ("PUT", "/VoipCarriers/{sid}"),
    ("DELETE", "/VoipCarriers/{sid}"),
    ("GET", "/Accounts/{a}/VoipCarriers"),
    ("POST", "/Accounts/{a}/VoipCarriers"),
    ("PUT", "/Accounts/{a}/VoipCarriers/{sid}"),
    ("POST", "/ServiceProviders/{p}/VoipCarriers"),
    ("GET", "/SipGateways"),
    ("POST", "/SipGateways"),
    ("GET", "/SipGateways/{sid}"),
    ("PUT", "/SipGateways/{sid}"),
    ("DELETE", "/SipGateways/{sid}"),
    ("GET", "/PhoneNumbers"),
    ("POST", "/PhoneNumbers"),
    ("GET", "/PhoneNumbers/{sid}"),
    ("PUT", "/PhoneNumbers/{sid}"),
    ("DELETE", "/PhoneNumbers/{sid}"),
    ("GET", "/Clients"),
    ("POST", "/Clients"),
    ("GET", "/Clients/{sid}"),
    ("PUT", "/Clients/{sid}"),
    ("DELETE", "/Clients/{sid}"),
    ("GET", "/NoSuchThing"),
];

#[tokio::test]
async fn every_route_wants_the_token_with_and_without_a_slash() {
    let rig = Rig::start().await;
    for (method, path) in ROUTES {
        for slash in ["", "/"] {
            for headers in
                [vec![], vec!["Authorization: Basic dTpw"], vec!["Authorization: Bearer"]]
            {
                let path = format!("/v1{path}{slash}");
                let answer = rig.raw(method, &path, &headers, "").await;
                let said = (answer.status, answer.body.as_str());
                assert_eq!(said, (401, "Unauthorized"), "{method} {path}");
                assert_eq!(answer.header("www-authenticate"), Some("bearer"));
            }
        }
    }
    assert_eq!(rig.gateway.asked(), [""; 0]);
    for (method, path) in ROUTES {
        let statuses: BTreeSet<u16> = [
            rig.ask(method, path, "{}").await.status,
            rig.ask(method, &format!("{path}/"), "{}").await.status,
        ]
        .into();
        assert!(statuses.iter().all(|status| ![401, 405].contains(status)), "{method} {path}");
    }
}

#[tokio::test]
async fn a_token_that_was_changed_counts_at_once() {
    let rig = Rig::start().await;
    assert_eq!(rig.get("/Accounts").await.status, 200);
    rig.token.send_replace(Secret::new("another"));
    assert_eq!(rig.get("/Accounts").await.status, 401);
    let answer = rig.raw("GET", "/v1/Accounts", &["Authorization: Bearer another"], "").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn guessing_is_bounded() {
    let rig = Rig::start().await;
    let guess = async |token: &str| {
        rig.raw("GET", "/v1/Accounts", &[&format!("Authorization: Bearer {token}")], "").await
    };
    for number in 0..api::FAILURES_MAX {
        assert_eq!(guess(&format!("guess-{number}")).await.status, 401);
    }
    let locked = guess(TOKEN).await;
    assert_eq!(locked.status, 429, "the right one as well, or the guesses would go on");
    let seconds: u64 = locked.header("retry-after").expect("said").parse().expect("a number");
    assert!((1..=61).contains(&seconds), "{seconds}");
    assert_eq!(rig.raw("GET", "/healthz", &[], "").await.status, 200);
}
