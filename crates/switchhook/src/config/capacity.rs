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
/// Where the configuration does not say how many calls there may be, there may be as many as
/// suffice, and the warning says how many.
///
/// # Errors
/// A fault at `[limits] calls` that names what is short and what would be enough.
pub fn fit_capacity(
    config: &mut Config,
    nofile_hard_limit: u64,
) -> Result<Option<Fault>, Box<Fault>> {
    let calls = config.settings.limits.calls as u64;
    let Some((short, enough)) = shortage(config, calls, nofile_hard_limit) else {
        return Ok(None);
    };
    if config.calls_given || enough == 0 {
        return Err(Box::new(short));
    }
    let enough_calls = usize::try_from(enough).unwrap_or(usize::MAX);
    config.settings.limits.calls = enough_calls;
    let what = format!("{}: there may be {enough} at one time", short.what);
    Ok(Some(Fault { what, ..short }))
}

/// What is short for so many calls, and for how many there is enough.
fn shortage(config: &Config, calls: u64, nofile_hard_limit: u64) -> Option<(Fault, u64)> {
    let (low, high) = (*config.media.ports.start(), *config.media.ports.end());
    // Whole pairs only: an odd first port and an even last one serve nobody.
    let first = u64::from(low) + u64::from(low) % 2;
    let ports = (u64::from(high) + 1).saturating_sub(first) / 2 * 2;
    let wanted = calls * SOCKETS_PER_CALL;
    let connections = if config.sip.tcp.is_some() { DESCRIPTORS_OF_CONNECTIONS } else { 0 };
    let reserved = DESCRIPTORS_RESERVED + connections;
    let of_ports = ports / SOCKETS_PER_CALL;
    let of_files = nofile_hard_limit.saturating_sub(reserved) / SOCKETS_PER_CALL;
    let (what, expected, got) = if wanted > ports {
        (
            format!("{calls} calls need {wanted} media ports"),
            format!("at most {of_ports} calls, or a wider [media] ports"),
            format!("{ports} ports in {low}-{high}"),
        )
    } else if wanted + reserved > nofile_hard_limit {
        (
            format!("{calls} calls need {} file descriptors", wanted + reserved),
            format!("at most {of_files} calls, or a higher hard limit (ulimit -Hn, LimitNOFILE)"),
            format!("a hard limit of {nofile_hard_limit}"),
        )
    } else {
        return None;
    };
    let place = config.calls_place.clone();
    let pointer = "/limits/calls".to_owned();
    let fault = Fault { place, pointer, what, expected, got, did_you_mean: None };
    Some((fault, of_ports.min(of_files)))
}
