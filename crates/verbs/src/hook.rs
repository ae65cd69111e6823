//! A hook: where the application is asked or told something, and how.

use std::fmt;

use crate::fault::{Finding, Findings};
use crate::fields::{Fields, FromJson, Object};
use crate::json::{Kind, Node, Path};
use crate::values::words;

words! {
    /// How a hook is asked.
    #[derive(Default)]
    pub enum HookMethod {
        /// The payload is the body, as JSON.
        #[default]
        Post => "POST",
        /// The payload is the query string.
        Get => "GET",
    }
}

/// A webhook as an application names it: `"/dial-done"`, or
/// `{"url": …, "method": "GET", "username": …, "password": …}`, or the credentials in
/// `{"basicAuth": {…}}`.
///
/// The URL stands as it was written; a relative one is resolved by whoever asks it. `Debug` does
/// not show the credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Hook {
    /// Absolute URL, a path, or a bare name. Never empty, no control characters.
    pub url: String,
    /// Default POST.
    pub method: HookMethod,
    /// User of Basic authentication.
    pub username: Option<String>,
    /// Password of Basic authentication.
    pub password: Option<String>,
}

impl Hook {
    /// A POST hook without credentials.
    pub fn post(url: impl Into<String>) -> Hook {
        Hook { url: url.into(), method: HookMethod::Post, username: None, password: None }
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hook = f.debug_struct("Hook");
        hook.field("url", &self.url).field("method", &self.method);
        match self.username.is_some() || self.password.is_some() {
            true => hook.finish_non_exhaustive(),
            false => hook.finish(),
        }
    }
}

/// The object form of a hook.
#[derive(schemars::JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[allow(dead_code, reason = "the schema's view of the object form")]
pub(crate) struct HookObject {
    url: String,
    method: Option<HookMethod>,
    username: Option<String>,
    password: Option<String>,
    basic_auth: Option<BasicAuth>,
}

/// `{"username": …, "password": …}` for Basic or Digest authentication. `Debug` shows neither.
#[derive(Clone, Default, PartialEq, Eq, schemars::JsonSchema)]
pub struct Credentials {
    /// User name.
    pub username: String,
    /// Password, which may be empty.
    pub password: String,
}

/// `basicAuth` of a hook.
type BasicAuth = Credentials;

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Object for Credentials {
    const WHAT: &'static str = "credentials";

    fn read(fields: &mut Fields<'_>) -> Credentials {
        Credentials { username: fields.required("username"), password: fields.required("password") }
    }
}

impl Object for HookObject {
    const WHAT: &'static str = "a hook";

    fn read(fields: &mut Fields<'_>) -> HookObject {
        HookObject {
            url: fields.required("url"),
            method: fields.optional("method"),
            username: fields.optional("username"),
            password: fields.optional("password"),
            basic_auth: fields.optional("basicAuth"),
        }
    }
}

impl FromJson for Hook {
    fn from_json(node: &Node, path: &Path<'_>, findings: &mut Findings) -> Option<Hook> {
        let hook = match &node.kind {
            Kind::String(url) => Hook::post(url),
            Kind::Object(_) => {
                let object = HookObject::from_json(node, path, findings)?;
                let auth = object.basic_auth;
                let (username, password) = match auth {
                    Some(auth) => (Some(auth.username), Some(auth.password)),
                    None => (object.username, object.password),
                };
                let method = object.method.unwrap_or_default();
                Hook { url: object.url, method, username, password }
            }
            _ => {
                let expected = "a URL or an object with `url`";
                let got = node.describe();
                findings.fault(Finding::new(node.offset, path, "wrong type", expected, got));
                return None;
            }
        };
        if hook.url.contains(char::is_control) {
            let what = "control character in a URL";
            let got = crate::json::shown(&hook.url);
            findings.fault(Finding::new(node.offset, path, what, "a URL or a path", got));
        }
        // jambonz: an empty hook counts as none.
        (!hook.url.is_empty()).then_some(hook)
    }
}

impl schemars::JsonSchema for Hook {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Hook".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let object = generator.subschema_for::<HookObject>();
        schemars::json_schema!({
            "description": "A webhook: a URL, a path on the application's origin, or an object.",
            "anyOf": [{ "type": "string" }, object]
        })
    }
}
