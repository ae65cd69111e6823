//! One element of a dial's `target`: whom to call, and what holds for this callee alone.

use std::time::Duration;

use schemars::JsonSchema;

use crate::fields::{Fields, Object};
use crate::headers::{HeaderMap, Headers};
use crate::hook::{Credentials, Hook, HookMethod};
use crate::json::Kind;
use crate::values::{Seconds, words};

/// A callee of a dial.
#[derive(Clone, Debug, PartialEq, JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[schemars(transform = crate::schema::alias_of("confirmHook", "url"))]
pub struct Target {
    /// Kind and address.
    #[schemars(flatten)]
    pub endpoint: Endpoint,
    /// Screening for this callee, over the dial's; also written `url`.
    pub confirm_hook: Option<Hook>,
    /// jambonz: accepted, without effect.
    pub method: Option<HookMethod>,
    /// Over the dial's headers of the same name.
    #[schemars(with = "Option<HeaderMap>")]
    pub headers: Headers,
    /// Overrides user and host of From.
    pub from: Option<TargetFrom>,
    /// Next hop of this callee's INVITE, over the dial's: `host`, `host:port` or a SIP URI; kept
    /// as a SIP URI.
    pub proxy: Option<String>,
    /// Ring time of this callee alone. Not in jambonz.
    #[schemars(with = "Option<Seconds>")]
    pub timeout: Option<Duration>,
    /// Wait from the start of its group until it is called. Not in jambonz; default none.
    #[schemars(with = "Option<Seconds>")]
    pub delay: Duration,
    /// Lower rings first; the next group when the one before has failed. Not in jambonz; default 0.
    #[schemars(with = "Option<u32>")]
    pub priority: u32,
    /// Over the dial's callerId. Not in jambonz.
    pub caller_id: Option<String>,
    /// Names of codecs to offer, in order; empty = the switch's own. Not in jambonz.
    #[schemars(with = "Option<Vec<String>>")]
    pub codecs: Vec<String>,
    /// Whether media must be encrypted. Not in jambonz.
    pub srtp: Option<Srtp>,
}

/// What a target's address is, by its `type`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(tag = "type", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum Endpoint {
    /// A telephone number, through a carrier.
    Phone {
        /// E.164 by custom, not by force: any text without control characters.
        number: String,
        /// Name of the carrier; without it the switch chooses.
        trunk: Option<String>,
    },
    /// A registered user.
    User {
        /// `user` or `user@domain`.
        name: String,
        /// Replaces the user part of the registered Contact in the Request-URI.
        override_to: Option<String>,
    },
    /// A SIP URI, called as it is written.
    Sip {
        /// Scheme `sip` or `sips`, with user and host.
        sip_uri: String,
        /// Answers a 401 or 407.
        auth: Option<Credentials>,
    },
    /// A Microsoft Teams user.
    #[schemars(transform = crate::schema::alias_of("vmail", "voicemail"))]
    Teams {
        /// Number mapped to the user.
        number: String,
        /// Domain of the Teams tenant.
        tenant: Option<String>,
        /// Straight into the mailbox; also written `voicemail`.
        #[schemars(with = "Option<bool>")]
        vmail: bool,
    },
}

/// `from` of a target.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema)]
pub struct TargetFrom {
    /// User part.
    pub user: Option<String>,
    /// Host part.
    pub host: Option<String>,
}

words! {
    /// `srtp` of a target.
    pub enum Srtp {
        /// Only encrypted media will do.
        Required => "required",
        /// Encrypted media if the callee can.
        Offered => "offered",
        /// Plain RTP.
        Off => "off",
    }
}

words! {
    /// `type` of a target.
    pub(crate) enum EndpointKind {
        Phone => "phone",
        User => "user",
        Sip => "sip",
        Teams => "teams",
    }
}

impl Target {
    /// What stands for a target that could not be read; it comes with a fault.
    pub(crate) fn nobody() -> Target {
        Target::of(Endpoint::Phone { number: String::new(), trunk: None })
    }

    /// A target with nothing but its address.
    pub fn of(endpoint: Endpoint) -> Target {
        Target {
            endpoint,
            confirm_hook: None,
            method: None,
            headers: Headers::new(),
            from: None,
            proxy: None,
            timeout: None,
            delay: Duration::ZERO,
            priority: 0,
            caller_id: None,
            codecs: Vec::new(),
            srtp: None,
        }
    }

    /// The target's `type`.
    pub fn kind(&self) -> &'static str {
        match &self.endpoint {
            Endpoint::Phone { .. } => "phone",
            Endpoint::User { .. } => "user",
            Endpoint::Sip { .. } => "sip",
            Endpoint::Teams { .. } => "teams",
        }
    }

    /// Number, name or URI, exactly as written.
    pub fn address(&self) -> &str {
        match &self.endpoint {
            Endpoint::Phone { number, .. } | Endpoint::Teams { number, .. } => number,
            Endpoint::User { name, .. } => name,
            Endpoint::Sip { sip_uri, .. } => sip_uri,
        }
    }

    /// Name of the carrier it asks for.
    pub fn trunk(&self) -> Option<&str> {
        match &self.endpoint {
            Endpoint::Phone { trunk, .. } => trunk.as_deref(),
            _ => None,
        }
    }

    /// Both would ring the same callee in the same way: type, address, trunk, proxy and `from`
    /// are equal. The second of two such targets is not called.
    pub fn same_as(&self, target: &Target) -> bool {
        self.kind() == target.kind()
            && self.address() == target.address()
            && self.trunk() == target.trunk()
            && self.proxy == target.proxy
            && self.from == target.from
    }
}

