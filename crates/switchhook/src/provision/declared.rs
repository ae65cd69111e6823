//! A configuration as rows of the store. Identifiers are made of kind and name, so that an entry
//! is the same one after every start.

use std::collections::BTreeMap;

use call::settings::{Carrier, Decline, Gateway, GatewayHost};
use call::{Settings, settings};
use sip::Transport;
use store::{
    Application, Client, Declared, DeclaredAccount, Extra, Hook, PhoneNumber, Secret, SipGateway,
    Timestamp, VoipCarrier,
};

use crate::config::{Config, sid};

/// What the account is called where nobody named it.
const ACCOUNT_NAME: &str = "default";

/// Everything that the file says about provisioning. Secrets that were made for it are in it,
/// except the key of webhooks, which may be made anew over REST.
pub fn declared(config: &Config) -> Declared {
    let settings = &config.settings;
    let application_sid = |name: &str| settings.application(name).map(|it| it.sid.clone());
    Declared {
        account: DeclaredAccount {
            account_sid: settings.account_sid.clone(),
            service_provider_sid: settings.service_provider_sid.clone(),
            name: ACCOUNT_NAME.to_owned(),
            sip_realm: settings.realm.clone(),
            device_calling_application_sid: settings
                .device_application
                .as_deref()
                .and_then(application_sid),
            webhook_secret: config.written_webhook_secret().map(|it| Secret::new(it.0.clone())),
        },
        applications: settings.applications.iter().map(|it| application(it, settings)).collect(),
        voip_carriers: settings.carriers.iter().map(|it| voip_carrier(it, settings)).collect(),
        sip_gateways: settings.carriers.iter().flat_map(|it| gateways(it)).collect(),
        phone_numbers: settings.phone_numbers.iter().map(|it| number(it, settings)).collect(),
        clients: settings.clients.iter().map(|it| client(it, settings)).collect(),
    }
}

fn application(entry: &settings::Application, settings: &Settings) -> Application {
    Application {
        application_sid: entry.sid.clone(),
        account_sid: settings.account_sid.clone(),
        name: entry.name.clone(),
        call_hook: entry.call_hook.as_ref().map(Hook::from),
        call_status_hook: entry.call_status_hook.as_ref().map(Hook::from),
        messaging_hook: None,
        app_json: entry.app_json.clone(),
        strict: entry.strict,
        default_hooks: entry.default_hooks,
        decline: match entry.decline {
            Decline::Last => store::Decline::Last,
            Decline::Always603 => store::Decline::Always603,
        },
        created_at: Timestamp::now(),
        extra: Extra::default(),
        is_active: true,
        declared: true,
    }
}

fn voip_carrier(entry: &Carrier, settings: &Settings) -> VoipCarrier {
    let credentials = entry.credentials.as_ref();
    let application = entry.application.as_deref().and_then(|name| settings.application(name));
    let mut extra = Extra::default();
    for (key, limit) in [("max_calls", entry.max_calls), ("max_cps", entry.max_cps)] {
        extra.0.extend(limit.map(|limit| (key.to_owned(), limit.into())));
    }
    if entry.has_tones {
        extra.0.insert("dtmf_type".to_owned(), "tones".into());
    }
    if entry.follow_redirects {
        extra.0.insert("follow_redirects".to_owned(), 1.into());
    }
    VoipCarrier {
        voip_carrier_sid: entry.sid.clone(),
        account_sid: Some(settings.account_sid.clone()),
        service_provider_sid: settings.service_provider_sid.clone(),
        name: entry.name.clone(),
        description: None,
        application_sid: application.map(|application| application.sid.clone()),
        e164_leading_plus: entry.e164_leading_plus,
        tech_prefix: entry.tech_prefix.clone(),
        diversion: entry.diversion.clone(),
        send_call_sid: entry.send_call_sid,
        requires_register: credentials.is_some(),
        register_username: credentials.map(|it| it.username.clone()),
        register_password: credentials.map(|it| Secret::new(it.password.clone())),
        register_sip_realm: credentials.and_then(|it| it.realm.clone()),
        register_from_user: None,
        register_from_domain: None,
        inbound_auth_username: None,
        inbound_auth_password: None,
        extra,
        is_active: true,
        declared: true,
    }
}

/// Key of what a gateway of the file says of its transport.
pub(super) const ONLY: &str = "transport";

/// A gateway has no name; its address does, and of several with one address their order.
fn gateways(carrier: &Carrier) -> Vec<SipGateway> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let row = |gateway: &Gateway| {
        let port = gateway.port.map_or(String::new(), |port| format!(":{port}"));
        let (address, netmask) = match &gateway.host {
            GatewayHost::Net(net) => (net.addr().to_string(), net.prefix_len()),
            GatewayHost::Name(name) => (name.clone(), 32),
        };
        let mut extra = Extra::default();
        // why: named, UDP excludes TCP also for a long message; the protocol alone does not say so.
        let only = gateway.transport.filter(|transport| *transport == Transport::Udp);
        extra.0.extend(only.map(|udp| (ONLY.to_owned(), udp.uri_parameter().into())));
        let place = format!("{}/{address}/{netmask}{port}", carrier.name);
        let count = seen.entry(place.clone()).or_default();
        *count += 1;
        SipGateway {
            sip_gateway_sid: sid("gateway", &format!("{place}#{count}")),
            voip_carrier_sid: carrier.sid.clone(),
            ipv4: address,
            netmask,
            port: gateway.port,
            protocol: gateway.transport.unwrap_or(Transport::Udp).uri_parameter().to_owned(),
            inbound: gateway.inbound,
            outbound: gateway.outbound,
            // why: the file allows no more than 65,535 of either.
            priority: u16::try_from(gateway.priority).unwrap_or(u16::MAX),
            weight: u16::try_from(gateway.weight).unwrap_or(u16::MAX),
            extra,
            is_active: true,
            declared: true,
        }
    };
    carrier.gateways.iter().map(row).collect()
}

fn number(entry: &settings::PhoneNumber, settings: &Settings) -> PhoneNumber {
    let carrier = entry.carrier.as_deref().and_then(|name| settings.carrier(name));
    let name = match &entry.carrier {
        Some(carrier) => format!("{}@{carrier}", entry.number),
        None => entry.number.clone(),
    };
    let application = settings.application(&entry.application);
    PhoneNumber {
        phone_number_sid: sid("phone_number", &name),
        account_sid: Some(settings.account_sid.clone()),
        service_provider_sid: settings.service_provider_sid.clone(),
        number: entry.number.clone(),
        voip_carrier_sid: carrier.map(|carrier| carrier.sid.clone()),
        application_sid: application.map(|application| application.sid.clone()),
        extra: Extra::default(),
        is_active: true,
        declared: true,
    }
}

fn client(entry: &settings::Client, settings: &Settings) -> Client {
    Client {
        client_sid: sid("client", &entry.username),
        account_sid: settings.account_sid.clone(),
        username: entry.username.clone(),
        password: Secret::new(entry.password.clone()),
        allow_direct_app_calling: true,
        allow_direct_queue_calling: true,
        allow_direct_user_calling: true,
        extra: Extra::default(),
        is_active: true,
        declared: true,
    }
}
