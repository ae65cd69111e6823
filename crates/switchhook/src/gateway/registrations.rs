//! Where users are reachable, over a restart: bindings as rows of the store, and rows as bindings.
//!
//! A binding over UDP is reachable again at once: its flow is an address, and over NAT the mapping
//! is still open. One over a connection is not put back: the connection ended with the process
//! that held it, nobody listens at the port that it came from, and the phone, which sees it end,
//! registers again at once (RFC 5626 §4.2.1).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use call::Switch;
use sip::{Flow, SavedBinding, Transport};
use store::{Registration, Store, Timestamp};

/// The row of a binding.
pub(super) fn row(aor: &str, binding: SavedBinding, now: Timestamp) -> Registration {
    let SavedBinding { contact, flow, call_id, cseq, age, remains } = binding;
    Registration {
        aor: aor.to_owned(),
        contact,
        protocol: flow.transport.as_str().to_ascii_lowercase(),
        local: flow.local.to_string(),
        remote: flow.remote.to_string(),
        call_id,
        cseq,
        registered_at: now.before(age),
        expires_at: now.after(remains),
    }
}

/// The binding of a row, on the flow that leads to its phone now; `None` where it came over a
/// connection, or there is no UDP any more.
fn binding(
    row: &Registration,
    now: Timestamp,
    flow_to: &impl Fn(SocketAddr) -> Option<Flow>,
) -> Option<SavedBinding> {
    if row.protocol != "udp" {
        return None;
    }
    // why: what we advertise may be another address than before.
    let flow = Flow { transport: Transport::Udp, ..flow_to(row.remote.parse().ok()?)? };
    Some(SavedBinding {
        contact: row.contact.clone(),
        flow,
        call_id: row.call_id.clone(),
        cseq: row.cseq,
        age: Duration::ZERO,
        remains: row.expires_at.since(now),
    })
}

/// Gives the switch back what still counts, and says of how many bindings that is.
///
/// # Errors
/// The database cannot be read.
pub(super) async fn restore(
    store: &Store,
    switch: &mut Switch,
    flow_to: impl Fn(SocketAddr) -> Option<Flow>,
) -> Result<usize, String> {
    let now = Timestamp::now();
    let rows = store.registrations(now).await.map_err(|error| error.to_string())?;
    let mut restored = 0;
    for of_one in rows.chunk_by(|one, two| one.aor == two.aor) {
        let bindings: Vec<SavedBinding> =
            of_one.iter().filter_map(|row| binding(row, now, &flow_to)).collect();
        let Some(first) = of_one.first() else { continue };
        restored += switch.restore(Instant::now(), &first.aor, &bindings);
    }
    Ok(restored)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(remote: SocketAddr) -> Flow {
        let local = "192.0.2.1:5060".parse().expect("an address");
        Flow { transport: Transport::Udp, local, remote }
    }

    fn there(remote: SocketAddr) -> Option<Flow> {
        Some(flow(remote))
    }

    fn saved() -> SavedBinding {
        SavedBinding {
            contact: "<sip:jane@10.0.0.7:5062>;q=0.5".to_owned(),
            flow: flow("198.51.100.7:40000".parse().expect("an address")),
            call_id: "c".to_owned(),
            cseq: 7,
            age: Duration::ZERO,
            remains: Duration::from_secs(25),
        }
    }

    #[test]
    fn a_binding_over_udp_comes_back_with_what_remains_of_it() {
        let now = Timestamp::now();
        let kept = row("jane@sip.example", saved(), now);
        assert_eq!((kept.aor.as_str(), kept.protocol.as_str()), ("jane@sip.example", "udp"));
        assert_eq!(binding(&kept, now, &there), Some(saved()));
        let later = now.after(Duration::from_secs(20));
        let remains = binding(&kept, later, &there).map(|binding| binding.remains);
        assert_eq!(remains, Some(Duration::from_secs(5)));
    }

    #[test]
    fn a_binding_over_a_connection_ended_with_the_connection() {
        let now = Timestamp::now();
        for protocol in ["tcp", "tls", "wss"] {
            let kept = Registration {
                protocol: protocol.to_owned(),
                ..row("jane@sip.example", saved(), now)
            };
            assert_eq!(binding(&kept, now, &there), None, "{protocol}");
        }
    }
}