impl Object for TargetFrom {
    const WHAT: &'static str = "`from`";

    fn read(fields: &mut Fields<'_>) -> TargetFrom {
        TargetFrom { user: super::one_line(fields, "user"), host: super::host(fields, "host") }
    }
}

impl Object for Target {
    const WHAT: &'static str = "a target";

    fn read(fields: &mut Fields<'_>) -> Target {
        Target {
            endpoint: endpoint(fields),
            confirm_hook: fields.optional(["confirmHook", "url"]),
            method: fields.optional("method"),
            headers: fields.or_default::<HeaderMap>("headers").0,
            from: fields.optional("from"),
            proxy: super::proxy(fields, "proxy"),
            timeout: super::nonzero_seconds(fields, "timeout"),
            delay: super::seconds(fields, "delay").unwrap_or_default(),
            priority: fields.or_default("priority"),
            caller_id: super::number(fields, "callerId"),
            codecs: fields.or_default("codecs"),
            srtp: fields.optional("srtp"),
        }
    }
}

/// Properties that belong to one kind of target or another, with the kinds they belong to.
const ADDRESS_FIELDS: &[(&str, &[EndpointKind])] = &[
    ("number", &[EndpointKind::Phone, EndpointKind::Teams]),
    ("trunk", &[EndpointKind::Phone]),
    ("name", &[EndpointKind::User]),
    ("overrideTo", &[EndpointKind::User]),
    ("sipUri", &[EndpointKind::Sip]),
    ("auth", &[EndpointKind::Sip]),
    ("tenant", &[EndpointKind::Teams]),
    ("vmail", &[EndpointKind::Teams]),
    ("voicemail", &[EndpointKind::Teams]),
];

fn endpoint(fields: &mut Fields<'_>) -> Endpoint {
    let mut given = Vec::new();
    for (name, kinds) in ADDRESS_FIELDS {
        if fields.take(name).is_some() {
            given.push((*name, *kinds));
        }
    }
    if fields.take(&"type").is_none() {
        let fix = given.first().and_then(|(_, kinds)| kinds.first());
        fields.missing_with("type", fix.map(|kind| format!("\"type\": \"{kind}\"")));
        return Endpoint::Phone { number: String::new(), trunk: None };
    }
    let Some(kind) = fields.optional::<EndpointKind>("type") else {
        return Endpoint::Phone { number: String::new(), trunk: None };
    };
    for (name, kinds) in given {
        if !kinds.contains(&kind) {
            fields.without_effect(name, &format!("a property of a `{kind}` target"));
        }
    }
    match kind {
        EndpointKind::Phone => {
            let number = super::required_number(fields, "number");
            Endpoint::Phone { number, trunk: super::one_line(fields, "trunk") }
        }
        EndpointKind::User => {
            let name = address(fields, "name", "`user` or `user@domain`", is_user_name);
            Endpoint::User { name, override_to: super::one_line(fields, "overrideTo") }
        }
        EndpointKind::Sip => {
            let expected = "a URI like `sip:user@host`";
            let sip_uri = address(fields, "sipUri", expected, is_sip_uri);
            Endpoint::Sip { sip_uri, auth: fields.optional("auth") }
        }
        EndpointKind::Teams => Endpoint::Teams {
            number: super::required_number(fields, "number"),
            tenant: super::one_line(fields, "tenant"),
            vmail: fields.or_default(["vmail", "voicemail"]),
        },
    }
}

/// A required address that must look right.
fn address(
    fields: &mut Fields<'_>,
    name: &'static str,
    expected: &str,
    is_right: fn(&str) -> bool,
) -> String {
    let text: String = fields.required(name);
    if let Some(member) = fields.take(&name)
        && let Kind::String(text) = &member.value.kind
        && !is_right(text)
    {
        fields.fault(member, "no address", expected);
    }
    text
}

/// Characters that would end a URI or a header where an address is written into one.
fn is_unsafe(character: char) -> bool {
    character.is_control() || matches!(character, ' ' | '<' | '>' | '"')
}

fn is_user_name(name: &str) -> bool {
    let (user, domain) = name.split_once('@').unwrap_or((name, "-"));
    !user.is_empty() && !domain.is_empty() && !name.contains(is_unsafe)
}

/// RFC 3261 §19.1.1, as far as it takes to call it: scheme, user, host. Parameters pass.
fn is_sip_uri(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let known = scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips");
    let Some((user, host)) = rest.rsplit_once('@') else { return false };
    let host = host.split([';', '?']).next().unwrap_or_default();
    let bare = match host.strip_prefix('[') {
        Some(literal) => literal.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let user = user.split(':').next().unwrap_or_default();
    known && !user.is_empty() && !bare.is_empty() && !uri.contains(is_unsafe)
}
