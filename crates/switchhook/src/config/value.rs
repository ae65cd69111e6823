//! The small languages inside values: durations, port ranges, networks, SIP names.
//!
//! Pure functions from text to value; which key wants which of them is not known here.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use ipnet::IpNet;

/// "500ms", "30s", "10m", "1h"; "0" without a unit.
pub(super) fn duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
}

/// "12000-31999".
pub(super) fn ports(text: &str) -> Option<RangeInclusive<u16>> {
    let (low, high) = text.split_once('-')?;
    Some(low.trim().parse().ok()?..=high.trim().parse().ok()?)
}

/// An address or a network; an address is the network of itself.
pub(super) fn network(text: &str) -> Option<IpNet> {
    match text.parse::<IpAddr>() {
        Ok(address) => Some(address.into()),
        Err(_) => text.parse().ok(),
    }
}

/// A DNS name: labels of letters, digits and `-`, of which the last is no number (RFC 1123 §2.1).
pub(super) fn is_dns_name(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253 && name.split('.').all(label) && last.parse::<u64>().is_err()
}

/// A user part that needs no escaping (RFC 3261 §25.1: unreserved and user-unreserved).
pub(crate) fn is_sip_user(text: &str) -> bool {
    let extra = b"-_.!~*'()&=+$,;?/";
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        let seconds = |text| duration(text).map(|duration| duration.as_secs_f64());
        assert_eq!(seconds("500ms"), Some(0.5));
        assert_eq!(seconds("30s"), Some(30.0));
        assert_eq!(seconds("10m"), Some(600.0));
        assert_eq!(seconds("1h"), Some(3600.0));
        assert_eq!(seconds("0"), Some(0.0));
        for wrong in ["", "30", "s", "1.5s", "-1s", "1d", "30 s", "99999999999999999999s"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
        assert_eq!(seconds("9999999999999999999h"), None);
    }

    #[test]
    fn names_are_told_from_addresses() {
        for name in ["sip.example.com", "localhost", "a-b.example.", "_sip.example.com"] {
            assert!(is_dns_name(name), "{name}");
        }
        for wrong in ["", ".", "a..b", "-a.b", "a b", "203.0.113.256", "1", "sip:a", "a/24"] {
            assert!(!is_dns_name(wrong), "{wrong}");
        }
    }

    #[test]
    fn an_address_is_its_own_network() {
        assert_eq!(network("10.0.0.1").map(|net| net.to_string()), Some("10.0.0.1/32".to_owned()));
        assert_eq!(network("2001:db8::/64").map(|net| net.prefix_len()), Some(64));
        assert_eq!(network("10.0.0.0/33"), None);
    }
}
