//! The configuration file, written to the store at start and whenever it is read again.

use store::{
    Account, Application, Client, DeclaredKeys, ErrorKind, PhoneNumber, Secret, SipGateway, Store,
    VoipCarrier,
};

use crate::scratch::{
    ACCOUNT, Scratch, application, at, carrier, client, declared, gateway, nothing_declared, number,
};

async fn account(store: &Store) -> Account {
    store.account().await.expect("read").expect("there")
}

#[tokio::test]
async fn entries_of_the_file_are_there_after_a_restart() {
    let scratch = Scratch::new();
    let store = scratch.open().await;
    assert_eq!(store.account().await.expect("read"), None);
    store.declare(&declared()).await.expect("written");
    store.close().await;
    drop(store);

    let store = scratch.open().await;
    let applications = store.list::<Application>().await.expect("read");
    assert_eq!(applications, [Application { declared: true, ..application("app-main", "main") }]);
    let clients = store.list::<Client>().await.expect("read");
    assert_eq!(clients, [Client { declared: true, ..client("cli-jane", "jane") }]);
    assert_eq!(clients[0].password.expose(), "client-password", "a digest needs it");
    let account = account(&store).await;
    assert_eq!(account.sip_realm.as_deref(), Some("sip.example.com"));
    assert_eq!(account.device_calling_application_sid.as_deref(), Some("app-main"));
    assert_eq!(account.webhook_secret, Some(Secret::new("webhook-secret")));
}

#[tokio::test]
async fn writing_the_same_file_again_changes_nothing() {
    let scratch = Scratch::new();
    let store = scratch.open().await;
    store.declare(&declared()).await.expect("written");
    let read = async || {
        (
            store.list::<Application>().await.expect("read"),
            store.list::<VoipCarrier>().await.expect("read"),
            store.list::<SipGateway>().await.expect("read"),
            store.list::<PhoneNumber>().await.expect("read"),
            store.list::<Client>().await.expect("read"),
            account(&store).await,
        )
    };
    let before = read().await;
    let mut again = declared();
    again.applications[0].created_at = at(1000);
    store.declare(&again).await.expect("written");
    assert_eq!(read().await, before);
}

#[tokio::test]
async fn what_the_file_has_no_more_is_deactivated_and_comes_back() {
    let scratch = Scratch::new();
    let store = scratch.open().await;
    store.declare(&declared()).await.expect("written");
    store.declare(&nothing_declared()).await.expect("written");
    assert!(!store.list::<Application>().await.expect("read")[0].is_active);
    assert!(!store.list::<VoipCarrier>().await.expect("read")[0].is_active);
    assert!(!store.list::<SipGateway>().await.expect("read")[0].is_active);
    assert!(!store.list::<PhoneNumber>().await.expect("read")[0].is_active);
    assert!(!store.list::<Client>().await.expect("read")[0].is_active);

    let mut changed = declared();
    changed.clients[0].password = Secret::new("changed");
    store.declare(&changed).await.expect("written");
    let clients = store.list::<Client>().await.expect("read");
    assert!(clients[0].is_active);
    assert_eq!(clients[0].password.expose(), "changed");
    assert!(store.list::<SipGateway>().await.expect("read")[0].is_active);
}

#[tokio::test]
async fn entries_made_over_rest_are_never_touched() {
    let scratch = Scratch::new();
    let store = scratch.open().await;
    store.declare(&declared()).await.expect("written");
    let made = application("app-rest", "rest");
    store.create(&made).await.expect("made");
    // A gateway on a carrier of the file, a number that runs an application of the file.
    store.create(&gateway("gw-rest", "car-twilio", "192.0.2.77")).await.expect("made");
    store.create(&number("num-rest", "49301", "car-twilio", "app-main")).await.expect("made");

    store.declare(&nothing_declared()).await.expect("written");
    let kept = store.get::<Application>("app-rest").await.expect("read");
    assert_eq!(kept, Some(made));
    assert!(store.get::<SipGateway>("gw-rest").await.expect("read").expect("there").is_active);
    assert!(store.get::<PhoneNumber>("num-rest").await.expect("read").expect("there").is_active);
}

