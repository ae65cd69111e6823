//! What a phone sent and received, in order, read from the message log of sipp.

use std::net::{IpAddr, SocketAddr};

/// One SIP message.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// The phone sent it; else it received it.
    pub(crate) sent: bool,
    /// Seconds of the day.
    pub(crate) at: f64,
    /// As it was on the wire.
    pub(crate) text: String,
}

impl Message {
    /// `INVITE`, `200`: the method of a request, the status of a response.
    pub(crate) fn kind(&self) -> &str {
        let line = self.text.lines().next().unwrap_or_default();
        let mut words = line.split(' ');
        let first = words.next().unwrap_or_default();
        if first == "SIP/2.0" { words.next().unwrap_or_default() } else { first }
    }

    /// The first line.
    pub(crate) fn first_line(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// Value of the first header of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.text.lines().skip(1).take_while(|line| !line.is_empty()).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The lines after the empty one.
    pub(crate) fn body(&self) -> Vec<&str> {
        self.text.lines().skip_while(|line| !line.is_empty()).skip(1).collect()
    }

    /// Where its session description wants audio.
    pub(crate) fn audio_address(&self) -> Option<SocketAddr> {
        let body = self.body();
        let find = |start: &str| body.iter().find_map(|line| line.strip_prefix(start));
        let ip = find("c=IN IP4 ").or_else(|| find("c=IN IP6 "))?;
        let ip: IpAddr = ip.trim().parse().ok()?;
        let port = find("m=audio ")?.split(' ').next()?.parse().ok()?;
        Some(SocketAddr::new(ip, port))
    }

    /// CSeq's method: what a response answers.
    pub(crate) fn cseq_method(&self) -> &str {
        self.header("CSeq").and_then(|cseq| cseq.split(' ').nth(1)).unwrap_or_default()
    }
}

/// All messages of a phone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ladder(pub(crate) Vec<Message>);

impl Ladder {
    /// Reads sipp's log. A message that is being written is left out.
    pub(crate) fn read(log: &str) -> Ladder {
        let rule = "-".repeat(47);
        let messages = log.split(&rule).filter_map(|part| {
            let (time, rest) = part.split_once('\n')?;
            let (about, text) = rest.split_once("\n\n")?;
            let sent = about.contains(" sent ");
            let length = about.split(['[', '(']).nth(1)?.split([']', ' ']).next()?;
            let text = text.trim_start_matches('\n');
            let length: usize = length.parse().ok()?;
            let text = text.get(..length)?.replace("\r\n", "\n");
            Some(Message { sent, at: seconds(time)?, text })
        });
        Ladder(messages.collect())
    }

    /// Received messages of this kind, in order, each once.
    pub(crate) fn received(&self, kind: &str) -> Vec<&Message> {
        self.once(false).into_iter().filter(|message| message.kind() == kind).collect()
    }

    /// The only received message of this kind, however often it came.
    pub(crate) fn only(&self, kind: &str) -> &Message {
        match self.received(kind).as_slice() {
            [message] => message,
            found => panic!("{} times {kind} received in\n{}", found.len(), self.summary()),
        }
    }

    /// Received messages of this kind, in order, as often as they came.
    pub(crate) fn received_copies(&self, kind: &str) -> Vec<&Message> {
        self.0.iter().filter(|message| !message.sent && message.kind() == kind).collect()
    }

    /// Sent messages of this kind, in order, each once.
    pub(crate) fn sent(&self, kind: &str) -> Vec<&Message> {
        self.once(true).into_iter().filter(|message| message.kind() == kind).collect()
    }

    /// Kinds of everything received, in order, each message once.
    pub(crate) fn received_kinds(&self) -> Vec<&str> {
        self.once(false).into_iter().map(Message::kind).collect()
    }

    /// What went one way, without what is the same to the letter as something before it: UDP
    /// repeats a message when a busy machine lets T1 pass (RFC 3261 §17), and no test means that.
    fn once(&self, sent: bool) -> Vec<&Message> {
        let mut once: Vec<&Message> = Vec::new();
        for message in self.0.iter().filter(|message| message.sent == sent) {
            if once.iter().all(|earlier| earlier.text != message.text) {
                once.push(message);
            }
        }
        once
    }

    /// A line for each message.
    pub(crate) fn summary(&self) -> String {
        let line = |message: &Message| {
            let way = if message.sent { "->" } else { "<-" };
            format!("{:.3} {way} {}\n", message.at, message.first_line())
        };
        self.0.iter().map(line).collect()
    }
}

/// `2026-11-22 00:24:04.123456` as seconds of the day; sipp puts a tab before the fraction in
/// some versions.
fn seconds(time: &str) -> Option<f64> {
    let clock = time.split_whitespace().find(|word| word.matches(':').count() == 2)?;
    let mut parts = clock.split(':').map(|part| part.parse::<f64>().ok());
    Some(parts.next()?? * 3600.0 + parts.next()?? * 60.0 + parts.next()??)
}
