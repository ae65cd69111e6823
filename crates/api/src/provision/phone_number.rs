//! Phone numbers over REST.

use serde_json::json;
use store::{Application, Extra, PhoneNumber, StoreError, VoipCarrier};

use super::{Resource, owners, refers};
use crate::Api;
use crate::asked::Asked;
use crate::fields::Fields;
use crate::text;

/// Longest phone number (E.164 §6.2 has 15), with room for prefixes and national oddities.
const NUMBER_MAX: usize = 32;

impl Resource for PhoneNumber {
    fn blank(api: &Api) -> PhoneNumber {
        PhoneNumber {
            phone_number_sid: String::new(),
            account_sid: Some(api.config.account_sid.clone()),
            service_provider_sid: api.config.service_provider_sid.clone(),
            number: String::new(),
            voip_carrier_sid: None,
            application_sid: None,
            extra: Extra::default(),
            is_active: true,
            declared: false,
        }
    }

    fn read(&mut self, api: &Api, fields: &mut Fields) {
        owners(api, fields);
        let (number, carrier) = (self.number.clone(), self.voip_carrier_sid.clone());
        let expected = "digits, a leading + or none, a trailing * for any rest, at most 32";
        fields.text("number", &mut self.number, expected, |text| {
            let digits = text.strip_prefix('+').unwrap_or(text);
            text::is_number(digits) && digits.len() <= NUMBER_MAX
        });
        if let Some(digits) = self.number.strip_prefix('+') {
            self.number = digits.to_owned();
        }
        let expected = "the sid of a carrier";
        fields.optional("voip_carrier_sid", &mut self.voip_carrier_sid, expected, |_| true);
        let expected = "the sid of an application";
        fields.optional("application_sid", &mut self.application_sid, expected, |_| true);
        fields.flag("is_active", &mut self.is_active, true);
        if fields.is_creating() {
            return;
        }
        if self.number != number {
            fields.fault("number", "cannot be changed", &number, Some(&json!(self.number)));
        }
        if self.voip_carrier_sid != carrier {
            let got = json!(self.voip_carrier_sid);
            let expected = carrier.as_deref().unwrap_or("null");
            fields.fault("voip_carrier_sid", "cannot be changed", expected, Some(&got));
        }
    }

    async fn check(&self, api: &Api, fields: &mut Fields) -> Result<(), StoreError> {
        let carrier = self.voip_carrier_sid.as_deref();
        refers::<VoipCarrier>(api, fields, "voip_carrier_sid", carrier).await?;
        let application = self.application_sid.as_deref();
        refers::<Application>(api, fields, "application_sid", application).await
    }

    fn is_listed(&self, asked: &Asked) -> bool {
        let account = asked.query("account_sid");
        account.is_none_or(|sid| self.account_sid.as_deref().is_none_or(|own| own == sid))
            && asked.query("filter").is_none_or(|part| self.number.contains(part))
    }
}
