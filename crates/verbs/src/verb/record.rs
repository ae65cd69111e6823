//! `record`, in `config`: recording of the whole call.

use schemars::JsonSchema;

use crate::fields::{Fields, Object};
use crate::headers::{HeaderMap, Headers};
use crate::values::{OneOrMany, words};

/// Starts or stops a recording (SIPREC).
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct Record {
    /// What to do.
    pub action: RecordAction,
    /// Kind of recorder, `siprec` or `cloud`.
    #[schemars(rename = "type")]
    pub recorder: Option<String>,
    /// SIP URIs of recording servers, tried in order.
    #[schemars(rename = "siprecServerURL", with = "Option<OneOrMany<String>>")]
    pub siprec_server_url: Vec<String>,
    /// Name of the recording.
    #[schemars(rename = "recordingID")]
    pub recording_id: Option<String>,
    /// Put into the recorder's INVITE.
    #[schemars(with = "Option<HeaderMap>")]
    pub headers: Headers,
}

words! {
    /// `action` of record.
    #[derive(Default)]
    pub enum RecordAction {
        /// Begin.
        #[default]
        Start => "startCallRecording",
        /// End.
        Stop => "stopCallRecording",
        /// Leave out what follows.
        Pause => "pauseCallRecording",
        /// Go on.
        Resume => "resumeCallRecording",
    }
}

impl Object for Record {
    const WHAT: &'static str = "`record`";

    fn read(fields: &mut Fields<'_>) -> Record {
        Record {
            action: fields.required("action"),
            recorder: fields.optional("type"),
            siprec_server_url: fields.or_default::<OneOrMany<String>>("siprecServerURL").0,
            recording_id: fields.optional("recordingID"),
            headers: fields.or_default::<HeaderMap>("headers").0,
        }
    }
}
