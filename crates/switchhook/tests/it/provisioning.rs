//! Entries of the file and entries made over REST, and the settings that calls go by.

use call::Settings;
use call::settings::GatewayHost;
use store::{
    Application, Client, Entity, ErrorKind, PhoneNumber, Secret, SipGateway, Store, VoipCarrier,
};
use switchhook::config::{ACCOUNT_SID, Config, SERVICE_PROVIDER_SID};
use switchhook::provision::{declared, provision, provisioned};

use crate::configuration_values::FULL;
use crate::reading::{SHORTEST, config};

const SECOND_CARRIER: &str = "[[carrier]]\nname = \"Other\"\nmax_cps = 7\n\
                              follow_redirects = true\ndtmf_type = \"tones\"\n\
                              [[carrier.gateway]]\nhost = \"sip.other.example\"\npriority = 3\n\
                              [[carrier.gateway]]\nhost = \"2001:db8::1\"\nweight = 9\n\
                              [[carrier.gateway]]\nhost = \"192.0.2.1\"\ntransport = \"udp\"\n\
                              [[carrier.gateway]]\nhost = \"192.0.2.2\"\ntransport = \"tcp\"\n\
                              [[phone_number]]\nnumber = \"123\"\napplication = \"main\"\n\
                              [[client]]\nusername = \"anna\"\npassword = \"x\"\n";

fn filled(text: &str) -> Config {
    let mut config = config(text);
    config.fill_generated(|bytes| bytes.fill(7));
    config
}

async fn forgetful() -> Store {
    Store::open("sqlite::memory:").await.expect("opens")
}

async fn settings(config: &Config, store: &Store) -> Settings {
    provisioned(config, store).await.expect("read").settings
}

/// An entry as REST makes one: of an entry of the file, without its sid.
async fn copied<T: Entity>(store: &Store, change: impl FnOnce(&mut T)) -> String {
    let mut entry = store.list::<T>().await.expect("read").remove(0);
    change(&mut entry);
    store.create(&entry).await.expect("made")
}

async fn make_client(store: &Store, name: &str) -> String {
    copied::<Client>(store, |client| {
        (client.client_sid, client.username) = (String::new(), name.to_owned());
    })
    .await
}

#[tokio::test]
async fn a_file_alone_makes_the_settings_that_it_says() {
    for text in [FULL.to_owned(), format!("{FULL}{SECOND_CARRIER}"), SHORTEST.to_owned()] {
        let config = filled(&text);
        let store = forgetful().await;
        let made = provision(&config, &store).await.expect("provisioned");
        assert_eq!(format!("{:?}", made.settings), format!("{:?}", config.settings));
        let passwords = |settings: &Settings| {
            settings.clients.iter().map(|client| client.password.clone()).collect::<Vec<_>>()
        };
        assert_eq!(passwords(&made.settings), passwords(&config.settings));
        let credentials = |settings: &Settings| {
            settings.carriers.iter().map(|it| it.credentials.clone()).collect::<Vec<_>>()
        };
        assert!(credentials(&made.settings) == credentials(&config.settings));
        let hook =
            |settings: &Settings| settings.applications.first().and_then(|it| it.call_hook.clone());
        assert!(hook(&made.settings) == hook(&config.settings), "with its password");
        assert_eq!(made.webhook_secret, config.http.webhook_secret);
    }
}

#[tokio::test]
async fn sids_of_the_file_are_the_same_at_every_start() {
    let sids = |config: &Config| {
        let file = declared(config);
        let mut sids: Vec<String> = Vec::new();
        sids.extend(file.applications.iter().map(|entry| entry.application_sid.clone()));
        sids.extend(file.voip_carriers.iter().map(|entry| entry.voip_carrier_sid.clone()));
        sids.extend(file.sip_gateways.iter().map(|entry| entry.sip_gateway_sid.clone()));
        sids.extend(file.phone_numbers.iter().map(|entry| entry.phone_number_sid.clone()));
        sids.extend(file.clients.iter().map(|entry| entry.client_sid.clone()));
        sids
    };
    let config = filled(&format!("{FULL}{SECOND_CARRIER}"));
    let first = sids(&config);
    assert_eq!(first, sids(&filled(&format!("{FULL}{SECOND_CARRIER}"))));
    assert_eq!(first[0], config.settings.applications[0].sid);
    let mut distinct = first.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), first.len());
    assert!(first.iter().all(|sid| sid.len() == 36 && sid.as_bytes()[14] == b'5'), "{first:?}");
}

#[tokio::test]
async fn two_gateways_with_one_address_are_two_entries() {
    let gateway = "[[carrier.gateway]]\nhost = \"203.0.113.9\"\n";
    let config = filled(&format!("{SHORTEST}[[carrier]]\nname = \"C\"\n{gateway}{gateway}"));
    let store = forgetful().await;
    let made = provision(&config, &store).await.expect("provisioned");
    assert_eq!(made.settings.carriers[0].gateways.len(), 2);
}

