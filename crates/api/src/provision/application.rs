//! Applications over REST.

use store::{Application, Decline, Extra, StoreError, Timestamp};

use super::{Resource, others, owners};
use crate::Api;
use crate::fields::{Fields, Kept};
use crate::text;

/// Longest name.
const NAME_MAX: usize = 64;

/// Speech is of a later version: what is said about it is kept.
const KEPT: &[(&str, Kept)] = &[
    ("speech_synthesis_vendor", Kept::Text),
    ("speech_synthesis_language", Kept::Text),
    ("speech_synthesis_voice", Kept::Text),
    ("speech_synthesis_label", Kept::Text),
    ("speech_recognizer_vendor", Kept::Text),
    ("speech_recognizer_language", Kept::Text),
    ("speech_recognizer_label", Kept::Text),
    ("use_for_fallback_speech", Kept::Flag),
    ("fallback_speech_synthesis_vendor", Kept::Text),
    ("fallback_speech_synthesis_language", Kept::Text),
    ("fallback_speech_synthesis_voice", Kept::Text),
    ("fallback_speech_synthesis_label", Kept::Text),
    ("fallback_speech_recognizer_vendor", Kept::Text),
    ("fallback_speech_recognizer_language", Kept::Text),
    ("fallback_speech_recognizer_label", Kept::Text),
];

const UNSUPPORTED: &[&str] = &["env_vars", "record_all_calls", "siprec_hook_sid"];

impl Resource for Application {
    fn blank(api: &Api) -> Application {
        Application {
            application_sid: String::new(),
            account_sid: api.config.account_sid.clone(),
            name: String::new(),
            call_hook: None,
            call_status_hook: None,
            messaging_hook: None,
            app_json: None,
            strict: false,
            default_hooks: false,
            decline: Decline::Last,
            created_at: Timestamp::now(),
            extra: Extra::default(),
            is_active: true,
            declared: false,
        }
    }

    fn read(&mut self, api: &Api, fields: &mut Fields) {
        owners(api, fields);
        fields.fixed("created_at", &self.created_at.to_string().into());
        let expected = format!("a text of 1 to {NAME_MAX} characters");
        fields.text("name", &mut self.name, &expected, |text| text::is_line(text, NAME_MAX));
        fields.hook("call_hook", &mut self.call_hook);
        fields.hook("call_status_hook", &mut self.call_status_hook);
        fields.hook("messaging_hook", &mut self.messaging_hook);
        fields.flag("strict", &mut self.strict, false);
        fields.flag("default_hooks", &mut self.default_hooks, false);
        let mut decline = self.decline.as_str().to_owned();
        fields.word("decline", &mut decline, &["last", "603"]);
        self.decline = Decline::from_word(&decline).unwrap_or(self.decline);
        fields.flag("is_active", &mut self.is_active, true);
        // why: forms send what was left empty.
        fields.optional("app_json", &mut self.app_json, "a list of verbs, as text", |_| true);
        self.app_json = self.app_json.take().filter(|list| !list.trim().is_empty());
        if let Some(Err(faults)) =
            self.app_json.as_deref().map(|list| verbs::parse_application(list, self.strict))
        {
            for fault in faults {
                let what = format!("in the list, {fault}");
                fields.fault("app_json", &what, "a list of verbs without faults", None);
            }
        }
        others(fields, &mut self.extra, KEPT, UNSUPPORTED);
    }

    async fn check(&self, _api: &Api, fields: &mut Fields) -> Result<(), StoreError> {
        let runs = self.call_hook.is_some() || self.app_json.is_some();
        if !runs && fields.is_sound() {
            let expected = "call_hook {url, …}, or app_json";
            fields.fault("call_hook", "the application has nothing to run", expected, None);
        }
        if self.default_hooks && self.call_hook.is_none() && fields.is_sound() {
            let what = "default hooks are relative and have no origin";
            fields.fault("default_hooks", what, "a call_hook beside it", None);
        }
        Ok(())
    }
}
