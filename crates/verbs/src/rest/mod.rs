//! What a program asks of the switch over REST: to begin a call, or to change one that is up.
//!
//! In: the JSON text of a request's body. Out: a typed request, or every fault, located as the
//! faults of a list of verbs are. HTTP itself, who may ask, and what is done about it are the
//! business of others.

mod create;
mod update;

pub use create::{CreateCall, parse_create_call};
pub use update::{CallEnd, MuteStatus, SipRequestOrder, Update, parse_update_call};

use crate::fault::{Finding, Findings};
use crate::fields::Fields;
use crate::hook::Hook;
use crate::json::{Kind, Member, Node, Path};

/// The properties of a body: an object, whose null members count as absent.
fn properties(root: Node, findings: &mut Findings) -> Option<(usize, Vec<Member>)> {
    let Kind::Object(members) = root.kind else {
        let (expected, got) = ("an object of properties", root.describe());
        findings.fault(Finding::new(root.offset, &Path::ROOT, "no object", expected, got));
        return None;
    };
    let given = members.into_iter().filter(|member| !member.value.is_null()).collect();
    Some((root.offset, given))
}

/// A hook that is asked over HTTP; with `absolute`, its URL must say where.
fn http_hook(fields: &mut Fields<'_>, name: &'static str, absolute: bool) -> Option<Hook> {
    let hook: Hook = fields.optional(name)?;
    let member = fields.take(&name)?;
    let scheme = hook.url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("http" | "https") => {}
        Some("ws" | "wss") => {
            let what = "WebSocket applications are not supported by this version";
            fields.fault(member, what, "an http or https URL");
        }
        _ if absolute => {
            let what = format!("{name} url be an absolute url");
            fields.fault(member, &what, "a URL that begins with http:// or https://");
        }
        Some(_) => fields.fault(member, "unknown URL scheme", "an http or https URL, or a path"),
        None => {}
    }
    Some(hook)
}
