//! The body of a request that makes or changes an entry, read property by property.
//!
//! In: JSON text. Each reader takes one property out and puts its value into its place, or notes
//! a fault: pointer, what is wrong, expected, got. What nobody took is a fault too, so that no
//! property is ignored in silence. An absent property leaves its place as it is; `null` clears.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};
use store::{Extra, Hook, Secret};
use verbs::HookMethod;

use crate::fault::Fault;
use crate::text;

/// Longest part of a value that a fault repeats, in characters.
const SHOWN_MAX: usize = 40;
/// Longest URL, and longest user or password of one.
const URL_MAX: usize = 2048;

/// What a property that is only kept must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Text,
    Flag,
    Number,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Fields {
    members: Map<String, Value>,
    known: Vec<String>,
    faults: Vec<String>,
    creating: bool,
    /// Keys of the body whose value is not `null`.
    given: Vec<String>,
    /// Pointer of the object, empty for the body itself.
    at: String,
}

impl Fields {
    /// Reads the body of a request that makes an entry, or changes one.
    pub(crate) fn new(body: &str, creating: bool) -> Result<Fields, Fault> {
        let members: Map<String, Value> = match serde_json::from_str(body) {
            Ok(Value::Object(members)) => members,
            Ok(other) => {
                let got = shown(&other);
                return Err(Fault::bad(format!("1:1: -: no object; expected {{…}}, got {got}")));
            }
            Err(error) => return Err(Fault::bad(syntax(body, &error))),
        };
        let given = members.iter().filter(|(_, value)| !value.is_null());
        let given = given.map(|(key, _)| key.clone()).collect();
        let (known, faults, at) = (Vec::new(), Vec::new(), String::new());
        Ok(Fields { members, known, faults, creating, given, at })
    }

    pub(crate) fn is_creating(&self) -> bool {
        self.creating
    }

    /// Whether the body has a value for `key`.
    pub(crate) fn gives(&self, key: &str) -> bool {
        self.given.iter().any(|given| given == key)
    }

    /// Whether nothing was wrong so far.
    pub(crate) fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// Notes a fault; `got` is nothing where the value is secret.
    pub(crate) fn fault(&mut self, key: &str, what: &str, expected: &str, got: Option<&Value>) {
        let got = got.map_or(String::new(), |got| format!(", got {}", shown(got)));
        self.faults.push(format!("{}/{key}: {what}; expected {expected}{got}", self.at));
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        self.known.push(key.to_owned());
        self.members.remove(key)
    }

    fn missing(&mut self, key: &str, expected: &str) {
        self.fault(key, "missing", expected, None);
    }

    /// A text that is always there; required of a new entry.
    pub(crate) fn text(
        &mut self,
        key: &str,
        place: &mut String,
        expected: &str,
        is: impl Fn(&str) -> bool,
    ) {
        match self.take(key) {
            Some(Value::String(text)) if is(&text) => *place = text,
            None if !self.creating => {}
            None => self.missing(key, expected),
            Some(other) => self.fault(key, "wrong value", expected, Some(&other)),
        }
    }

    /// A text that may be absent.
    pub(crate) fn optional(
        &mut self,
        key: &str,
        place: &mut Option<String>,
        expected: &str,
        is: impl Fn(&str) -> bool,
    ) {
        match self.take(key) {
            None => {}
            Some(Value::Null) => *place = None,
            Some(Value::String(text)) if is(&text) => *place = Some(text),
            Some(other) => self.fault(key, "wrong value", expected, Some(&other)),
        }
    }

    /// A password. The obscured form, sent back as it was read, changes nothing.
    pub(crate) fn secret(&mut self, key: &str, place: &mut Option<Secret>, max: usize) {
        match self.take(key) {
            None => {}
            Some(Value::Null) => *place = None,
            Some(Value::String(given)) if text::is_line(&given, max) => {
                *place = Some(match place {
                    Some(old) => old.updated(&given),
                    None => Secret::new(given),
                });
            }
            Some(_) => {
                let expected = format!("a text of 1 to {max} characters");
                self.fault(key, "wrong value", &expected, None);
            }
        }
    }

    /// `true`, `false`, 1 or 0; `null` is `default`.
    pub(crate) fn flag(&mut self, key: &str, place: &mut bool, default: bool) {
        let Some(given) = self.take(key) else { return };
        match flag(&given) {
            Some(flag) => *place = flag,
            None if given.is_null() => *place = default,
            None => self.fault(key, "wrong value", "true, false, 1 or 0", Some(&given)),
        }
    }

