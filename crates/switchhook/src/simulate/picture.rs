//! What was said in a world, as a ladder: a column for the application, each caller, the switch
//! and each callee.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use sip::{Message, Method};
use testkit::{Answer, Asked, Entry, Ladder, SWITCH, World};

use super::play::{caller_address, shown_url};
use super::scenario::Scenario;

/// Rows of a ladder; what comes after is counted. A picture longer than this shows nothing.
pub(crate) const ROWS_MAX: usize = 2_000;
/// Verbs of a list that a row names.
const VERBS_SHOWN: usize = 3;

const APPLICATION: &str = "application";
const SWITCH_NAME: &str = "Switchhook";

/// Everything that was said, in order.
pub(crate) fn ladder(scenario: &Scenario, world: &World) -> String {
    let callers = scenario.callers.iter().map(|caller| caller.name.as_str());
    let callees = scenario.callees.iter().map(|callee| callee.name.as_str());
    let mut names = vec![APPLICATION];
    names.extend(callers);
    names.push(SWITCH_NAME);
    names.extend(callees);
    let columns = Columns::of(scenario, world, &names);
    let mut rows = columns.messages(world);
    let hooks = world.application.asked.iter().zip(&world.application.answered);
    rows.extend(hooks.flat_map(|(asked, answer)| columns.hook(world, asked, answer)));
    // why: at one moment, what the application says comes before what follows from it, and what it
    // is asked after what led to it.
    rows.sort_by_key(|row| (row.at, row.from != 0, row.to == 0));
    let left_out = rows.len().saturating_sub(ROWS_MAX);
    let mut ladder = Ladder::new(&names);
    rows.into_iter().take(ROWS_MAX).for_each(|row| ladder.push(row));
    let mut text = ladder.to_string();
    if left_out > 0 {
        text.push_str(&format!("… and {left_out} more\n"));
    }
    text
}

struct Columns<'a> {
    names: &'a [&'a str],
    callers: usize,
    world: &'a World,
}

