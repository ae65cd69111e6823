//! SIP headers that an application adds to requests: which it may, and how they are written.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::fault::{Finding, Findings};
use crate::fields::FromJson;
use crate::json::{Kind, Member, Node, Path, shown};

/// Header names and values in the order of the application, numbers written out.
pub type Headers = Vec<(String, String)>;

/// Headers that only the switch may write, long and compact (RFC 3261 §20, §7.3.3): they route
/// the message, frame it, or prove who sent it. `Content-*` is refused as a whole.
const CORE_HEADERS: &[&str] = &[
    "Via",
    "v",
    "From",
    "f",
    "To",
    "t",
    "Call-ID",
    "i",
    "CSeq",
    "Max-Forwards",
    "Contact",
    "m",
    "Route",
    "Record-Route",
    "c",
    "e",
    "l",
    "Authorization",
    "Proxy-Authorization",
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "Authentication-Info",
    "Proxy-Authentication-Info",
];

/// `headers` of a verb or target, read strictly.
#[derive(Default)]
pub(crate) struct HeaderMap(pub(crate) Headers);

impl FromJson for HeaderMap {
    fn from_json(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<HeaderMap> {
        let Kind::Object(members) = &node.kind else {
            crate::values::wrong_type(node, path, findings, "an object of header values");
            return None;
        };
        let given = members.iter().filter(|member| !member.value.is_null());
        let headers = given.filter_map(|member| header(member, path, findings)).collect();
        Some(HeaderMap(headers))
    }
}

fn header(member: &Member, parent: &Path<'_>, findings: &mut Findings) -> Option<(String, String)> {
    let path = parent.key(&member.key);
    let name = member.key.as_str();
    if !is_token(name) {
        let expected = "letters, digits and -.!%*_+`'~";
        let finding = Finding::new(member.offset, &path, "no header name", expected, shown(name));
        findings.fault(finding);
    } else if is_core(name) {
        let what = "header that only the switch sets";
        let expected = "another header";
        findings.fault(Finding::new(member.offset, &path, what, expected, format!("`{name}`")));
    }
    let value = match &member.value.kind {
        Kind::String(value) => value.clone(),
        Kind::Number(value) => value.to_string(),
        _ => {
            crate::values::wrong_type(&member.value, &path, findings, "a string or a number");
            return None;
        }
    };
    if value.contains(['\r', '\n', '\0']) {
        let what = "line break or NUL in a header";
        let offset = member.value.offset;
        findings.fault(Finding::new(offset, &path, what, "one line of text", shown(&value)));
    }
    Some((name.to_owned(), value))
}

/// RFC 3261 §25.1 `token`.
fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte))
}

fn is_core(name: &str) -> bool {
    let content = name.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("content-"));
    content || CORE_HEADERS.iter().any(|core| core.eq_ignore_ascii_case(name))
}

impl JsonSchema for HeaderMap {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Headers".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "SIP headers by name; none that the switch itself must control.",
            "type": "object",
            "propertyNames": { "pattern": "^[A-Za-z0-9.!%*_+`'~-]+$" },
            "additionalProperties": { "type": ["string", "number", "null"] }
        })
    }
}
