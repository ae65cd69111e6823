//! A payload as the query string of a GET hook.

use serde_json::Value;

/// The members of a payload as name and text, not yet percent-encoded: strings as they are,
/// nested values as JSON text, absent ones and the large `sip` left out. Anything but an object
/// has no members.
pub fn to_query(payload: &Value) -> Vec<(String, String)> {
    let Value::Object(members) = payload else { return Vec::new() };
    let members = members.iter().filter(|(name, value)| *name != "sip" && !value.is_null());
    members
        .map(|(name, value)| match value {
            Value::String(text) => (name.clone(), text.clone()),
            value => (name.clone(), value.to_string()),
        })
        .collect()
}
