//! `hangup`: BYE to the caller, or a refusal where it was never answered.

use schemars::JsonSchema;

use crate::fields::{Fields, Object};
use crate::headers::{HeaderMap, Headers};

/// Ends the call.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
pub struct Hangup {
    /// Echoed as `verb_id`.
    pub id: Option<String>,
    /// Put into the BYE.
    #[schemars(with = "Option<HeaderMap>")]
    pub headers: Headers,
}

impl Object for Hangup {
    const WHAT: &'static str = "`hangup`";
    const IS_VERB: bool = true;

    fn read(fields: &mut Fields<'_>) -> Hangup {
        Hangup { id: fields.optional("id"), headers: fields.or_default::<HeaderMap>("headers").0 }
    }
}
