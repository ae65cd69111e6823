//! Whether ports and file descriptors suffice for `[limits] calls`.

use super::Config;
use super::fault::Fault;

/// A caller and one callee, each with a socket for RTP and one for RTCP.
pub const SOCKETS_PER_CALL: u64 = 4;

/// Descriptors beside those of calls and of connections: SIP, HTTP, hooks, log, threads.
pub const DESCRIPTORS_RESERVED: u64 = 256;

/// Descriptors of SIP over TCP, where it is configured.
pub const DESCRIPTORS_OF_CONNECTIONS: u64 = net::sip::tcp::limits::CONNECTIONS_MAX as u64;

/// Checks that `[limits] calls` callers, each talking to one callee, find media ports and file
/// descriptors. Targets that ring at the same time take more; a dial that finds no port fails
/// for that target alone.
///
/// # Errors
/// A fault at `[limits] calls` that names what is short and what would be enough.
pub fn capacity_check(config: &Config, nofile_hard_limit: u64) -> Result<(), Box<Fault>> {
    let calls = config.settings.limits.calls as u64;
    let (low, high) = (*config.media.ports.start(), *config.media.ports.end());
    // Whole pairs only: an odd first port and an even last one serve nobody.
    let first = u64::from(low) + u64::from(low) % 2;
    let ports = (u64::from(high) + 1).saturating_sub(first) / 2 * 2;
    let wanted = calls * SOCKETS_PER_CALL;
    let connections = if config.sip.tcp.is_some() { DESCRIPTORS_OF_CONNECTIONS } else { 0 };
    let reserved = DESCRIPTORS_RESERVED + connections;
    let short = if wanted > ports {
        Some((
            format!("{calls} calls need {wanted} media ports"),
            format!("at most {} calls, or a wider [media] ports", ports / SOCKETS_PER_CALL),
            format!("{ports} ports in {low}-{high}"),
        ))
    } else if wanted + reserved > nofile_hard_limit {
        let free = nofile_hard_limit.saturating_sub(reserved);
        Some((
            format!("{calls} calls need {} file descriptors", wanted + reserved),
            format!(
                "at most {} calls, or a higher hard limit (ulimit -Hn, LimitNOFILE)",
                free / SOCKETS_PER_CALL
            ),
            format!("a hard limit of {nofile_hard_limit}"),
        ))
    } else {
        None
    };
    let Some((what, expected, got)) = short else { return Ok(()) };
    let place = config.calls_place.clone();
    let pointer = "/limits/calls".to_owned();
    Err(Box::new(Fault { place, pointer, what, expected, got, did_you_mean: None }))
}
