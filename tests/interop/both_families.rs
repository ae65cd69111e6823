//! IPv4 and IPv6 in one switch: each party is told an address of its own family, in SIP and in SDP,
//! and they hear each other.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use media::Codec;
use serde_json::{Value, json};

use crate::support::ladder::Message;
use crate::support::phone::Phone;
use crate::support::scene::{CALLEE, CALLER, Config, Scene, dial};
use crate::support::switch::Switch;

const SIX: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// A switch on every address of both families.
fn config(scene: &Scene, ports: &str) -> Config {
    let any = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    let udp = SocketAddr::new(any, 0);
    let config = scene.config();
    Config { udp, media_address: any, ports: ports.to_owned(), ..config }
}

/// A phone on IPv6, which sees the switch there.
fn six(scene: &Scene) -> Phone {
    Phone::new(SIX, scene.folder.clone())
}

/// Starts it; where each family finds it.
fn starts(scene: &Scene, config: &Config) -> (Switch, SocketAddr, SocketAddr) {
    let switch = scene.starts(config);
    let port = switch.sip.port();
    let four = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    (switch, four, SocketAddr::new(SIX, port))
}

/// Both of them say something and hear the other; the INVITE that the callee got.
fn talk(
    scene: &Scene,
    config: &Config,
    (caller, callee): (&Phone, &Phone),
    target: &Value,
) -> (Message, Switch) {
    let more = json!({ "answerOnBridge": true, "target": [target] });
    scene.app.runs("/incoming", &dial(&[], &more));
    let (mut switch, four, six) = starts(scene, config);
    let of = |phone: &Phone| if phone.address.is_ipv4() { four } else { six };
    switch.sip = of(callee);
    let callee_runs = callee.plays("callee_answers", &switch);
    switch.sip = of(caller);
    let caller_runs = caller.plays("caller_hangs_up", &switch);
    let answer = caller_runs.receives("200");
    for (phone, runs) in [(caller, &caller_runs), (callee, &callee_runs)] {
        let audio = runs.audio_of_switch();
        assert_eq!(audio.ip(), of(phone).ip(), "each is told an address of its own family");
    }
    let contact = answer.header("Contact").expect("a Contact").to_owned();
    assert!(contact.contains(&format!("@{}>", of(caller))), "{contact}");
    caller.audio.says(caller_runs.audio_of_switch(), Codec::Pcmu, 700.0);
    callee.audio.says(callee_runs.audio_of_switch(), Codec::Pcmu, 1100.0);
    callee.audio.hears(Codec::Pcmu, 700.0);
    caller.audio.hears(Codec::Pcmu, 1100.0);
    caller_runs.finishes();
    let ladder = callee_runs.finishes();
    let invite = ladder.only("INVITE").clone();
    let ours = of(callee);
    let via = invite.header("Via").expect("a Via").to_owned();
    assert!(via.starts_with(&format!("SIP/2.0/UDP {ours};")), "{via}");
    let contact = invite.header("Contact").expect("a Contact").to_owned();
    assert!(contact.contains(&format!("@{ours}>")), "{contact}");
    (invite, switch)
}

#[test]
fn a_caller_on_ipv4_reaches_a_carrier_on_ipv6() {
    let scene = Scene::new();
    let (caller, callee) = (scene.phone(CALLER), six(&scene));
    let mut config = config(&scene, "28000-28199");
    config.rest = format!(
        "[[carrier]]\nname = \"six\"\n[[carrier.gateway]]\nhost = \"::1\"\nport = {}\n",
        callee.address.port()
    );
    let target = json!({ "type": "phone", "number": "+4930555", "trunk": "six" });
    let (invite, switch) = talk(&scene, &config, (&caller, &callee), &target);
    assert_eq!(invite.first_line(), format!("INVITE sip:4930555@{} SIP/2.0", callee.address));
    let result = scene.app.is_asked("/dialled").json;
    let gateway = &result["dial_targets"][0]["attempts"][0]["gateway"];
    assert_eq!(*gateway, callee.address.to_string(), "{result}");
    switch.ends();
}

#[test]
fn a_caller_from_an_ipv6_network_of_a_carrier_reaches_ipv4() {
    let scene = Scene::new();
    let (caller, callee) = (six(&scene), scene.phone(CALLEE));
    let mut config = config(&scene, "28200-28399");
    config.carrier = None;
    config.rest = "[[carrier]]\nname = \"six\"\napplication = \"main\"\n\
                   [[carrier.gateway]]\nhost = \"::/64\"\n"
        .to_owned();
    let (_, switch) = talk(&scene, &config, (&caller, &callee), &callee.target());
    let asked = scene.app.is_asked("/incoming").json;
    assert_eq!(asked["originating_sip_ip"], "::1", "{asked}");
    switch.ends();
}
