//! Gateways: the addresses of a carrier.

use serde::Serialize;

use super::{entity, flag};
use crate::hook::Extra;
use crate::row::row;

row! {
    /// One address of a carrier. It goes with its carrier.
    #[derive(Clone, Debug, PartialEq, Serialize)]
    pub struct SipGateway in "sip_gateways" {
        /// Its identifier.
        pub sip_gateway_sid: String,
        /// The carrier it belongs to.
        pub voip_carrier_sid: String,
        /// An IP address, of either version whatever the name says, or a DNS name.
        pub ipv4: String,
        /// Bits of the address that count for inbound calls.
        pub netmask: u8,
        /// Port that calls are sent to; none: that of the protocol, or by DNS.
        pub port: Option<u16>,
        /// `udp`, `tcp`, `tls` or `tls/srtp`.
        pub protocol: String,
        /// Calls from this address belong to the carrier.
        #[serde(serialize_with = "flag")]
        pub inbound: bool,
        /// Calls may be sent to it.
        #[serde(serialize_with = "flag")]
        pub outbound: bool,
        /// Lower is tried first.
        pub priority: u16,
        /// Share of the calls among those of one priority.
        pub weight: u16,
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

entity!(SipGateway, "gateway", sip_gateway_sid, label: ipv4, unique: []);
