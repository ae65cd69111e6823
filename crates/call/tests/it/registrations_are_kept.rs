//! What the switch says of a user's bindings is enough to reach the user after a restart.

use call::settings::Client;
use serde_json::json;
use sip::{Method, SavedBinding};
use testkit::World;

use crate::raw::Raw;
use crate::registered_user_is_called::register;
use crate::scene::{Scene, answers, callee_address, finish, hangs_up, result, s};
use crate::sent::request_to;

/// One application that calls `jane`, whom callee 1 would answer for.
fn world(realm: Option<&str>, clients: &[&str]) -> World {
    let more = json!({ "target": [{ "type": "user", "name": "jane" }] });
    Scene::running(&json!([crate::scene::dial(0, &more)]))
        .callees(vec![answers(0.5)])
        .caller(hangs_up(2.0))
        .settings(|settings| {
            settings.realm = realm.map(str::to_owned);
            let client = |username: &&str| Client {
                username: (*username).to_owned(),
                password: "secret".to_owned(),
            };
            settings.clients = clients.iter().map(client).collect();
        })
        .before_the_call()
}

fn kept(world: &World) -> (String, Vec<SavedBinding>) {
    assert_eq!(world.bound.len(), 1, "{:?}", world.bound);
    let (aor, bindings) = world.bound.first_key_value().unwrap();
    (aor.clone(), bindings.clone())
}

#[test]
fn a_user_is_called_after_a_restart_without_registering_again() {
    for realm in [None, Some("10.0.0.1")] {
        let mut before = world(realm, &["jane"]);
        register(&mut before, Raw(callee_address(1)), 1);
        let (aor, bindings) = kept(&before);
        assert_eq!(aor, if realm.is_some() { "jane@10.0.0.1" } else { "jane" });
        assert_eq!(bindings.len(), 1);

        let mut after = world(realm, &["jane"]);
        after.with_switch(|switch, now| assert_eq!(switch.restore(now, &aor, &bindings), 1));
        after.call("A");
        finish(&mut after);
        let invite = request_to(&after, callee_address(1), &Method::Invite);
        assert_eq!(invite.message.request_uri().unwrap(), "sip:jane@10.0.2.1:5060");
        assert_eq!(result(&after)["dial_call_status"], "completed");
    }
}

#[test]
fn bindings_of_another_realm_or_of_nobody_are_not_put_back() {
    let mut before = world(Some("10.0.0.1"), &["jane"]);
    register(&mut before, Raw(callee_address(1)), 1);
    let (aor, bindings) = kept(&before);
    for (realm, clients) in
        [(Some("sip.example"), &["jane"][..]), (Some("10.0.0.1"), &["joe"]), (None, &["jane"])]
    {
        let mut after = world(realm, clients);
        after.with_switch(|switch, now| {
            assert_eq!(switch.restore(now, &aor, &bindings), 0, "{realm:?} {clients:?}");
            assert_eq!(switch.registrations(now), 0);
        });
    }
}

#[test]
fn what_expires_and_who_is_deleted_is_not_kept() {
    let mut world = world(None, &["jane"]);
    register(&mut world, Raw(callee_address(1)), 1);
    assert_eq!(kept(&world).1.len(), 1);
    world.run_for(s(31.0));
    assert_eq!(kept(&world), ("jane".to_owned(), Vec::new()), "it expired");
    register(&mut world, Raw(callee_address(1)), 3);
    assert_eq!(kept(&world).1.len(), 1);
    let mut settings = testkit::carrier_settings(crate::scene::CALLER.ip(), callee_address(1));
    settings.clients.clear();
    world.with_switch(|switch, now| {
        switch.set_settings(settings.into());
        switch.handle_timeout(now);
        assert_eq!(switch.registrations(now), 0);
    });
    assert_eq!(kept(&world).1, [], "the user is gone");
}
