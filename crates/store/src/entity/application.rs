//! Applications: what runs a call.

use serde::Serialize;

use super::{entity, flag};
use crate::hook::{Extra, Hook};
use crate::row::{row, words};
use crate::timestamp::Timestamp;

words! {
    /// Status for a caller whose list of verbs ended before anything answered.
    pub enum Decline {
        /// The final status of the last failed dial, 603 where no dial ran.
        Last => "last",
        /// Always 603.
        Always603 => "603",
    }
}

row! {
    /// An application.
    #[derive(Clone, Debug, PartialEq, Serialize)]
    pub struct Application in "applications" {
        /// Its identifier.
        pub application_sid: String,
        /// The account it belongs to.
        pub account_sid: String,
        /// Unique in its account.
        pub name: String,
        /// Asked when a call comes in, unless `app_json` is given.
        pub call_hook: Option<Hook>,
        /// Told of every change of status.
        pub call_status_hook: Option<Hook>,
        /// Asked when a message comes in.
        pub messaging_hook: Option<Hook>,
        /// A list of verbs as JSON text, run instead of asking `call_hook`.
        pub app_json: Option<String>,
        /// Unknown properties reject the list instead of raising an alert.
        #[serde(serialize_with = "flag")]
        pub strict: bool,
        /// A `dial` without `actionHook` asks `dial`, an `amd` without one asks `amd`.
        #[serde(serialize_with = "flag")]
        pub default_hooks: bool,
        /// What an unanswered caller gets when the list ends.
        pub decline: Decline,
        /// When it was made; an update does not change it.
        pub created_at: Timestamp,
        /// Further properties that are kept for the client.
        #[serde(flatten)]
        pub extra: Extra,
        /// Calls run it.
        #[serde(serialize_with = "flag")]
        pub is_active: bool,
        /// It stands in the configuration file.
        #[serde(serialize_with = "flag")]
        pub declared: bool,
    }
}

entity!(Application, "application", application_sid, label: name, unique: [
    account_sid: |entry| Some(&entry.account_sid),
    name: |entry| Some(&entry.name)
]);