impl<'a> Columns<'a> {
    fn of(scenario: &Scenario, world: &'a World, names: &'a [&'a str]) -> Columns<'a> {
        Columns { names, callers: scenario.callers.len(), world }
    }

    fn switch(&self) -> usize {
        self.callers + 1
    }

    /// The column of the phone at this address; of an exchange the line that has the call.
    fn phone(&self, at: SocketAddr, lines: &BTreeMap<String, usize>, call_id: &str) -> usize {
        if let Some(index) = (0..self.callers).find(|index| caller_address(*index) == at) {
            return index + 1;
        }
        let callees = self.switch() + 1;
        let name = self.world.phones.get(&at).map(|phone| phone.name.as_str());
        let callee = self.names.iter().skip(callees).position(|known| Some(*known) == name);
        let line = || lines.get(call_id).copied();
        // why: a number that nobody has is refused by the exchange alone; the first of its
        // columns stands for it.
        callee.map(|index| callees + index).or_else(line).unwrap_or(self.names.len() - 1)
    }

    /// The SIP messages. One that the network lost says so, and a later To tag of one INVITE which.
    fn messages(&self, world: &World) -> Vec<Entry> {
        let mut lines = BTreeMap::new();
        let mut tags: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut rows = Vec::new();
        for (index, (at, sent)) in world.wire.iter().enumerate() {
            let Ok(message) = Message::parse(&sent.bytes) else { continue };
            let call_id = message.call_id().map(|id| id.into_owned()).unwrap_or_default();
            let peer = if sent.from == SWITCH { sent.to } else { sent.from };
            self.learn_line(&mut lines, peer, &call_id, &message);
            let column = self.phone(peer, &lines, &call_id);
            let (from, to) =
                if sent.from == SWITCH { (self.switch(), column) } else { (column, self.switch()) };
            let mut label = label(&message);
            if let Some(number) = fork_of(tags.entry(call_id).or_default(), &message) {
                label.push_str(&format!(" (fork {number})"));
            }
            if world.lost.contains(&index) {
                label.push_str(" (lost)");
            }
            rows.push(Entry { at: at.duration_since(world.start), from, to, label });
        }
        rows
    }

    /// Remembers on which line of an exchange a call is, from its INVITE.
    fn learn_line(
        &self,
        lines: &mut BTreeMap<String, usize>,
        peer: SocketAddr,
        call_id: &str,
        message: &Message,
    ) {
        let Some(phone) = self.world.phones.get(&peer) else { return };
        if !message.is(&Method::Invite) || lines.contains_key(call_id) {
            return;
        }
        let uri = message.uri().ok();
        let user = uri.as_ref().and_then(|uri| uri.user_decoded()).unwrap_or_default();
        let name = phone.line_called(&user);
        let callees = self.switch() + 1;
        let line = self.names.iter().skip(callees).position(|known| Some(*known) == name);
        lines.extend(line.map(|line| (call_id.to_owned(), callees + line)));
    }

    /// A hook and its answer.
    fn hook(&self, world: &World, asked: &Asked, said: &Answer) -> [Entry; 2] {
        let at = asked.at.duration_since(world.start);
        let (switch, application) = (self.switch(), 0);
        let thought: Duration = world.application.thinking(&asked.url);
        let label = format!("POST {}", shown_url(&asked.url));
        [
            Entry { at, from: switch, to: application, label },
            Entry { at: at + thought, from: application, to: switch, label: answer(said) },
        ]
    }
}

fn label(message: &Message) -> String {
    let mut label = match message.status() {
        Some(status) => format!("{status} {}", message.reason()),
        None => message.method().map_or_else(String::new, |method| method.as_str().to_owned()),
    };
    if message.is(&Method::Notify) {
        // RFC 3515 §2.4.5: its body is how the transfer goes.
        let line = String::from_utf8_lossy(message.body()).into_owned();
        if let Some(outcome) = line.trim_end().strip_prefix("SIP/2.0 ") {
            label.push_str(&format!(" ({outcome})"));
        }
    }
    let reason = message.header_text("Reason").unwrap_or_default();
    if reason.contains("cause=200") {
        label.push_str(" (answered elsewhere)");
    }
    label
}

/// The number of the dialog that a callee's response to an INVITE belongs to, from the second on.
fn fork_of(tags: &mut Vec<String>, message: &Message) -> Option<usize> {
    let is_invite = message.cseq().is_ok_and(|(_, method)| method == Method::Invite);
    if message.status().is_none_or(|status| status == 100) || !is_invite {
        return None;
    }
    let to = message.to().ok()?;
    let tag = to.params.get("tag")?;
    let known = tags.iter().position(|known| known == tag);
    let number = known.unwrap_or(tags.len()) + 1;
    if known.is_none() {
        tags.push(tag.to_owned());
    }
    (number > 1).then_some(number)
}

/// What the application said: `[dial …]`, `204`, a status.
fn answer(answer: &Answer) -> String {
    let list = match answer {
        Answer::Fails => return "no answer".to_owned(),
        Answer::Status(status) => return status.to_string(),
        Answer::Empty => return "204".to_owned(),
        Answer::List(list) => serde_json::from_str(list).unwrap_or(Value::Null),
    };
    let verb = |value: &Value| match value["verb"].as_str() {
        Some(verb) => Some(verb.to_owned()),
        None => value.as_object()?.keys().next().cloned(),
    };
    let verbs: Vec<String> = list.as_array().into_iter().flatten().filter_map(verb).collect();
    let shown = verbs.iter().take(VERBS_SHOWN).map(String::as_str);
    let mut shown: Vec<&str> = shown.collect();
    if verbs.len() > VERBS_SHOWN {
        shown.push("…");
    }
    format!("[{}]", shown.join(", "))
}