    /// A flag that a new entry must give.
    pub(crate) fn required_flag(&mut self, key: &str, place: &mut bool) {
        if self.creating && self.members.get(key).is_none_or(Value::is_null) {
            self.take(key);
            return self.missing(key, "true, false, 1 or 0");
        }
        let before = *place;
        self.flag(key, place, before);
    }

    /// A number; `null` is `default`.
    pub(crate) fn number<T: TryFrom<u64>>(
        &mut self,
        key: &str,
        place: &mut T,
        range: RangeInclusive<u64>,
        default: T,
    ) {
        match self.number_of(key, &range) {
            None => {}
            Some(None) => *place = default,
            Some(Some(number)) => {
                if let Ok(number) = T::try_from(number) {
                    *place = number;
                }
            }
        }
    }

    /// A number that may be absent.
    pub(crate) fn optional_number<T: TryFrom<u64>>(
        &mut self,
        key: &str,
        place: &mut Option<T>,
        range: RangeInclusive<u64>,
    ) {
        if let Some(given) = self.number_of(key, &range) {
            *place = given.and_then(|number| T::try_from(number).ok());
        }
    }

    /// Absent (or faulty): none; `null`: some none.
    fn number_of(&mut self, key: &str, range: &RangeInclusive<u64>) -> Option<Option<u64>> {
        let given = self.take(key)?;
        if given.is_null() {
            return Some(None);
        }
        let number = match &given {
            // why: forms send numbers as text.
            Value::String(text) => text.parse().ok(),
            other => other.as_u64(),
        };
        if let Some(number) = number.filter(|number| range.contains(number)) {
            return Some(Some(number));
        }
        let expected = format!("a number from {} to {}", range.start(), range.end());
        self.fault(key, "wrong value", &expected, Some(&given));
        None
    }

    /// One of a few words; `null` is the first.
    pub(crate) fn word(&mut self, key: &str, place: &mut String, words: &[&str]) {
        let Some(given) = self.take(key) else { return };
        let word = if given.is_null() { words.first().copied() } else { given.as_str() };
        match word.filter(|word| words.contains(word)) {
            Some(word) => word.clone_into(place),
            None => self.fault(key, "wrong value", &one_of(words), Some(&given)),
        }
    }

    /// `{url, method, username, password}`, or `null`.
    pub(crate) fn hook(&mut self, key: &'static str, place: &mut Option<Hook>) {
        let members = match self.take(key) {
            None => return,
            Some(Value::Null) => return *place = None,
            Some(Value::Object(members)) => members,
            Some(other) => {
                let expected = "an object {url, method, username, password}";
                return self.fault(key, "wrong type", expected, Some(&other));
            }
        };
        let mut inner = Fields {
            members,
            known: Vec::new(),
            faults: Vec::new(),
            creating: true,
            given: Vec::new(),
            at: format!("{}/{key}", self.at),
        };
        let before = place.take();
        let hook = inner.read_hook(before.as_ref());
        inner.unknown();
        self.faults.append(&mut inner.faults);
        *place = hook.or(before);
    }

    /// The object of a hook. The obscured password of `before` stands for itself.
    fn read_hook(&mut self, before: Option<&Hook>) -> Option<Hook> {
        // jambonz: an answer names the webhook, and clients send the answer back.
        self.take("webhook_sid");
        let mut url = String::new();
        match self.take("url") {
            Some(Value::String(given)) if given.len() <= URL_MAX => url = given,
            Some(other) => self.fault("url", "wrong value", "a URL", Some(&other)),
            // jambonz: an empty hook counts as none.
            None if self.members.is_empty() => return None,
            None => self.missing("url", "an http or https URL"),
        }
        if let (false, Some(what)) = (url.is_empty(), text::fault_of_url(&url)) {
            self.fault("url", what, "an http or https URL", None);
        }
        if url.is_empty() {
            // why: forms send what was left empty.
            for key in ["method", "username", "password"] {
                self.take(key);
            }
            return None;
        }
        let mut method = "POST".to_owned();
        self.word("method", &mut method, &["POST", "GET"]);
        let mut username = None;
        let is_user = |text: &str| text.is_empty() || text::is_line(text, URL_MAX);
        self.optional("username", &mut username, "a text", is_user);
        let mut password = before.and_then(|hook| hook.password.clone());
        // why: a hook is given whole; one without a password has none.
        if self.members.get("password").is_none_or(|given| given == "") {
            self.members.insert("password".to_owned(), Value::Null);
        }
        self.secret("password", &mut password, URL_MAX);
        let method = if method == "GET" { HookMethod::Get } else { HookMethod::Post };
        Some(Hook { url, method, username: username.filter(|user| !user.is_empty()), password })
    }

