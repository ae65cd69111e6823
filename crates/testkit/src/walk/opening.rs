//! How a walk begins: whom the first list calls, and what has happened before the first step.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde_json::json;

use super::scene::Step;

/// What screens callees.
pub(super) const CONFIRM: &str = "/confirm";

/// How the walk begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Three callees have been called; the caller waits for the bridge.
    Waiting,
    /// Three callees have been called; the caller was answered first.
    Answered,
    /// The names of two callees are looked up; ports are opened after.
    LookingUp,
    /// Three callees have been called, and all are to be screened: two have answered, and their
    /// confirmHooks are being asked.
    Screened,
    /// Two callees have been called, one has answered and talks to the caller; both may hold and
    /// refer, and the hook of a REFER is asked. The other callee is being cancelled.
    Connected,
}

impl Opening {
    /// Whom the first list calls.
    pub(super) fn callees(self) -> &'static [u8] {
        match self {
            Opening::LookingUp | Opening::Connected => &[1, 2],
            Opening::Waiting | Opening::Answered | Opening::Screened => &[1, 2, 3],
        }
    }

    /// What happens before the walk begins.
    pub(super) fn steps(self) -> &'static [Step] {
        match self {
            Opening::Screened => &[Step::Says(0, 200), Step::Says(1, 200)],
            Opening::Connected => &[Step::Says(1, 180), Step::Says(0, 200), Step::CallerAcks],
            Opening::Waiting | Opening::Answered | Opening::LookingUp => &[],
        }
    }

    /// How another dial is run, which an answer asks for: the caller waits for the bridge.
    pub(super) fn again(self) -> Opening {
        match self {
            Opening::Screened | Opening::Connected => self,
            Opening::Waiting | Opening::Answered | Opening::LookingUp => Opening::Waiting,
        }
    }

    /// A list with one dial of these callees.
    pub(super) fn list(self, numbers: &[u8]) -> String {
        let target = |number: &u8| {
            json!({ "type": "sip", "sipUri": format!("sip:b{number}@{}",
            callee_address(*number)) })
        };
        let targets: Vec<_> = numbers.iter().map(target).collect();
        let mut dial = json!({
            "verb": "dial", "actionHook": "/done", "answerOnBridge": self != Opening::Answered,
            "timeout": 20, "target": targets
        });
        match self {
            Opening::Screened => dial["confirmHook"] = json!(CONFIRM),
            Opening::Connected => dial["referHook"] = json!("/refer"),
            Opening::Waiting | Opening::Answered | Opening::LookingUp => {}
        }
        json!([dial]).to_string()
    }
}

/// The address of a callee.
pub(super) fn callee_address(number: u8) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 2, number)), 5060)
}
