//! `[[phone_number]]`, `[[client]]` and `[device_calls]`: who is called and who calls.

use call::settings::{Client, PhoneNumber};

use super::names::Names;
use super::reader::{Entry, Section};
use super::value;

/// Longest phone number (E.164 §6.2 has 15), with room for prefixes and national oddities.
const NUMBER_MAX: usize = 32;

/// All phone numbers.
pub(super) fn phone_numbers<'a>(
    sections: Vec<Section<'a>>,
    applications: &Names<'a>,
    carriers: &Names<'a>,
) -> Vec<PhoneNumber> {
    let mut numbers: Vec<PhoneNumber> = Vec::new();
    for section in sections {
        let entry = section.required("number", "a number such as \"4930999888\" or \"4930*\"");
        let number = entry.as_ref().and_then(number);
        let carrier_entry = section.entry("carrier");
        let carrier = carrier_entry.as_ref().and_then(|entry| carriers.refer(entry));
        let application = section.required("application", "the application that it runs");
        let application = application.and_then(|entry| applications.refer(&entry));
        if let (Some(number), Some(entry)) = (&number, &entry)
            && carrier.is_some() == carrier_entry.is_some()
            && numbers.iter().any(|known| known.number == *number && known.carrier == carrier)
        {
            entry.fault("the number is there already", "each number once for each carrier");
        }
        section.finish();
        if let (Some(number), Some(application)) = (number, application) {
            numbers.push(PhoneNumber { number, carrier, application });
        }
    }
    numbers
}

/// Digits without a leading `+`; a trailing `*` stays.
fn number(entry: &Entry<'_>) -> Option<String> {
    let text = entry.text()?;
    let number = text.strip_prefix('+').unwrap_or(text);
    let digits = number.strip_suffix('*').unwrap_or(number);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || number.is_empty() || number.len() > NUMBER_MAX {
        entry.fault("not a number", "digits, a leading + or none, a trailing * for any rest");
        return None;
    }
    Some(number.to_owned())
}

/// The users that have a password, and the names of those that are to get one.
pub(super) fn clients(sections: Vec<Section<'_>>) -> (Vec<Client>, Vec<String>) {
    let mut names = Names::new("client");
    let (mut clients, mut without_password) = (Vec::new(), Vec::new());
    for section in sections {
        let entry = section.required("username", "the user part of the address, such as \"jane\"");
        let username = entry.and_then(|entry| {
            let username = names.declare(&entry)?;
            if value::is_sip_user(username) {
                return Some(username.to_owned());
            }
            entry.fault("not a user of a SIP address", "letters, digits and -_.!~*'()&=+$,;?/");
            None
        });
        let password = section.secret("password");
        let is_absent = password.is_none();
        let password = password.and_then(|entry| entry.text().map(str::to_owned));
        section.finish();
        match (username, password) {
            (Some(username), Some(password)) => clients.push(Client { username, password }),
            (Some(username), None) if is_absent => without_password.push(username),
            _ => {}
        }
    }
    (clients, without_password)
}

/// The application that runs when a registered user dials.
pub(super) fn device_calls<'a>(section: Section<'a>, applications: &Names<'a>) -> Option<String> {
    let application = section.entry("application");
    let application = application.and_then(|entry| applications.refer(&entry));
    section.finish();
    application
}
