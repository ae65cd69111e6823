//! Every fault: found, placed, and told how to be mended.

use crate::reading::{SHORTEST, faults};

/// The faults of `text` behind the shortest configuration, whose two lines come first.
fn check(text: &str, expected: &[&str]) {
    assert_eq!(faults(&format!("{SHORTEST}{text}"), &[]), expected, "{text}");
}

#[test]
fn all_faults_come_in_one_pass_sorted_by_position() {
    let text = "[limits]\ncalls = 0\n[sip]\nrelam = \"x\"\nudp = 5060\n[[client]]\n";
    assert_eq!(
        faults(text, &[]),
        [
            "t.toml:2:9: /limits/calls: out of range; expected an integer from 1 to 100000, \
             got the integer 0",
            "t.toml:4:1: /sip/relam: unknown key; expected one of udp, tcp, ws, tls, wss, \
             tls_certificate, tls_key, external_address, realm, refer, t1_ms, \
             udp_registration_expires, session_expires, got \"relam\"; did you mean `realm`",
            "t.toml:5:7: /sip/udp: wrong type; expected an IP address and a port such as \
             \"0.0.0.0:5060\", got the integer 5060",
            "t.toml:6:1: /client/0/username: username is missing; expected the user part of the \
             address, such as \"jane\", got nothing",
        ]
    );
}

#[test]
fn a_file_without_a_transport_is_told_which() {
    assert_eq!(
        faults("", &[]),
        ["t.toml:1:1: /sip/udp: udp is missing; expected the address to listen on, \
          udp = \"0.0.0.0:5060\", got nothing"]
    );
}

#[test]
fn broken_syntax_is_placed_and_the_rest_is_still_checked() {
    assert_eq!(
        faults("[sip]\nudp = 0.0.0.0:5060\n[media\n[http]\nlisten = \"x\"\n", &[]),
        [
            "t.toml:2:10: -: invalid float; expected a value of TOML, text in quotes, \
             got \".0.0:5060\"; did you mean `udp = \"0.0.0.0:5060\"`",
            "t.toml:3:7: -: unclosed table; expected `]`, got the end of the line",
            "t.toml:5:10: /http/listen: not an address and port; expected an IP address and a \
             port such as \"0.0.0.0:5060\", got \"x\"",
        ]
    );
}

#[test]
fn a_key_twice_is_a_fault_of_syntax() {
    check(
        "udp = \"127.0.0.1:1\"\n",
        &["t.toml:3:1: -: duplicate key; expected each key and each section once, \
           got \"udp = \\\"127.0.0.1:1\\\"\""],
    );
}

#[test]
fn columns_count_characters_not_bytes() {
    check(
        "[[client]]\nusername = \"jane\"\n\"ü\" = 1\n[[application]]\n\
         call_hook = {url = \"http://h/ü\", metod = 1 }\nname = \"x\"\n",
        &[
            "t.toml:5:1: /client/0/ü: unknown key; expected one of username, password, got \"ü\"",
            "t.toml:7:34: /application/0/call_hook/metod: unknown key; expected one of url, \
             method, username, password, got \"metod\"; did you mean `method`",
        ],
    );
}

#[test]
fn durations_and_ports_say_their_form() {
    let duration = "a duration such as \"500ms\", \"30s\", \"10m\", \"1h\"";
    let ports = "two ports such as \"12000-31999\", from 1024 on, the lower one first";
    check(
        "udp_registration_expires = 30\n[media]\ntimeout = \"1d\"\nports = \"31999-12000\"\n",
        &[
            &format!(
                "t.toml:3:28: /sip/udp_registration_expires: duration without a unit; \
                 expected {duration}, got the integer 30; did you mean \"30s\""
            ),
            &format!(
                "t.toml:5:11: /media/timeout: not a duration; expected {duration}, got \"1d\""
            ),
            &format!(
                "t.toml:6:9: /media/ports: not a range with room for one stream; \
                 expected {ports}, got \"31999-12000\""
            ),
        ],
    );
    check(
        "udp_registration_expires = \"0s\"\nsession_expires = \"89s\"\n",
        &[
            "t.toml:3:28: /sip/udp_registration_expires: out of range; \
             expected a duration from 1s to 3600s, got \"0s\"",
            "t.toml:4:19: /sip/session_expires: out of range; \
             expected a duration from 90s to 86400s, or 0 for none, got \"89s\"",
        ],
    );
}

#[test]
fn names_are_unique_and_references_lead_somewhere() {
    check(
        "[[application]]\nname = \"main\"\ncall_hook = \"http://h/\"\n\
         [[application]]\nname = \"main\"\ncall_hook = \"http://h/\"\n\
         [[phone_number]]\nnumber = \"+49\"\napplication = \"mian\"\ncarrier = \"x\"\n\
         [device_calls]\napplication = \"other\"\n",
        &[
            "t.toml:7:8: /application/1/name: another application has it since line 4; \
             expected a name of its own, got \"main\"",
            "t.toml:11:15: /phone_number/0/application: no such application; \
             expected one of main, got \"mian\"; did you mean `main`",
            "t.toml:12:11: /phone_number/0/carrier: no such carrier; \
             expected a [[carrier]] of that name, got \"x\"",
            "t.toml:14:15: /device_calls/application: no such application; \
             expected one of main, got \"other\"",
        ],
    );
}