    /// A property that cannot be changed: given, it must be what it is.
    pub(crate) fn fixed(&mut self, key: &str, is: &Value) {
        let Some(given) = self.take(key) else { return };
        let is_same = given == *is || flag(&given).is_some_and(|given| flag(is) == Some(given));
        if !is_same && !given.is_null() {
            self.fault(key, "cannot be changed", &shown(is), Some(&given));
        }
    }

    /// The identifier of the entry itself, which nobody gives.
    pub(crate) fn immutable(&mut self, key: &str) {
        if self.take(key).is_some() {
            self.faults.push(format!("primary key {key} is immutable"));
        }
    }

    /// A property that nothing reads, and that comes back as it was given.
    pub(crate) fn keep(&mut self, key: &str, kind: Kept, extra: &mut Extra) {
        let Some(given) = self.take(key) else { return };
        let (fits, expected) = match kind {
            Kept::Text => (given.is_string(), "a text"),
            Kept::Flag => (flag(&given).is_some(), "true, false, 1 or 0"),
            Kept::Number => (given.is_u64(), "a number"),
        };
        if given.is_null() {
            extra.0.insert(key.to_owned(), Value::Null);
        } else if !fits {
            self.fault(key, "wrong type", expected, Some(&given));
        } else if given.as_str().is_some_and(|text| text.len() > URL_MAX) {
            self.fault(key, "too long", &format!("at most {URL_MAX} bytes"), None);
        } else {
            let kept = flag(&given).filter(|_| kind == Kept::Flag);
            extra.0.insert(key.to_owned(), kept.map_or(given, |flag| u8::from(flag).into()));
        }
    }

    /// A property that this version cannot honour: it must say so little that nothing is lost.
    pub(crate) fn unsupported(&mut self, key: &str) {
        let Some(given) = self.take(key) else { return };
        let says_nothing = match &given {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(values) => values.is_empty(),
            Value::Object(members) => members.values().all(|value| value.is_null() || value == ""),
            other => flag(other) == Some(false),
        };
        if !says_nothing {
            let what = format!("{key} is not supported by this version");
            self.fault(key, &what, "nothing, or null", None);
        }
    }

    /// Every fault, and a fault for each property that nobody took.
    pub(crate) fn finish(mut self) -> Result<(), Fault> {
        self.unknown();
        if self.faults.is_empty() { Ok(()) } else { Err(Fault::bad(self.faults.join("\n"))) }
    }

    fn unknown(&mut self) {
        let left: Vec<String> = self.members.keys().cloned().collect();
        for key in left {
            let near = self.known.iter().min_by_key(|known| strsim::levenshtein(known, &key));
            let near = near.filter(|known| strsim::levenshtein(known, &key) <= 2);
            let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            let key = shorten(&key.replace('~', "~0").replace('/', "~1"));
            self.faults.push(format!("{}/{key}: unknown property{hint}", self.at));
        }
    }
}

/// `a`, `b` or `c`.
fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
    format!("one of {}", quoted.join(", "))
}

/// A flag as clients send it.
fn flag(value: &Value) -> Option<bool> {
    match (value, value.as_u64()) {
        (Value::Bool(flag), _) => Some(*flag),
        (_, Some(number @ 0..=1)) => Some(number == 1),
        _ => None,
    }
}

/// What was there, without what may be secret inside it.
fn shown(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::String(text) => format!("{:?}", shorten(text)),
        other => other.to_string(),
    }
}

fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// A syntax fault with its place, in characters; never what stands there, which may be a secret.
fn syntax(body: &str, error: &serde_json::Error) -> String {
    let (line, column) = (error.line().max(1), error.column());
    let text = body.lines().nth(line - 1).unwrap_or_default();
    let before =
        text.get(..column.saturating_sub(1)).map_or(column, |text| text.chars().count() + 1);
    let what = error.to_string();
    let what = what.split(" at line ").next().unwrap_or_default();
    format!("{line}:{}: -: not JSON: {what}; expected a JSON object", before.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn msg(fields: Fields) -> String {
        match fields.finish() {
            Ok(()) => String::new(),
            Err(fault) => format!("{fault:?}"),
        }
    }

    #[test]
    fn a_syntax_fault_says_where() {
        let at = |body: &str| format!("{:?}", Fields::new(body, true).expect_err("no JSON"));
        assert!(at("{\"name\":}").contains("1:9: -: not JSON"), "{}", at("{\"name\":}"));
        assert!(at("{\n  \"ä\" 1}").contains("2:7: "), "{}", at("{\n  \"ä\" 1}"));
        assert!(at("").contains("1:1: "), "{}", at(""));
        assert!(at("[]").contains("no object; expected {…}, got an array"));
        let deep = "[".repeat(100_000);
        assert!(at(&deep).contains("recursion limit"), "{}", at(&deep));
    }

    #[test]
    fn a_property_is_absent_cleared_or_given() {
        let read = |body: &str| {
            let mut fields = Fields::new(body, false).expect("JSON");
            let mut place = Some("old".to_owned());
            fields.optional("a", &mut place, "a text", |text| text != "bad");
            (place, msg(fields))
        };
        assert_eq!(read("{}"), (Some("old".to_owned()), String::new()));
        assert_eq!(read(r#"{"a":null}"#), (None, String::new()));
        assert_eq!(read(r#"{"a":"new"}"#), (Some("new".to_owned()), String::new()));
        let (place, fault) = read(r#"{"a":"bad"}"#);
        assert_eq!(place.as_deref(), Some("old"));
        assert!(fault.contains("/a: wrong value; expected a text, got \\\"bad\\\""), "{fault}");
    }

    #[test]
    fn flags_are_four_values_and_null() {
        for (given, flag) in [("true", true), ("1", true), ("false", false), ("0", false)] {
            let mut fields = Fields::new(&format!("{{\"a\":{given}}}"), true).expect("JSON");
            let mut place = !flag;
            fields.flag("a", &mut place, false);
            assert_eq!((place, msg(fields)), (flag, String::new()), "{given}");
        }
        for given in ["2", "\"true\"", "[]", "-1", "0.5"] {
            let mut fields = Fields::new(&format!("{{\"a\":{given}}}"), true).expect("JSON");
            fields.flag("a", &mut false, false);
            assert!(msg(fields).contains("expected true, false, 1 or 0"), "{given}");
        }
    }

    #[test]
    fn an_unknown_property_gets_a_suggestion_and_an_unsupported_one_says_so() {
        let mut fields = Fields::new(r#"{"nmae":1,"b/c":2,"d":true,"e":0}"#, false).expect("JSON");
        fields.text("name", &mut String::new(), "a text", |_| true);
        fields.unsupported("d");
        fields.unsupported("e");
        let said = msg(fields);
        assert!(said.contains("/nmae: unknown property; did you mean `name`?"), "{said}");
        assert!(said.contains("/b~1c: unknown property\\n") || said.ends_with("property\" }"));
        assert!(said.contains("/d: d is not supported by this version; expected nothing"));
        assert!(!said.contains("/e"), "{said}");
    }

    #[test]
    fn a_hook_is_an_object_and_its_obscured_password_changes_nothing() {
        let old = Hook {
            url: "http://h/".to_owned(),
            method: HookMethod::Get,
            username: None,
            password: Some(Secret::new("pass")),
        };
        let read = |hook: &str| {
            let mut fields = Fields::new(&format!("{{\"h\":{hook}}}"), false).expect("JSON");
            let mut place = Some(old.clone());
            fields.hook("h", &mut place);
            (place, msg(fields))
        };
        let (hook, said) = read(r#"{"url":"http://new/","username":"u","password":"pXXX"}"#);
        let hook = hook.expect("a hook");
        assert_eq!(
            (hook.url.as_str(), hook.method, said.as_str()),
            ("http://new/", HookMethod::Post, "")
        );
        assert_eq!(hook.password, Some(Secret::new("pass")));
        assert_eq!(read("null"), (None, String::new()));
        let (hook, said) = read(r#"{"url":"http://new/","password":null}"#);
        assert_eq!((hook.expect("a hook").password, said.as_str()), (None, ""));
        for (wrong, part) in [
            (r#""http://h/""#, "/h: wrong type; expected an object"),
            (r#"{"url":"/relative"}"#, "/h/url: not an absolute URL"),
            (r#"{"url":"http://h/","method":"PUT"}"#, "/h/method: wrong value"),
            (r#"{"url":"http://h/","metod":"GET"}"#, "/h/metod: unknown property; did you mean"),
            (r#"{"method":"GET"}"#, "/h/url: missing"),
            (r#"{"url":"http://h/","password":7}"#, "/h/password: wrong value; expected a text"),
        ] {
            let (hook, said) = read(wrong);
            assert!(said.contains(part), "{wrong}: {said}");
            assert!(hook.is_some(), "{wrong}");
        }
    }
}
