//! The small languages inside values: names, users, hosts, numbers, URLs.
//!
//! Pure functions from text to an answer. The same rules hold for the configuration file, so that
//! an entry may stand in either.

use std::net::{IpAddr, Ipv4Addr};

use url::Url;

/// Not blank, no control characters, at most `max` characters.
pub(crate) fn is_line(text: &str, max: usize) -> bool {
    !text.trim().is_empty() && !text.chars().any(char::is_control) && text.chars().count() <= max
}

/// A DNS name: labels of letters, digits and `-`, of which the last is no number (RFC 1123 §2.1).
pub(crate) fn is_dns_name(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253 && name.split('.').all(label) && last.parse::<u64>().is_err()
}

/// A SIP domain: a name with a dot, or an IPv4 address.
pub(crate) fn is_realm(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok() || (is_dns_name(text) && text.contains('.'))
}

/// The host of a gateway.
pub(crate) fn is_host(text: &str) -> bool {
    match text.parse::<IpAddr>() {
        Ok(address) => !address.is_multicast(),
        Err(_) => is_dns_name(text),
    }
}

/// A user part that needs no escaping (RFC 3261 §25.1: unreserved and user-unreserved).
pub(crate) fn is_sip_user(text: &str) -> bool {
    let extra = b"-_.!~*'()&=+$,;?/";
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte))
}

/// What a phone dials.
pub(crate) fn is_dialled(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit() || "+*#".contains(c))
}

/// Digits, and perhaps a `*` at the end.
pub(crate) fn is_number(text: &str) -> bool {
    let digits = text.strip_suffix('*').unwrap_or(text);
    !text.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// What is wrong with the URL of a hook.
pub(crate) fn fault_of_url(text: &str) -> Option<&'static str> {
    let Ok(url) = Url::parse(text) else { return Some("not an absolute URL") };
    match url.scheme() {
        "http" | "https" => {}
        "ws" | "wss" => return Some("WebSocket hooks are not supported by this version"),
        _ => return Some("unknown URL scheme"),
    }
    // why: a URL is shown in logs and alerts, a password is not.
    if !url.username().is_empty() || url.password().is_some() {
        return Some("credentials in the URL");
    }
    (!url.has_host() || text.chars().any(char::is_control)).then_some("not an absolute URL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_they_should_be() {
        type Row = (fn(&str) -> bool, &'static [&'static str], &'static [&'static str]);
        let rows: &[Row] = &[
            (is_realm, &["sip.example.com", "192.0.2.1"], &["", "localhost", "a b.c", "1.2.3"]),
            (is_host, &["192.0.2.1", "2001:db8::1", "sip.example"], &["", "224.0.0.1", "a/24"]),
            (is_sip_user, &["jane", "+49-30"], &["", "jané", "a@b", "a b", "<script>"]),
            (is_dialled, &["", "99#", "+*"], &["9a"]),
            (is_number, &["4930", "4930*", "*"], &["", "+49", "49.*", "^49", "4*9"]),
            (|text| is_line(text, 3), &["abc", "ä b"], &["", " ", "abcd", "a\n"]),
        ];
        for (index, (is, right, wrong)) in rows.iter().enumerate() {
            for text in *right {
                assert!(is(text), "row {index}: {text}");
            }
            for text in *wrong {
                assert!(!is(text), "row {index}: {text}");
            }
        }
    }

    #[test]
    fn the_url_of_a_hook_is_absolute_and_holds_no_password() {
        assert_eq!(fault_of_url("https://app.example.com/x?y=1#rc=2"), None);
        let rows = [
            ("/x", "not an absolute URL"),
            ("", "not an absolute URL"),
            ("http://", "not an absolute URL"),
            ("ftp://h/", "unknown URL scheme"),
            ("javascript:alert(1)", "unknown URL scheme"),
            ("ws://h/", "WebSocket hooks are not supported by this version"),
            ("http://u:p@h/", "credentials in the URL"),
            ("http://h/\nx", "not an absolute URL"),
        ];
        for (url, fault) in rows {
            assert_eq!(fault_of_url(url), Some(fault), "{url}");
        }
    }
}