#[test]
fn hooks_are_absolute_urls_without_credentials() {
    check(
        "[[application]]\nname = \"one\"\ncall_hook = \"/in\"\ncall_status_hook = \"/status\"\n\
         [[application]]\nname = \"two\"\ncall_hook = \"ws://h/\"\n\
         [[application]]\nname = \"three\"\ncall_hook = \"http://u:hidden@h/\"\n\
         [[application]]\nname = \"four\"\ncall_hook = { password = \"hidden\" }\n",
        &[
            "t.toml:5:13: /application/0/call_hook: relative URL without an origin; expected an \
             absolute URL such as \"http://127.0.0.1:9000/incoming\", got \"/in\"",
            "t.toml:9:13: /application/1/call_hook: WebSocket hooks are not supported yet by \
             this version; expected an http or https URL, got \"ws://h/\"",
            "t.toml:12:13: /application/2/call_hook: credentials in the URL; expected \
             { url, username, password } instead, got a text that is not shown",
            "t.toml:15:13: /application/3/call_hook/url: url is missing; expected an absolute \
             URL such as \"http://127.0.0.1:9000/incoming\", got nothing",
            "t.toml:15:26: /application/3/call_hook/password: a password without a user; \
             expected username beside it, got a text that is not shown",
        ],
    );
}

#[test]
fn an_application_without_anything_to_run_is_none() {
    check(
        "[[application]]\nname = \"main\"\ndefault_hooks = true\ndecline = 604\n",
        &[
            "t.toml:3:1: /application/0/call_hook: the application has nothing to run; \
             expected call_hook = \"http://…\" or app_json = \"FILE\", got nothing",
            "t.toml:5:17: /application/0/default_hooks: default hooks are relative and have no \
             origin; expected a call_hook, got true",
            "t.toml:6:11: /application/0/decline: out of range; \
             expected an integer from 603 to 603, got the integer 604",
        ],
    );
}

#[test]
fn a_gateway_can_do_what_its_host_can() {
    check(
        "[[carrier]]\nname = \"x\"\n\
         [[carrier.gateway]]\nhost = \"203.0.113.0/24\"\noutbound = true\n\
         [[carrier.gateway]]\nhost = \"sip.example.com\"\ninbound = true\n\
         [[carrier.gateway]]\nhost = \"203.0.113.9/24\"\n\
         [[carrier.gateway]]\nhost = \"203.0.113.300\"\nport = 0\n\
         [[carrier.gateway]]\nhost = \"203.0.113.9\"\ninbound = false\noutbound = false\n\
         [[carrier.gateway]]\nhost = \"203.0.113.9\"\ntransport = \"tls\"\n\
         [[carrier.gateway]]\nhost = \"203.0.113.9\"\ntransport = \"tcp\"\n",
        &[
            "t.toml:7:12: /carrier/0/gateway/0/outbound: a network is inbound only; \
             expected false, and one address as a gateway, got true",
            "t.toml:10:11: /carrier/0/gateway/1/inbound: a DNS name is outbound only; \
             expected false, and the addresses as gateways, got true",
            "t.toml:12:8: /carrier/0/gateway/2/host: bits beyond the mask; \
             expected a network, got \"203.0.113.9/24\"; did you mean \"203.0.113.0/24\"",
            "t.toml:14:8: /carrier/0/gateway/3/host: not a host; expected an IP address, a \
             network such as \"203.0.113.0/24\", or a DNS name such as \"sip.example.com\", \
             got \"203.0.113.300\"",
            "t.toml:15:8: /carrier/0/gateway/3/port: out of range; \
             expected an integer from 1 to 65535, got the integer 0",
            "t.toml:17:8: /carrier/0/gateway/4/host: neither inbound nor outbound; \
             expected one of them to be true, got \"203.0.113.9\"",
            "t.toml:22:13: /carrier/0/gateway/5/transport: transport is not supported yet by \
             this version; expected \"udp\" or \"tcp\", got \"tls\"",
            "t.toml:25:13: /carrier/0/gateway/6/transport: SIP over tcp is not configured; \
             expected tcp = \"0.0.0.0:5060\" in [sip] as well, got \"tcp\"",
        ],
    );
}

/// Two carriers on one address, as some providers sell them.
const RIVALS: &str = "[[application]]\nname = \"main\"\ncall_hook = \"http://h/\"\n\
    [[carrier]]\nname = \"x\"\n[[carrier.gateway]]\nhost = \"203.0.113.0/24\"\n\
    [[carrier]]\nname = \"y\"\n[[carrier.gateway]]\nhost = \"203.0.113.0/24\"\n";

