//! A running gateway: what is made over REST decides on the next call.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use store::Store;
use switchhook::gateway::{Control, Gateway};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc;

use crate::reading::config;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(30);

const FILE: &str = "[sip]\nudp = \"127.0.0.1:0\"\n[media]\naddress = \"127.0.0.1\"\n\
                    [http]\nlisten = \"127.0.0.1:0\"\nadmin_token = \"the-token\"\n\
                    [limits]\ndrain = 0\n";

async fn ask(http: SocketAddr, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let mut socket = TcpStream::connect(http).await.expect("a server");
    let body = body.to_string();
    let request = format!(
        "{method} /v1{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Authorization: Bearer the-token\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).await.expect("sent");
    let mut text = String::new();
    socket.read_to_string(&mut text).await.expect("an answer");
    let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status.expect("a status"), serde_json::from_str(body).unwrap_or_default())
}

/// The final status of a call from this machine.
async fn call(phone: &UdpSocket, sip: SocketAddr, number: u32) -> u16 {
    let own = phone.local_addr().expect("bound");
    let invite = format!(
        "INVITE sip:100@{sip} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{number}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:caller@{own}>;tag=1\r\nTo: <sip:100@{sip}>\r\n\
         Call-ID: call-{number}\r\nCSeq: 1 INVITE\r\nContact: <sip:caller@{own}>\r\n\
         Content-Length: 0\r\n\r\n"
    );
    phone.send_to(invite.as_bytes(), sip).await.expect("sent");
    let mut buffer = [0; 4096];
    loop {
        let received = tokio::time::timeout(LONG, phone.recv(&mut buffer)).await;
        let length = received.expect("in time").expect("received");
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let status = text.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        if status >= 200 && text.contains(&format!("Call-ID: call-{number}\r\n")) {
            return status;
        }
    }
}

#[tokio::test]
async fn a_carrier_that_was_just_made_brings_calls_and_one_that_was_removed_does_not() {
    let mut config = config(FILE);
    config.fill_generated(|bytes| bytes.fill(7));
    let store = Store::open("sqlite::memory:").await.expect("opens");
    let gateway =
        Gateway::start(&config, store, &tokio::runtime::Handle::current()).await.expect("starts");
    let (sip, http) = (gateway.sip_sockets()[0].1, gateway.http_address());
    let (controls, told) = mpsc::channel(2);
    let running = tokio::spawn(gateway.run(told));
    let phone = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");

    assert_eq!(call(&phone, sip, 1).await, 401, "somebody who must say who it is");
    let (status, made) = ask(http, "POST", "/VoipCarriers", &json!({ "name": "Twilio" })).await;
    assert_eq!(status, 201);
    let carrier = made["sid"].as_str().expect("a sid").to_owned();
    let body = json!({ "voip_carrier_sid": carrier, "ipv4": "127.0.0.1", "inbound": 1,
                       "outbound": 0 });
    assert_eq!(ask(http, "POST", "/SipGateways", &body).await.0, 201);
    assert_eq!(call(&phone, sip, 2).await, 480, "a carrier without an application");
    let list = json!({ "name": "main", "app_json": r#"[{"verb":"sip:decline","status":486}]"# });
    let (status, made) = ask(http, "POST", "/Applications", &list).await;
    assert_eq!(status, 201, "{made}");
    let body = json!({ "application_sid": made["sid"] });
    assert_eq!(ask(http, "PUT", &format!("/VoipCarriers/{carrier}"), &body).await.0, 204);
    assert_eq!(call(&phone, sip, 3).await, 486, "the application ran");
    assert_eq!(ask(http, "DELETE", &format!("/VoipCarriers/{carrier}"), &json!({})).await.0, 204);
    assert_eq!(call(&phone, sip, 4).await, 401);

    controls.send(Control::End).await.expect("it runs");
    controls.send(Control::End).await.expect("it runs");
    tokio::time::timeout(LONG, running).await.expect("in time").expect("no panic").expect("ends");
}
