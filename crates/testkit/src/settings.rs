//! The settings of a switch in a world: two carriers and one application.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use call::Settings;
use call::settings::{
    Application as Configured, Carrier, Decline, Gateway, GatewayHost, Limits, PhoneNumber,
    ReferPolicy,
};

/// Settings with one application named `main` (hooks `/incoming` and `/status`) and two carriers:
/// `inbound`, whose gateway is the caller's address, and `outbound` at this address.
pub fn carrier_settings(caller: IpAddr, outbound: SocketAddr) -> Settings {
    let gateway = |ip: IpAddr, port, inbound| Gateway {
        host: GatewayHost::Net(ip.into()),
        port: Some(port),
        transport: None,
        inbound,
        outbound: !inbound,
        priority: 0,
        weight: 1,
    };
    let carrier = |name: &str, gateway, application: Option<&str>| {
        Arc::new(Carrier {
            sid: format!("sid-of-{name}"),
            name: name.to_owned(),
            application: application.map(str::to_owned),
            e164_leading_plus: true,
            tech_prefix: None,
            diversion: None,
            send_call_sid: false,
            max_calls: None,
            max_cps: None,
            has_tones: false,
            follow_redirects: false,
            credentials: None,
            gateways: vec![gateway],
        })
    };
    Settings {
        account_sid: "9351f46a-678c-43f5-b8a6-d4eb58d131af".to_owned(),
        service_provider_sid: "2708b1b3-2736-40ea-b502-c53d8396247f".to_owned(),
        applications: vec![Arc::new(Configured {
            sid: "7087fe50-8acb-4f3b-b820-97b573723aab".to_owned(),
            name: "main".to_owned(),
            call_hook: Some(verbs::Hook::post("http://application.test/incoming")),
            call_status_hook: Some(verbs::Hook::post("http://application.test/status")),
            app_json: None,
            strict: false,
            default_hooks: false,
            decline: Decline::Last,
        })],
        carriers: vec![
            carrier("inbound", gateway(caller, 5060, true), Some("main")),
            carrier("outbound", gateway(outbound.ip(), outbound.port(), false), None),
        ],
        phone_numbers: Vec::<PhoneNumber>::new(),
        clients: Vec::new(),
        device_application: None,
        realm: None,
        own_addresses: Vec::new(),
        udp_registration_expires: Duration::from_secs(30),
        limits: Limits::default(),
        media_timeout: Some(Duration::from_secs(60)),
        ringback: "us".to_owned(),
        hold_music: None,
        refer: ReferPolicy::Refuse,
    }
}
