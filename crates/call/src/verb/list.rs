//! From the text of an application to the list that runs: faults, warnings, and what may not be
//! run half.

use verbs::{Fault, Verb};

use crate::call::{Call, Numbered};

impl Call {
    /// Reads a list and puts it in place of what is left of the running one. On a fault nothing
    /// changes; the error is the first of them, and an alert names all.
    pub(crate) fn load(&mut self, text: &str) -> Result<(), String> {
        let strict = self.application.as_ref().is_some_and(|application| application.strict);
        let application = match verbs::parse_application(text, strict) {
            Ok(application) => application,
            Err(faults) => return Err(self.refuse_list(&faults)),
        };
        if let Some(why) = screening(&application.verbs) {
            self.alert("not-supported", why.clone());
            return Err(why);
        }
        for warning in &application.warnings {
            self.alert("unknown-property", warning.to_string());
        }
        self.list = application
            .verbs
            .into_iter()
            .enumerate()
            .map(|(index, verb)| Numbered { index, verb })
            .collect();
        Ok(())
    }

    fn refuse_list(&mut self, faults: &[Fault]) -> String {
        let all: Vec<String> = faults.iter().map(Fault::to_string).collect();
        self.alert("invalid-app-payload", all.join("\n"));
        all.into_iter().next().unwrap_or_else(|| "the list of verbs is not valid".to_owned())
    }
}

/// Whether a list could run: its first fault, or what this version does not do.
pub(crate) fn check(text: &str, strict: bool) -> Result<(), String> {
    match verbs::parse_application(text, strict) {
        Ok(list) => screening(&list.verbs).map_or(Ok(()), Err),
        Err(faults) => Err(faults.first().map(Fault::to_string).unwrap_or_default()),
    }
}

/// Why a list that asks for a screening is refused.
fn screening(verbs: &[Verb]) -> Option<String> {
    let mut numbered = verbs.iter().enumerate();
    let pointer = numbered.find_map(|(index, verb)| unscreened(index, verb))?;
    Some(format!(
        "{pointer}: screening is not supported by this version; expected a dial without \
         confirmHook, got one; nobody is bridged unscreened, so the list was refused: remove the \
         property"
    ))
}

/// Where a list asks for a screening.
fn unscreened(index: usize, verb: &Verb) -> Option<String> {
    let Verb::Dial(dial) = verb else { return None };
    if dial.confirm_hook.is_some() {
        return Some(format!("/{index}/confirmHook"));
    }
    let target = dial.target.iter().position(|target| target.confirm_hook.is_some())?;
    Some(format!("/{index}/target/{target}/confirmHook"))
}
