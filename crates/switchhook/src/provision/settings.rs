//! Rows of the store as settings of calls. Entries that are not active are left out; an entry
//! that refers to one of those runs nothing, as if that were not there.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use call::Settings;
use call::settings::{self, Carrier, Credentials, Decline, Gateway, GatewayHost};
use ipnet::IpNet;
use serde_json::Value;
use sip::Transport;
use store::{
    Account, Application, Client, Entity, Extra, PhoneNumber, Secret, SipGateway, Store,
    StoreError, VoipCarrier,
};
use verbs::Hook;

use super::declared::ONLY;

/// Names by sid, of entries that are active.
type Names = BTreeMap<String, String>;

/// The entries of the store, and the rest as `base` has it.
pub(super) async fn settings(
    base: &Settings,
    account: Option<&Account>,
    store: &Store,
) -> Result<Settings, StoreError> {
    let applications = active::<Application>(store).await?;
    let carriers = active::<VoipCarrier>(store).await?;
    let gateways = active::<SipGateway>(store).await?;
    let numbers = active::<PhoneNumber>(store).await?;
    let clients = active::<Client>(store).await?;
    let runs: Names = names(&applications);
    let trunks: Names = names(&carriers);
    let device = account.and_then(|account| account.device_calling_application_sid.as_ref());
    Ok(Settings {
        phone_numbers: phone_numbers(&numbers, &carriers, &runs, &trunks),
        applications: applications.into_iter().map(application).map(Arc::new).collect(),
        carriers: carriers
            .into_iter()
            .map(|row| Arc::new(carrier(row, &gateways, &runs)))
            .collect(),
        clients: clients.into_iter().filter_map(client).collect(),
        device_application: device.and_then(|sid| runs.get(sid)).cloned(),
        realm: account.and_then(|account| account.sip_realm.clone()).or(base.realm.clone()),
        ..base.clone()
    })
}

async fn active<T: Entity>(store: &Store) -> Result<Vec<T>, StoreError> {
    let mut entries = store.list::<T>().await?;
    entries.retain(T::is_active);
    Ok(entries)
}

fn names<T: Entity>(entries: &[T]) -> Names {
    entries.iter().map(|entry| (entry.sid().to_owned(), entry.label().to_owned())).collect()
}

fn application(row: Application) -> settings::Application {
    settings::Application {
        sid: row.application_sid,
        name: row.name,
        call_hook: row.call_hook.as_ref().map(Hook::from),
        call_status_hook: row.call_status_hook.as_ref().map(Hook::from),
        app_json: row.app_json,
        strict: row.strict,
        default_hooks: row.default_hooks,
        decline: match row.decline {
            store::Decline::Last => Decline::Last,
            store::Decline::Always603 => Decline::Always603,
        },
    }
}

fn carrier(row: VoipCarrier, gateways: &[SipGateway], runs: &Names) -> Carrier {
    let of_carrier = |gateway: &&SipGateway| gateway.voip_carrier_sid == row.voip_carrier_sid;
    let limit = |key: &str, extra: &Extra| {
        let limit = extra.0.get(key).and_then(Value::as_u64);
        limit.and_then(|limit| u32::try_from(limit).ok())
    };
    let credentials = match (row.register_username, row.register_password) {
        (Some(username), Some(password)) => Some(Credentials {
            username,
            password: password.expose().to_owned(),
            realm: row.register_sip_realm,
        }),
        _ => None,
    };
    Carrier {
        gateways: gateways.iter().filter(of_carrier).filter_map(gateway).collect(),
        application: row.application_sid.and_then(|sid| runs.get(&sid).cloned()),
        max_calls: limit("max_calls", &row.extra),
        max_cps: limit("max_cps", &row.extra),
        has_tones: row.extra.0.get("dtmf_type").is_some_and(|kind| kind == "tones"),
        follow_redirects: limit("follow_redirects", &row.extra) == Some(1),
        sid: row.voip_carrier_sid,
        name: row.name,
        e164_leading_plus: row.e164_leading_plus,
        tech_prefix: row.tech_prefix,
        diversion: row.diversion,
        send_call_sid: row.send_call_sid,
        credentials,
    }
}

fn gateway(row: &SipGateway) -> Option<Gateway> {
    let host = match row.ipv4.parse::<IpAddr>() {
        Ok(address) => match IpNet::new(address, row.netmask) {
            Ok(net) => GatewayHost::Net(net.trunc()),
            Err(error) => {
                tracing::error!(gateway = row.ipv4, %error, "a gateway is left out");
                return None;
            }
        },
        Err(_) => GatewayHost::Name(row.ipv4.trim_end_matches('.').to_owned()),
    };
    let only_udp = row.extra.0.contains_key(ONLY);
    let transport = match row.protocol.as_str() {
        "tcp" => Some(Transport::Tcp),
        _ => only_udp.then_some(Transport::Udp),
    };
    Some(Gateway {
        host,
        port: row.port,
        transport,
        inbound: row.inbound,
        outbound: row.outbound,
        priority: row.priority.into(),
        weight: row.weight.into(),
    })
}

/// A number without an application of its own runs that of its carrier.
fn phone_numbers(
    rows: &[PhoneNumber],
    carriers: &[VoipCarrier],
    runs: &Names,
    trunks: &Names,
) -> Vec<settings::PhoneNumber> {
    let number = |row: &PhoneNumber| {
        let carrier = match &row.voip_carrier_sid {
            Some(sid) => Some(trunks.get(sid)?.clone()),
            None => None,
        };
        let of_carrier = || {
            let sid = row.voip_carrier_sid.as_ref()?;
            let carrier = carriers.iter().find(|carrier| carrier.voip_carrier_sid == *sid)?;
            carrier.application_sid.as_ref()
        };
        let application = runs.get(row.application_sid.as_ref().or_else(of_carrier)?)?.clone();
        Some(settings::PhoneNumber { number: row.number.clone(), carrier, application })
    };
    rows.iter().filter_map(number).collect()
}

fn client(row: Client) -> Option<settings::Client> {
    let password = Some(row.password).filter(|password| *password != Secret::new(""));
    let password = password?.expose().to_owned();
    Some(settings::Client { username: row.username, password })
}
