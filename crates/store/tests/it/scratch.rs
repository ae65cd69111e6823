//! A directory of its own for each test, and values to put into the store.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use store::{
    AlertRecord, Application, Client, Declared, DeclaredAccount, Decline, Direction, Extra, Hook,
    OpenCall, PhoneNumber, RecentCall, Secret, SipGateway, Store, Timestamp, VoipCarrier,
};

pub(crate) const ACCOUNT: &str = "9351f46a-678c-43f5-b8a6-d4eb58d131af";
pub(crate) const PROVIDER: &str = "2708b1b3-2736-40ea-b502-c53d8396247f";

/// Longer than any wait of these tests takes.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A directory that goes with this value.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Scratch {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("switchhook-store-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).expect("the temporary directory can be written");
        Scratch(directory)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The database file.
    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("switchhook.db")
    }

    pub(crate) fn url(&self) -> String {
        url(&self.file())
    }

    pub(crate) async fn open(&self) -> Store {
        Store::open(&self.url()).await.expect("the store opens")
    }

    /// A connection that does not go through the store, as another program has it.
    pub(crate) async fn other_program(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.file()).create_if_missing(true);
        options.connect().await.expect("the file can be opened")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn url(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

/// Runs statements and closes the connection.
pub(crate) async fn execute(mut connection: SqliteConnection, statements: &[&'static str]) {
    for statement in statements {
        sqlx::query(*statement).execute(&mut connection).await.expect(statement);
    }
    connection.close().await.expect("it closes");
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_793_700_000_000 + seconds * 1000)
}

pub(crate) fn hook(url: &str) -> Hook {
    Hook {
        url: url.to_owned(),
        method: verbs::HookMethod::Post,
        username: Some("hook-user".to_owned()),
        password: Some(Secret::new("hook-password")),
    }
}

pub(crate) fn open_call(call_sid: &str) -> OpenCall {
    OpenCall {
        call_sid: call_sid.to_owned(),
        parent_call_sid: Some("parent".to_owned()),
        account_sid: ACCOUNT.to_owned(),
        service_provider_sid: PROVIDER.to_owned(),
        application_sid: Some("application".to_owned()),
        direction: Direction::Outbound,
        from: "15551230001".to_owned(),
        to: "15551230002".to_owned(),
        sip_callid: format!("{call_sid}@192.0.2.1"),
        sip_parent_callid: Some("parent@192.0.2.7".to_owned()),
        trunk: Some("Twilio".to_owned()),
        host: "192.0.2.1:5060".to_owned(),
        remote_host: "192.0.2.2:5060".to_owned(),
        trace_id: "0123456789abcdef0123456789abcdef".to_owned(),
        attempted_at: at(0),
        answered_at: None,
        at: at(0),
        call_status_hook: Some(hook("/status")),
        base_hook: Some(hook("https://example.com/call")),
        last_event: Some(r#"{"call_status":"ringing"}"#.to_owned()),
    }
}

pub(crate) fn recent_call(call_sid: &str) -> RecentCall {
    RecentCall {
        account_sid: ACCOUNT.to_owned(),
        service_provider_sid: PROVIDER.to_owned(),
        call_sid: call_sid.to_owned(),
        application_sid: Some("application".to_owned()),
        from: "15551230001".to_owned(),
        to: "15551230002".to_owned(),
        answered: true,
        sip_callid: format!("{call_sid}@192.0.2.1"),
        sip_parent_callid: None,
        sip_status: 200,
        duration: 7,
        attempted_at: at(0),
        answered_at: Some(at(3)),
        terminated_at: at(10),
        termination_reason: "caller hungup".to_owned(),
        host: "192.0.2.1:5060".to_owned(),
        remote_host: "192.0.2.2:5060".to_owned(),
        direction: Direction::Inbound,
        trunk: Some("Twilio".to_owned()),
        trace_id: "0123456789abcdef0123456789abcdef".to_owned(),
        recording_url: None,
    }
}

pub(crate) fn alert(alert_type: &str, time: Timestamp) -> AlertRecord {
    AlertRecord {
        time,
        account_sid: ACCOUNT.to_owned(),
        service_provider_sid: PROVIDER.to_owned(),
        alert_type: alert_type.to_owned(),
        message: "/0/target/1: no such trunk".to_owned(),
        detail: None,
        target_sid: Some("call".to_owned()),
        url: Some("https://example.com/call".to_owned()),
        status: Some(404),
        vendor: None,
        label: None,
        count: None,
    }
}

pub(crate) fn application(sid: &str, name: &str) -> Application {
    Application {
        application_sid: sid.to_owned(),
        account_sid: ACCOUNT.to_owned(),
        name: name.to_owned(),
        call_hook: Some(hook("https://example.com/call")),
        call_status_hook: None,
        messaging_hook: None,
        app_json: None,
        strict: true,
        default_hooks: false,
        decline: Decline::Always603,
        created_at: at(0),
        extra: Extra::default(),
        is_active: true,
        declared: false,
    }
}

pub(crate) fn carrier(sid: &str, name: &str, application: Option<&str>) -> VoipCarrier {
    VoipCarrier {
        voip_carrier_sid: sid.to_owned(),
        account_sid: Some(ACCOUNT.to_owned()),
        service_provider_sid: PROVIDER.to_owned(),
        name: name.to_owned(),
        description: None,
        application_sid: application.map(str::to_owned),
        e164_leading_plus: true,
        tech_prefix: Some("9".to_owned()),
        diversion: None,
        send_call_sid: false,
        requires_register: true,
        register_username: Some("trunk-user".to_owned()),
        register_password: Some(Secret::new("register-password")),
        register_sip_realm: None,
        register_from_user: None,
        register_from_domain: None,
        inbound_auth_username: None,
        inbound_auth_password: Some(Secret::new("inbound-password")),
        extra: Extra::default(),
        is_active: true,
        declared: false,
    }
}

pub(crate) fn gateway(sid: &str, carrier: &str, address: &str) -> SipGateway {
    SipGateway {
        sip_gateway_sid: sid.to_owned(),
        voip_carrier_sid: carrier.to_owned(),
        ipv4: address.to_owned(),
        netmask: 32,
        port: Some(5060),
        protocol: "udp".to_owned(),
        inbound: true,
        outbound: true,
        priority: 0,
        weight: 1,
        extra: Extra::default(),
        is_active: true,
        declared: false,
    }
}

pub(crate) fn number(sid: &str, number: &str, carrier: &str, application: &str) -> PhoneNumber {
    PhoneNumber {
        phone_number_sid: sid.to_owned(),
        account_sid: Some(ACCOUNT.to_owned()),
        service_provider_sid: PROVIDER.to_owned(),
        number: number.to_owned(),
        voip_carrier_sid: Some(carrier.to_owned()),
        application_sid: Some(application.to_owned()),
        extra: Extra::default(),
        is_active: true,
        declared: false,
    }
}

pub(crate) fn client(sid: &str, username: &str) -> Client {
    Client {
        client_sid: sid.to_owned(),
        account_sid: ACCOUNT.to_owned(),
        username: username.to_owned(),
        password: Secret::new("client-password"),
        allow_direct_app_calling: true,
        allow_direct_queue_calling: true,
        allow_direct_user_calling: false,
        extra: Extra::default(),
        is_active: true,
        declared: false,
    }
}

/// A file with nothing in it but the account.
pub(crate) fn nothing_declared() -> Declared {
    Declared {
        account: DeclaredAccount {
            account_sid: ACCOUNT.to_owned(),
            service_provider_sid: PROVIDER.to_owned(),
            name: "default".to_owned(),
            sip_realm: None,
            device_calling_application_sid: None,
            webhook_secret: None,
        },
        applications: Vec::new(),
        voip_carriers: Vec::new(),
        sip_gateways: Vec::new(),
        phone_numbers: Vec::new(),
        clients: Vec::new(),
    }
}

/// A file with one of each.
pub(crate) fn declared() -> Declared {
    let mut declared = nothing_declared();
    declared.account.sip_realm = Some("sip.example.com".to_owned());
    declared.account.device_calling_application_sid = Some("app-main".to_owned());
    declared.account.webhook_secret = Some(Secret::new("webhook-secret"));
    declared.applications = vec![application("app-main", "main")];
    declared.voip_carriers = vec![carrier("car-twilio", "Twilio", Some("app-main"))];
    declared.sip_gateways = vec![gateway("gw-1", "car-twilio", "203.0.113.9")];
    declared.phone_numbers = vec![number("num-1", "4930999888", "car-twilio", "app-main")];
    declared.clients = vec![client("cli-jane", "jane")];
    declared
}
