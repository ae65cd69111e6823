//! The two examples that the documentation of the verb publishes: not JSON as they stand, good
//! applications once mended.

use std::time::Duration;

use verbs::{Endpoint, Hook, HookMethod, Verb, parse_application};

use crate::{faults, fixture};

#[test]
fn as_published_each_slip_is_located_with_its_fix() {
    let trailing = "trailing comma; expected a member after `,`, got `}`; did you mean `}` \
                    without a comma before it";
    let missing = "missing comma; expected `,` or `}`, got \"target\"; did you mean `,` before \
                   \"target\"";
    assert_eq!(faults(&fixture("cognigy-dial-as-published")), [format!("15:20: -: {trailing}")]);
    assert_eq!(
        faults(&fixture("jambonz-dial-as-published")),
        [format!("13:24: -: {trailing}"), format!("15:1: -: {missing}")]
    );
}

#[test]
fn mended_they_are_a_dial_of_three_targets() {
    for (name, disconnect) in [("cognigy", false), ("jambonz", true)] {
        let text = fixture(&format!("{name}-dial-repaired"));
        let application = parse_application(&text, false).expect("a good application");
        assert_eq!(application.warnings, []);
        let [Verb::Dial(dial)] = application.verbs.as_slice() else { panic!("{name}") };
        assert!(dial.answer_on_bridge);
        assert_eq!(dial.timeout, Duration::from_secs(60));
        assert_eq!(dial.dtmf_capture.child_call, ["*2", "*3"]);
        assert_eq!(dial.dtmf_capture.parent_call, ["*2", "*3"]);
        let hook = Hook { method: HookMethod::Get, ..Hook::post("/dtmf") };
        assert_eq!(dial.dtmf_hook, Some(hook));
        assert_eq!(dial.amd.as_ref().map(|amd| amd.disconnect_on_amd), Some(disconnect));
        let kinds: Vec<&str> = dial.target.iter().map(|target| target.kind()).collect();
        assert_eq!(kinds, ["phone", "sip", "user"]);
        assert_eq!(dial.target[0].trunk(), Some("Twilio"));
        let Endpoint::Sip { auth: Some(auth), .. } = &dial.target[1].endpoint else {
            panic!("{name}")
        };
        assert!(!auth.username.is_empty() && !auth.password.is_empty());
    }
}