#[tokio::test]
async fn a_name_that_was_given_over_rest_is_a_fault_and_nothing_changes() {
    let scratch = Scratch::new();
    let store = scratch.open().await;
    store.create(&application("app-rest", "main")).await.expect("made");
    store.create(&client("cli-rest", "jane")).await.expect("made");
    let error = store.declare(&declared()).await.expect_err("names are taken");
    assert_eq!(error.kind(), ErrorKind::Taken);
    let said = error.to_string();
    assert!(said.contains("application main") && said.contains("client jane"), "{said}");
    assert_eq!(store.list::<VoipCarrier>().await.expect("read"), [], "nothing was written");
    assert_eq!(store.account().await.expect("read"), None);
}

#[tokio::test]
async fn the_order_of_the_file_is_the_order_of_the_list() {
    let store = Store::open("sqlite::memory:").await.expect("opens");
    store.create(&carrier("car-rest", "made over REST", None)).await.expect("made");
    let mut file = nothing_declared();
    for names in [["first", "second", "third"], ["third", "first", "second"]] {
        file.voip_carriers = names.map(|name| carrier(name, name, None)).into();
        store.declare(&file).await.expect("written");
        let listed = store.list::<VoipCarrier>().await.expect("read");
        let listed: Vec<&str> = listed.iter().map(|carrier| carrier.name.as_str()).collect();
        assert_eq!(listed[..3], names);
        assert_eq!(listed[3], "made over REST");
    }
}

#[tokio::test]
async fn an_identifier_that_changed_takes_the_name_along() {
    let store = Store::open("sqlite::memory:").await.expect("opens");
    store.declare(&declared()).await.expect("written");
    let mut file = nothing_declared();
    file.clients = vec![client("cli-other", "jane")];
    store.declare(&file).await.expect("written");
    let clients = store.list::<Client>().await.expect("read");
    assert_eq!(clients, [Client { declared: true, ..client("cli-other", "jane") }]);
}

#[tokio::test]
async fn an_entry_that_refers_to_nothing_is_a_fault() {
    let store = Store::open("sqlite::memory:").await.expect("opens");
    let mut file = declared();
    file.applications.clear();
    let error = store.declare(&file).await.expect_err("no such application");
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert_eq!(store.list::<Client>().await.expect("read"), []);
}

#[tokio::test]
async fn the_file_takes_back_what_it_said_of_the_account_and_nothing_else() {
    let store = Store::open("sqlite::memory:").await.expect("opens");
    store.declare(&declared()).await.expect("written");
    store.declare(&nothing_declared()).await.expect("written");
    let taken_back = account(&store).await;
    assert_eq!(taken_back.sip_realm, None);
    assert_eq!(taken_back.device_calling_application_sid, None);
    assert_eq!(taken_back.webhook_secret, None);

    let over_rest = Account {
        sip_realm: Some("rest.example.com".to_owned()),
        webhook_secret: Some(Secret::new("made at first start")),
        ..taken_back
    };
    assert!(store.update_account(&over_rest).await.expect("changed"));
    store.declare(&nothing_declared()).await.expect("written");
    assert_eq!(account(&store).await, over_rest);

    store.declare(&declared()).await.expect("written");
    assert_eq!(account(&store).await.sip_realm.as_deref(), Some("sip.example.com"));
    let unknown = Account { account_sid: "another".to_owned(), ..over_rest.clone() };
    assert!(!store.update_account(&unknown).await.expect("there is none of that identifier"));
    let nowhere = Account { device_calling_application_sid: Some("x".to_owned()), ..over_rest };
    let error = store.update_account(&nowhere).await.expect_err("no such application");
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert_eq!(account(&store).await.account_sid, ACCOUNT);
}

#[tokio::test]
async fn what_the_file_says_about_the_account_is_known_and_can_be_taken_back() {
    let store = Store::open("sqlite::memory:").await.expect("opens");
    assert_eq!(store.declared_account().await.expect("read"), DeclaredKeys::default());
    store.declare(&declared()).await.expect("written");
    let all = DeclaredKeys {
        sip_realm: true,
        device_calling_application_sid: true,
        webhook_secret: true,
    };
    assert_eq!(store.declared_account().await.expect("read"), all);
    let mut file = declared();
    file.account.webhook_secret = None;
    store.declare(&file).await.expect("written");
    let keys = store.declared_account().await.expect("read");
    assert_eq!(keys, DeclaredKeys { webhook_secret: false, ..all });
    assert_eq!(account(&store).await.webhook_secret, None, "it was the file's");
}
