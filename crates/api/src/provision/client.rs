//! Clients, the users that register and call, over REST.

use axum::http::StatusCode;
use serde_json::{Value, json};
use store::{Client, Extra, Secret, StoreError};
use uuid::Uuid;

use super::{Resource, owners};
use crate::Api;
use crate::fields::Fields;
use crate::text;

/// Longest user name, and longest password.
const USERNAME_MAX: usize = 64;
const PASSWORD_MAX: usize = 128;

impl Resource for Client {
    fn blank(api: &Api) -> Client {
        Client {
            client_sid: String::new(),
            account_sid: api.config.account_sid.clone(),
            username: String::new(),
            password: Secret::new(""),
            allow_direct_app_calling: true,
            allow_direct_queue_calling: true,
            allow_direct_user_calling: true,
            extra: Extra::default(),
            is_active: true,
            declared: false,
        }
    }

    fn read(&mut self, api: &Api, fields: &mut Fields) {
        owners(api, fields);
        let expected = "letters, digits and -_.!~*'()&=+$,;?/, at most 64";
        fields.text("username", &mut self.username, expected, |text| {
            text::is_sip_user(text) && text.len() <= USERNAME_MAX
        });
        let mut password = Some(self.password.clone()).filter(|old| !old.expose().is_empty());
        fields.secret("password", &mut password, PASSWORD_MAX);
        // why: nobody can register without one, and nobody may with an empty one.
        if password.is_none() && !fields.is_creating() {
            fields.fault("password", "cannot be cleared", "a text, or nothing", None);
        }
        let made = || Secret::new(Uuid::new_v4().simple().to_string());
        self.password = password.unwrap_or_else(made);
        fields.flag("allow_direct_app_calling", &mut self.allow_direct_app_calling, true);
        fields.flag("allow_direct_queue_calling", &mut self.allow_direct_queue_calling, true);
        fields.flag("allow_direct_user_calling", &mut self.allow_direct_user_calling, true);
        fields.flag("is_active", &mut self.is_active, true);
    }

    async fn check(&self, _api: &Api, fields: &mut Fields) -> Result<(), StoreError> {
        if !self.allow_direct_user_calling {
            let key = "allow_direct_user_calling";
            let what = "users may always call each other in this version";
            fields.fault(key, what, "true, or a device_calling_application_sid", None);
        }
        Ok(())
    }

    /// A password that was made is told once.
    fn learned(&self, fields: &Fields) -> Option<(&'static str, Value)> {
        (!fields.gives("password")).then(|| ("password", json!(self.password.expose())))
    }

    const TAKEN: StatusCode = StatusCode::BAD_REQUEST;
}