#[test]
fn a_source_of_two_carriers_needs_a_number_to_decide() {
    check(
        RIVALS,
        &["t.toml:13:8: /carrier/1/gateway/0/host: carrier x has the same source; expected one \
           carrier for a source, or a [[phone_number]] with its carrier, got \"203.0.113.0/24\""],
    );
    let number = "[[phone_number]]\nnumber = \"49\"\ncarrier = \"y\"\napplication = \"main\"\n";
    crate::reading::config(&format!("{SHORTEST}{RIVALS}{number}"));
    // The longest mask wins, so these two do not meet.
    crate::reading::config(&format!("{SHORTEST}{}", RIVALS.replacen("/24", "/25", 1)));
}

#[test]
fn what_would_be_dangerous_to_ignore_is_refused() {
    check(
        "tls = \"0.0.0.0:5061\"\n[[carrier]]\nname = \"x\"\n\
         inbound_auth = { username = \"u\", password = \"hidden\" }\n\
         gateway = [{ host = \"203.0.113.9\" }]\n",
        &[
            "t.toml:3:7: /sip/tls: tls is not supported yet by this version; expected udp or \
             tcp, through a VPN where calls must be private, got \"0.0.0.0:5061\"",
            "t.toml:6:16: /carrier/0/inbound_auth: inbound_auth is not supported yet by this \
             version; expected no such key: a call is the carrier's by the address of a \
             gateway, got a table",
        ],
    );
}

#[test]
fn secrets_are_never_repeated() {
    let text = "[http]\nwebhook_secret = [\"hidden\"]\n[store]\nurl = \"mysql://u:hidden@h/\"\n\
                [[client]]\nusername = \"jane\"\npassword = \"hid\\tden\"\n\
                [[client]]\nusername = \"joe\"\npassword = hidden\n";
    let faults = faults(&format!("{SHORTEST}{text}"), &[]);
    assert_eq!(faults.len(), 4, "{faults:#?}");
    assert!(faults.iter().all(|fault| !fault.contains("hid")), "{faults:#?}");
}

#[test]
fn the_rest_of_the_values() {
    check(
        "realm = \"a b\"\nexternal_address = \"0.0.0.0\"\n[media]\nringback = \"xx\"\n\
         [http]\nallow_private = [\"10.0.0.0/8\", \"10/8\"]\n",
        &[
            "t.toml:3:9: /sip/realm: not a domain; \
             expected a domain such as \"sip.example.com\", got \"a b\"",
            "t.toml:4:20: /sip/external_address: an address nobody can send to; \
             expected an IP address such as \"203.0.113.5\", got \"0.0.0.0\"",
            &format!(
                "t.toml:6:12: /media/ringback: no tone of that country; \
                 expected one of {}, got \"xx\"",
                media::tone::countries().collect::<Vec<_>>().join(", ")
            ),
            "t.toml:8:32: /http/allow_private/1: not a network; \
             expected a network such as \"10.0.0.0/8\", got \"10/8\"",
        ],
    );
    check(
        "[[client]]\nusername = \"a b\"\n[[phone_number]]\nnumber = \"4a\"\napplication = 5\n\
         [htpp]\n",
        &[
            "t.toml:4:12: /client/0/username: not a user of a SIP address; \
             expected letters, digits and -_.!~*'()&=+$,;?/, got \"a b\"",
            "t.toml:6:10: /phone_number/0/number: not a number; \
             expected digits, a leading + or none, a trailing * for any rest, got \"4a\"",
            "t.toml:7:15: /phone_number/0/application: wrong type; \
             expected a text in quotes, got the integer 5",
            "t.toml:8:2: /htpp: unknown section; expected one of sip, media, http, limits, \
             store, log, cluster, application, carrier, phone_number, client, device_calls, \
             got \"htpp\"; did you mean `http`",
        ],
    );
}

#[test]
fn an_account_at_a_carrier_needs_name_and_password() {
    check(
        "[[carrier]]\nname = \"x\"\n\
         register = { usernam = \"u\", password = 5, realm = 6 }\n\
         gateway = [{ host = \"203.0.113.9\" }]\n\
         [[carrier]]\nname = \"y\"\nregister = { username = \"u\" }\n\
         gateway = [{ host = \"203.0.113.8\" }]\n",
        &[
            "t.toml:5:12: /carrier/0/register/username: username is missing; expected the user \
             name that the carrier gave out, got nothing",
            "t.toml:5:14: /carrier/0/register/usernam: unknown key; expected one of username, \
             password, realm, got \"usernam\"; did you mean `username`",
            "t.toml:5:40: /carrier/0/register/password: wrong type; expected a text in quotes, \
             got something else",
            "t.toml:5:51: /carrier/0/register/realm: wrong type; expected a text in quotes, got \
             the integer 6",
            "t.toml:9:12: /carrier/1/register/password: password is missing; expected the \
             password of that user, got nothing",
        ],
    );
}
