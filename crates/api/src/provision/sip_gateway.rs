//! Gateways of carriers over REST.

use std::net::IpAddr;

use serde_json::json;
use store::{Extra, SipGateway, StoreError, VoipCarrier};

use super::{Resource, others, owners, refers};
use crate::Api;
use crate::asked::Asked;
use crate::fields::{Fields, Kept};
use crate::text;

/// What only matters with SRTP.
const KEPT: &[(&str, Kept)] =
    &[("dtls_off", Kept::Flag), ("pad_crypto", Kept::Flag), ("remove_ice", Kept::Flag)];

const UNSUPPORTED: &[&str] = &["send_options_ping", "use_sips_scheme"];

/// Transports of this version, the default first.
const PROTOCOLS: &[&str] = &["udp", "tcp"];

impl Resource for SipGateway {
    fn blank(_api: &Api) -> SipGateway {
        SipGateway {
            sip_gateway_sid: String::new(),
            voip_carrier_sid: String::new(),
            ipv4: String::new(),
            netmask: 0,
            port: None,
            protocol: "udp".to_owned(),
            inbound: false,
            outbound: false,
            priority: 0,
            weight: 1,
            extra: Extra::default(),
            is_active: true,
            declared: false,
        }
    }

    fn read(&mut self, api: &Api, fields: &mut Fields) {
        owners(api, fields);
        let expected = "the sid of a carrier";
        fields.text("voip_carrier_sid", &mut self.voip_carrier_sid, expected, |_| true);
        let expected = "an IP address, or a DNS name for outbound";
        let before = full_mask(&self.ipv4);
        fields.text("ipv4", &mut self.ipv4, expected, text::is_host);
        let full = full_mask(&self.ipv4);
        if fields.is_creating() || (before != full && self.netmask == before) {
            self.netmask = full;
        }
        fields.number("netmask", &mut self.netmask, 0..=u64::from(full), full);
        fields.optional_number("port", &mut self.port, 1..=65_535);
        fields.word("protocol", &mut self.protocol, PROTOCOLS);
        fields.required_flag("inbound", &mut self.inbound);
        fields.required_flag("outbound", &mut self.outbound);
        fields.number("priority", &mut self.priority, 0..=65_535, 0);
        fields.number("weight", &mut self.weight, 0..=65_535, 1);
        fields.flag("is_active", &mut self.is_active, true);
        others(fields, &mut self.extra, KEPT, UNSUPPORTED);
    }

    async fn check(&self, api: &Api, fields: &mut Fields) -> Result<(), StoreError> {
        let is_address = self.ipv4.parse::<IpAddr>().is_ok();
        if self.inbound && !is_address && !self.ipv4.is_empty() {
            let expected = "an IP address; a DNS name is outbound only";
            fields.fault("ipv4", "inbound without an address", expected, Some(&json!(self.ipv4)));
        }
        let full = full_mask(&self.ipv4);
        if self.outbound && self.netmask != full {
            let expected = format!("{full} where outbound is set");
            let got = Some(json!(self.netmask));
            fields.fault("netmask", "a network is inbound only", &expected, got.as_ref());
        }
        let carrier = Some(self.voip_carrier_sid.as_str());
        refers::<VoipCarrier>(api, fields, "voip_carrier_sid", carrier).await
    }

    const LISTED_WITH: &'static [&'static str] = &["voip_carrier_sid"];

    fn is_listed(&self, asked: &Asked) -> bool {
        asked.query("voip_carrier_sid") == Some(&self.voip_carrier_sid)
    }
}

/// Bits of a whole address; those of version 4 for a name.
fn full_mask(host: &str) -> u8 {
    if host.parse::<IpAddr>().is_ok_and(|address| address.is_ipv6()) { 128 } else { 32 }
}
