//! Clients: users that register and call.

use serde::Serialize;

use super::{entity, flag};
use crate::hook::Extra;
use crate::row::row;
use crate::secret::Secret;

row! {
    /// A SIP user.
    #[derive(Clone, Debug, PartialEq, Serialize)]
    pub struct Client in "clients" {
        /// Its identifier.
        pub client_sid: String,
        /// The account it belongs to.
        pub account_sid: String,
        /// User part of its address; unique in its account.
        pub username: String,
        /// Secret of its digest.
        pub password: Secret,
        /// It may dial an application.
        #[serde(serialize_with = "flag")]
        pub allow_direct_app_calling: bool,
        /// It may dial a queue.
        #[serde(serialize_with = "flag")]
        pub allow_direct_queue_calling: bool,
        /// It may dial another user.
        #[serde(serialize_with = "flag")]
        pub allow_direct_user_calling: bool,
        /// Further properties that are kept for the client.
        #[serde(flatten)]
        pub extra: Extra,
        /// It may register and call.
        #[serde(serialize_with = "flag")]
        pub is_active: bool,
        /// It stands in the configuration file.
        #[serde(serialize_with = "flag")]
        pub declared: bool,
    }
}

entity!(Client, "client", client_sid, label: username, unique: [
    account_sid: |entry| Some(&entry.account_sid),
    username: |entry| Some(&entry.username)
]);
