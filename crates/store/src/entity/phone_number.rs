//! Phone numbers: which application a called number runs.

use serde::Serialize;

use super::{entity, flag};
use crate::hook::Extra;
use crate::row::row;

row! {
    /// A number, or a pattern of numbers.
    #[derive(Clone, Debug, PartialEq, Serialize)]
    pub struct PhoneNumber in "phone_numbers" {
        /// Its identifier.
        pub phone_number_sid: String,
        /// The account it belongs to.
        pub account_sid: Option<String>,
        /// The service provider it belongs to.
        pub service_provider_sid: String,
        /// Without a leading `+`; a trailing `*` matches any rest. Unique with its carrier.
        pub number: String,
        /// The carrier it must come in on; none: any.
        pub voip_carrier_sid: Option<String>,
        /// The application it runs.
        pub application_sid: Option<String>,
        /// Further properties that are kept for the client.
        #[serde(flatten)]
        pub extra: Extra,
        /// It counts.
        #[serde(serialize_with = "flag")]
        pub is_active: bool,
        /// It stands in the configuration file.
        #[serde(serialize_with = "flag")]
        pub declared: bool,
    }
}

entity!(PhoneNumber, "phone number", phone_number_sid, label: number, unique: [
    voip_carrier_sid: |entry| entry.voip_carrier_sid.as_deref(),
    number: |entry| Some(&entry.number)
]);
