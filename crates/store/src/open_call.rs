//! Calls that are up, as the journal keeps them, and what becomes of them after a crash.

use sqlx::FromRow;

use crate::error::StoreError;
use crate::hook::Hook;
use crate::open::Store;
use crate::recent::{Direction, RecentCall};
use crate::row::{Row, row};
use crate::timestamp::Timestamp;

/// `termination_reason` of a call that the process did not survive.
pub const RESTART: &str = "restart";
/// `sip_status` of such a call that nobody had answered: the fault was ours.
const UNANSWERED: u16 = 500;
/// `sip_status` of such a call that was answered.
const ANSWERED: u16 = 200;

row! {
    /// A leg that is up: what its call record and its last status event need.
    #[derive(Clone, Debug, PartialEq)]
    pub struct OpenCall in "open_calls" {
        /// Identifier of the leg.
        pub call_sid: String,
        /// The leg that dialled this one.
        pub parent_call_sid: Option<String>,
        /// The account of the call.
        pub account_sid: String,
        /// The service provider of the account.
        pub service_provider_sid: String,
        /// The application that runs it.
        pub application_sid: Option<String>,
        /// Who began it.
        pub direction: Direction,
        /// Who calls.
        pub from: String,
        /// Who is called.
        pub to: String,
        /// SIP Call-ID of the leg.
        pub sip_callid: String,
        /// SIP Call-ID of the inbound leg that an outbound one belongs to.
        pub sip_parent_callid: Option<String>,
        /// Name of the carrier, `user`, or `sipUri`.
        pub trunk: Option<String>,
        /// Our SIP address.
        pub host: String,
        /// The SIP address of the other side.
        pub remote_host: String,
        /// 32 hexadecimal digits.
        pub trace_id: String,
        /// When it began.
        pub attempted_at: Timestamp,
        /// When it was answered.
        pub answered_at: Option<Timestamp>,
        /// When this was written: the last moment at which the call is known to have been up.
        pub at: Timestamp,
        /// Told of every change of status.
        pub call_status_hook: Option<Hook>,
        /// What a relative `call_status_hook` resolves on.
        pub base_hook: Option<Hook>,
        /// Payload of the last status event, JSON text.
        pub last_event: Option<String>,
    }
}

impl OpenCall {
    /// Its record, if it was up at `at` for the last time.
    pub(crate) fn record(&self, now: Timestamp) -> RecentCall {
        let terminated_at = self.at.min(now).max(self.attempted_at);
        let talked = self.answered_at.map_or(0, |answered| terminated_at.since(answered).as_secs());
        RecentCall {
            account_sid: self.account_sid.clone(),
            service_provider_sid: self.service_provider_sid.clone(),
            call_sid: self.call_sid.clone(),
            application_sid: self.application_sid.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            answered: self.answered_at.is_some(),
            sip_callid: self.sip_callid.clone(),
            sip_parent_callid: self.sip_parent_callid.clone(),
            sip_status: if self.answered_at.is_some() { ANSWERED } else { UNANSWERED },
            duration: u32::try_from(talked).unwrap_or(u32::MAX),
            attempted_at: self.attempted_at,
            answered_at: self.answered_at,
            terminated_at,
            termination_reason: RESTART.to_owned(),
            host: self.host.clone(),
            remote_host: self.remote_host.clone(),
            direction: self.direction,
            trunk: self.trunk.clone(),
            trace_id: self.trace_id.clone(),
            recording_url: None,
        }
    }
}

impl Store {
    /// Turns every call that an earlier process left open into a call record, and gives them so
    /// that each gets its last status event. To be called before this process journals a call.
    ///
    /// The end of a record is the last entry of the journal for it, never after `now`. One
    /// transaction: whenever the process ends here, each call has one record, now or after the
    /// next start. A call is given once; if the process ends before its event is sent, nobody is
    /// told.
    ///
    /// # Errors
    /// The database fails; nothing has changed then.
    pub async fn recover(&self, now: Timestamp) -> Result<Vec<OpenCall>, StoreError> {
        const DOING: &str = "recovering the calls of the last run";
        let recovered = async {
            let mut transaction = self.writing().await?;
            let rows = sqlx::query(OpenCall::select("ORDER BY id"));
            let rows = rows.fetch_all(&mut *transaction).await?;
            let mut calls = Vec::new();
            for row in &rows {
                let call = OpenCall::from_row(row)?;
                let insert = RecentCall::insert(&[], "ON CONFLICT (call_sid) DO NOTHING");
                let insert = call.record(now).bind(sqlx::query(insert));
                if insert.execute(&mut *transaction).await?.rows_affected() > 0 {
                    calls.push(call);
                }
            }
            sqlx::query("DELETE FROM open_calls").execute(&mut *transaction).await?;
            transaction.commit().await?;
            Ok(calls)
        };
        recovered.await.map_err(self.failed(DOING))
    }
}
