//! Carriers: whose gateways calls come from and go to.

use serde::Serialize;

use super::{entity, flag};
use crate::hook::Extra;
use crate::row::row;
use crate::secret::Secret;

row! {
    /// A carrier.
    #[derive(Clone, Debug, PartialEq, Serialize)]
    pub struct VoipCarrier in "voip_carriers" {
        /// Its identifier.
        pub voip_carrier_sid: String,
        /// The account it belongs to; none: shared by all.
        pub account_sid: Option<String>,
        /// The service provider it belongs to.
        pub service_provider_sid: String,
        /// What the `trunk` of a target names; unique in its account.
        pub name: String,
        /// For people.
        pub description: Option<String>,
        /// The application of calls that come in on it.
        pub application_sid: Option<String>,
        /// Dialled numbers that begin with 1 to 9 get a leading `+`.
        #[serde(serialize_with = "flag")]
        pub e164_leading_plus: bool,
        /// Digits put before every dialled number.
        pub tech_prefix: Option<String>,
        /// User of a Diversion header on outbound calls.
        pub diversion: Option<String>,
        /// It is told our call_sid in `X-Call-Sid`.
        #[serde(serialize_with = "flag")]
        pub send_call_sid: bool,
        /// We register with it.
        #[serde(serialize_with = "flag")]
        pub requires_register: bool,
        /// User of our digest to it.
        pub register_username: Option<String>,
        /// Password of our digest to it.
        pub register_password: Option<Secret>,
        /// Its SIP domain.
        pub register_sip_realm: Option<String>,
        /// User of From in REGISTER, where it is not the one of the digest.
        pub register_from_user: Option<String>,
        /// Host of From in REGISTER, where it is not the realm.
        pub register_from_domain: Option<String>,
        /// User of its digest to us.
        pub inbound_auth_username: Option<String>,
        /// Password of its digest to us.
        pub inbound_auth_password: Option<Secret>,
        /// Further properties that are kept for the client.
        #[serde(flatten)]
        pub extra: Extra,
        /// Calls come in and go out on it.
        #[serde(serialize_with = "flag")]
        pub is_active: bool,
        /// It stands in the configuration file.
        #[serde(serialize_with = "flag")]
        pub declared: bool,
    }
}

entity!(VoipCarrier, "carrier", voip_carrier_sid, label: name, unique: [
    account_sid: |entry| entry.account_sid.as_deref(),
    name: |entry| Some(&entry.name)
]);
