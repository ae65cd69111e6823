//! A phone of a test: an address, a port for SIP, audio sockets, and how it describes them.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::audio::Audio;
use super::network;
use super::sipp::{Play, Run};
use super::switch::Switch;

/// See the module.
#[derive(Debug)]
pub(crate) struct Phone {
    pub(crate) address: SocketAddr,
    pub(crate) audio: Audio,
    folder: PathBuf,
    /// Payload types and their encodings, the preferred first.
    formats: Vec<(u8, &'static str)>,
    /// What a test set for names in scenarios.
    values: Vec<(&'static str, String)>,
    options: Vec<String>,
}

impl Phone {
    pub(crate) fn new(ip: IpAddr, folder: PathBuf) -> Phone {
        Phone {
            address: SocketAddr::new(ip, network::free_port(ip)),
            audio: Audio::open(ip),
            folder,
            formats: vec![(0, "PCMU/8000"), (101, "telephone-event/8000")],
            values: Vec::new(),
            options: Vec::new(),
        }
    }

    /// With these formats in its session description.
    pub(crate) fn with_formats(mut self, formats: &[(u8, &'static str)]) -> Phone {
        self.formats = formats.to_vec();
        self
    }

    /// With this in the place of `{{name}}` in its scenarios.
    #[allow(clippy::needless_pass_by_value, reason = "tests pass literals, of several types")]
    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Phone {
        self.values.push((name, value.to_string()));
        self
    }

    /// With more of the command line of sipp.
    pub(crate) fn with_options(mut self, options: &[&str]) -> Phone {
        self.options.extend(options.iter().map(|option| (*option).to_owned()));
        self
    }

    /// A target of a dial that reaches it.
    pub(crate) fn target(&self) -> Value {
        json!({ "type": "sip", "sipUri": format!("sip:callee@{}", self.address) })
    }

    /// Plays a scenario, once unless its options say otherwise.
    pub(crate) fn plays(&self, scenario: &str, switch: &Switch) -> Run {
        let defaults = [
            ("sdp", self.description("sendrecv")),
            ("held_sdp", self.description("sendonly")),
            ("inactive_sdp", self.description("inactive")),
            ("nowhere_sdp", self.description_nowhere()),
            ("headers", String::new()),
            ("contact_port", "[local_port]".to_owned()),
            ("password", "secret".to_owned()),
            ("max_forwards", "70".to_owned()),
            ("ring", "150".to_owned()),
            ("talk", "700".to_owned()),
        ];
        // The first of a name counts.
        let values: Vec<(&str, String)> = self.values.iter().cloned().chain(defaults).collect();
        let mut options: Vec<String> = self.options.clone();
        if !options.iter().any(|option| option == "-m") {
            options.extend(["-m".to_owned(), "1".to_owned()]);
        }
        if !options.iter().any(|option| option == "-s") {
            options.extend(["-s".to_owned(), "4930123".to_owned()]);
        }
        Run::start(&Play {
            scenario,
            values: &values,
            local: self.address,
            remote: switch.sip,
            folder: &self.folder,
            options: &options,
        })
    }

    /// RFC 4566: its audio sockets, its formats, and which way audio flows.
    fn description(&self, direction: &str) -> String {
        let audio = self.audio.address();
        let family = if audio.is_ipv4() { "IP4" } else { "IP6" };
        let types: Vec<String> = self.formats.iter().map(|(kind, _)| kind.to_string()).collect();
        let mut lines = vec![
            "v=0".to_owned(),
            format!("o=phone 1 [call_number] IN {family} {}", audio.ip()),
            "s=-".to_owned(),
            format!("c=IN {family} {}", audio.ip()),
            "t=0 0".to_owned(),
            format!("m=audio {} RTP/AVP {}", audio.port(), types.join(" ")),
        ];
        for (kind, encoding) in &self.formats {
            lines.push(format!("a=rtpmap:{kind} {encoding}"));
            if encoding.starts_with("telephone-event") {
                lines.push(format!("a=fmtp:{kind} 0-15"));
            }
        }
        lines.push(format!("a={direction}"));
        lines.join("\n")
    }

    /// RFC 2543 §B.5: a hold as old phones ask for it, without an address for the audio.
    fn description_nowhere(&self) -> String {
        let own = format!("c=IN IP4 {}", self.audio.address().ip());
        self.description("sendrecv").replace(&own, "c=IN IP4 0.0.0.0")
    }
}
