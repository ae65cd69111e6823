//! How a phone of the demonstration registers: REGISTER, the challenge, REGISTER with the answer.

use std::net::SocketAddr;
use std::time::Duration;

use call::settings::Client;
use sip::auth::digest;
use sip::{Builder, Message, Method};
use tokio::net::UdpSocket;

/// On loopback nothing is lost; so long for an answer is a failure.
const PATIENCE: Duration = Duration::from_secs(2);

/// Registers this socket's address for the user.
pub(super) async fn register(
    socket: &UdpSocket,
    switch: SocketAddr,
    client: &Client,
) -> Result<(), String> {
    let challenged = attempt(socket, switch, client, 1, None).await?;
    let challenge = challenged
        .header_text("WWW-Authenticate")
        .ok_or("a REGISTER without credentials was not challenged")?;
    let uri = format!("sip:{}", switch.ip());
    let name = &client.username;
    let answer =
        digest::answer(&challenge, &Method::Register, &uri, name, &client.password, name, 1)
            .map_err(|error| error.to_string())?;
    let answered = attempt(socket, switch, client, 2, Some(answer)).await?;
    match answered.status() {
        Some(200) => Ok(()),
        status => Err(format!("{name} could not register: {status:?} {}", answered.reason())),
    }
}

async fn attempt(
    socket: &UdpSocket,
    switch: SocketAddr,
    client: &Client,
    cseq: u32,
    credentials: Option<String>,
) -> Result<Message, String> {
    let here = socket.local_addr().map_err(|error| error.to_string())?;
    let (user, host) = (&client.username, switch.ip());
    let mut request = Builder::request(Method::Register, &format!("sip:{host}"))
        .header("Via", format!("SIP/2.0/UDP {here};branch=z9hG4bK-{user}-{cseq};rport"))
        .header("Max-Forwards", 70)
        .header("From", format!("<sip:{user}@{host}>;tag={user}"))
        .header("To", format!("<sip:{user}@{host}>"))
        .header("Call-ID", format!("register-{user}"))
        .header("CSeq", format!("{cseq} REGISTER"))
        .header("Contact", format!("<sip:{user}@{here}>"));
    if let Some(credentials) = credentials {
        request = request.header("Authorization", credentials);
    }
    let request = request.build().map_err(|error| error.to_string())?;
    let sent = socket.send_to(request.as_bytes(), switch).await;
    sent.map_err(|error| error.to_string())?;
    let mut buffer = vec![0; 4096];
    let received = tokio::time::timeout(PATIENCE, socket.recv_from(&mut buffer)).await;
    let (length, _) = received
        .map_err(|_| format!("no answer to the REGISTER of {user}"))?
        .map_err(|error| error.to_string())?;
    Message::parse(buffer.get(..length).unwrap_or_default()).map_err(|error| error.to_string())
}
