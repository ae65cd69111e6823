//! From the text of an application to the list that runs: faults and warnings.

use verbs::{Fault, Verb};

use crate::call::Call;
use crate::leg::LegId;
use crate::script::Numbered;

impl Call {
    /// Reads a list that takes nothing's place: its verbs. An alert names its faults.
    pub(crate) fn parse(&mut self, text: &str) -> Result<Vec<Verb>, String> {
        let strict = self.application.as_ref().is_some_and(|application| application.strict);
        let application = match verbs::parse_application(text, strict) {
            Ok(application) => application,
            Err(faults) => return Err(self.refuse_list(&faults)),
        };
        for warning in &application.warnings {
            self.alert("unknown-property", warning.to_string());
        }
        Ok(application.verbs)
    }

    /// Reads a list and puts it in place of what is left of the party's. On a fault nothing
    /// changes; the error is the first of them, and an alert names all.
    pub(crate) fn load(&mut self, party: LegId, text: &str) -> Result<(), String> {
        let verbs = self.parse(text)?.into_iter().enumerate();
        if let Some(script) = self.script(party) {
            script.list = verbs.map(|(index, verb)| Numbered { index, verb }).collect();
        }
        Ok(())
    }

    fn refuse_list(&mut self, faults: &[Fault]) -> String {
        let all: Vec<String> = faults.iter().map(Fault::to_string).collect();
        self.alert("invalid-app-payload", all.join("\n"));
        all.into_iter().next().unwrap_or_else(|| "the list of verbs is not valid".to_owned())
    }
}

/// Whether a list could run: its first fault.
pub(crate) fn check(text: &str, strict: bool) -> Result<(), String> {
    match verbs::parse_application(text, strict) {
        Ok(_) => Ok(()),
        Err(faults) => Err(faults.first().map(Fault::to_string).unwrap_or_default()),
    }
}