#[tokio::test]
async fn entries_of_rest_come_after_those_of_the_file() {
    let config = filled(FULL);
    let store = forgetful().await;
    provision(&config, &store).await.expect("provisioned");
    let application = copied::<Application>(&store, |entry| {
        (entry.application_sid, entry.name) = (String::new(), "rest".to_owned());
    })
    .await;
    let carrier = copied::<VoipCarrier>(&store, |entry| {
        (entry.voip_carrier_sid, entry.name) = (String::new(), "Rest".to_owned());
        entry.application_sid = Some(application.clone());
        entry.extra.0.insert("max_cps".to_owned(), 4.into());
    })
    .await;
    copied::<SipGateway>(&store, |entry| {
        entry.sip_gateway_sid = String::new();
        entry.voip_carrier_sid.clone_from(&carrier);
        (entry.ipv4, entry.netmask) = ("198.51.100.7".to_owned(), 24);
    })
    .await;
    copied::<PhoneNumber>(&store, |entry| {
        (entry.phone_number_sid, entry.number) = (String::new(), "555".to_owned());
        (entry.voip_carrier_sid, entry.application_sid) = (Some(carrier.clone()), None);
    })
    .await;
    make_client(&store, "joe").await;

    let settings = settings(&config, &store).await;
    let names: Vec<&str> = settings.carriers.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["Twilio", "Rest"]);
    let rest = settings.carrier("Rest").expect("Rest");
    assert_eq!((rest.application.as_deref(), rest.max_cps), (Some("rest"), Some(4)));
    let net = "198.51.100.0/24".parse().expect("a network");
    assert_eq!(rest.gateways[0].host, GatewayHost::Net(net));
    assert_eq!(settings.application("rest").expect("rest").sid, application);
    let number = settings.phone_numbers.last().expect("a number");
    assert_eq!((number.number.as_str(), number.carrier.as_deref()), ("555", Some("Rest")));
    assert_eq!(number.application, "rest", "that of its carrier");
    assert!(settings.client("joe").is_some() && settings.client("jane").is_some());
    assert_eq!(settings.limits.calls, 100, "the file's");
}

#[tokio::test]
async fn what_is_not_active_is_out_of_force() {
    let config = filled(FULL);
    let store = forgetful().await;
    provision(&config, &store).await.expect("provisioned");
    let sid = make_client(&store, "joe").await;
    let mut joe = store.get::<Client>(&sid).await.expect("read").expect("there");
    joe.is_active = false;
    store.update(&joe).await.expect("changed");
    assert!(settings(&config, &store).await.client("joe").is_none());
    (joe.is_active, joe.password) = (true, Secret::new(""));
    store.update(&joe).await.expect("changed");
    assert!(settings(&config, &store).await.client("joe").is_none(), "no password, no client");
}

#[tokio::test]
async fn what_the_file_has_no_more_is_out_of_force_and_rest_stays() {
    let store = forgetful().await;
    let full = filled(FULL);
    provision(&full, &store).await.expect("provisioned");
    make_client(&store, "joe").await;
    let short = filled(SHORTEST);
    let made = provision(&short, &store).await.expect("provisioned").settings;
    assert!(made.applications.is_empty() && made.carriers.is_empty());
    assert!(made.phone_numbers.is_empty() && made.device_application.is_none());
    assert_eq!((made.realm, made.clients.len()), (None, 1));
    assert!(!store.list::<Application>().await.expect("read")[0].is_active);
    let again = provision(&full, &store).await.expect("provisioned").settings;
    assert_eq!(again.applications[0].sid, full.settings.applications[0].sid);
}

#[tokio::test]
async fn a_file_that_names_an_entry_of_rest_is_refused() {
    let store = forgetful().await;
    let jane = "[[client]]\nusername = \"jane\"\npassword = \"s\"\n";
    provision(&filled(&format!("{SHORTEST}{jane}")), &store).await.expect("provisioned");
    make_client(&store, "joe").await;
    let joe = filled(&format!("{SHORTEST}{jane}[[client]]\nusername = \"joe\"\n"));
    let said = provision(&joe, &store).await.expect_err("the name is taken");
    assert!(said.contains("made over REST already: client joe"), "{said}");
    let error = store.declare(&declared(&joe)).await.expect_err("taken");
    assert_eq!(error.kind(), ErrorKind::Taken);
}

#[tokio::test]
async fn a_restart_keeps_entries_of_rest_and_the_key_of_webhooks_that_was_made_anew() {
    let folder = std::env::temp_dir().join(format!("switchhook-provision-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the temporary directory can be written");
    let url = format!("sqlite:{}", folder.join("s.db").display());
    let text = format!("{SHORTEST}[[client]]\nusername = \"jane\"\npassword = \"s\"\n");
    let config = filled(&text);
    {
        let store = Store::open(&url).await.expect("opens");
        let made = provision(&config, &store).await.expect("provisioned");
        assert_eq!(made.webhook_secret, config.http.webhook_secret, "the generated one");
        make_client(&store, "joe").await;
        let mut account = store.account().await.expect("read").expect("there");
        assert_eq!(account.account_sid, ACCOUNT_SID);
        assert_eq!(account.service_provider_sid, SERVICE_PROVIDER_SID);
        account.webhook_secret = Some(Secret::new("made anew"));
        account.sip_realm = Some("sip.rest.example".to_owned());
        store.update_account(&account).await.expect("changed");
        store.close().await;
    }
    let store = Store::open(&url).await.expect("opens");
    let made = provision(&config, &store).await.expect("provisioned");
    assert_eq!(made.webhook_secret.map(|secret| secret.0).as_deref(), Some("made anew"));
    assert!(made.settings.client("joe").is_some());
    assert_eq!(made.settings.realm.as_deref(), Some("sip.rest.example"));
    let written = text.replace("[sip]\n", "[http]\nwebhook_secret = \"w\"\n[sip]\n");
    let made = provision(&filled(&written), &store).await.expect("provisioned");
    assert_eq!(made.webhook_secret.map(|secret| secret.0).as_deref(), Some("w"), "the file's");
    std::fs::remove_dir_all(folder).expect("it can be removed");
}
