//! What is read back of the past: call records and alerts, page by page, newest first.

use std::time::Duration;

use serde::Serialize;
use sqlx::{AssertSqlSafe, Row as _};

use crate::error::StoreError;
use crate::open::Store;
use crate::page::{Page, PageRequest};
use crate::row::{Row, Statement, row, words};
use crate::timestamp::Timestamp;

words! {
    /// Who began a call.
    pub enum Direction {
        /// The other side.
        Inbound => "inbound",
        /// We did.
        Outbound => "outbound",
    }
}

row! {
    /// The record of one leg that is over (CDR), one for each `call_sid`.
    #[derive(Clone, Debug, PartialEq, Serialize)]
    pub struct RecentCall in "recent_calls" {
        /// The account of the call.
        pub account_sid: String,
        /// The service provider of the account.
        pub service_provider_sid: String,
        /// Identifier of the leg.
        pub call_sid: String,
        /// The application that ran it.
        pub application_sid: Option<String>,
        /// Who called.
        pub from: String,
        /// Who was called; outbound without a leading `+`.
        pub to: String,
        /// Somebody answered.
        pub answered: bool,
        /// SIP Call-ID of the leg.
        pub sip_callid: String,
        /// SIP Call-ID of the inbound leg that an outbound one belongs to.
        pub sip_parent_callid: Option<String>,
        /// Final SIP status of the INVITE.
        pub sip_status: u16,
        /// Whole seconds from the answer to the end, 0 where nobody answered.
        pub duration: u32,
        /// When it began.
        pub attempted_at: Timestamp,
        /// When it was answered.
        pub answered_at: Option<Timestamp>,
        /// When it ended.
        pub terminated_at: Timestamp,
        /// `caller hungup`, `called party hungup`, `caller abandoned`, `failed` or `restart`.
        pub termination_reason: String,
        /// Our SIP address.
        pub host: String,
        /// The SIP address of the other side.
        pub remote_host: String,
        /// Who began it.
        pub direction: Direction,
        /// Name of the carrier, `user`, or `sipUri`.
        pub trunk: Option<String>,
        /// 32 hexadecimal digits.
        pub trace_id: String,
        /// Where its recording is, relative to `/v1`.
        pub recording_url: Option<String>,
    }
}

row! {
    /// Something that an operator or the author of an application should know.
    #[derive(Clone, Debug, PartialEq, Serialize)]
    pub struct AlertRecord in "alerts" {
        /// When it happened.
        pub time: Timestamp,
        /// The account it concerns.
        pub account_sid: String,
        /// The service provider of the account.
        pub service_provider_sid: String,
        /// One of the known words, such as `webhook-failure`.
        pub alert_type: String,
        /// What happened and what to do; names the JSON pointer where there is one.
        pub message: String,
        /// More of it.
        pub detail: Option<String>,
        /// The call it happened in.
        pub target_sid: Option<String>,
        /// The URL that was asked.
        pub url: Option<String>,
        /// What it answered.
        pub status: Option<u16>,
        /// Vendor of speech.
        pub vendor: Option<String>,
        /// Label of the vendor's credential.
        pub label: Option<String>,
        /// How many, where it is about a limit.
        pub count: Option<u32>,
    }
}

/// Which call records are wanted; what is `None` is not asked for.
#[derive(Clone, Debug)]
pub struct RecentCallsFilter {
    /// Which page of them.
    pub page: PageRequest,
    /// With this trunk.
    pub trunk: Option<String>,
    /// Begun by this side.
    pub direction: Option<Direction>,
    /// Answered, or not.
    pub answered: Option<bool>,
    /// When they began.
    pub period: Period,
    /// Part of `from` or `to` in either case, or all of `call_sid` or `sip_callid`.
    pub filter: Option<String>,
}

/// Which alerts are wanted; what is `None` is not asked for.
#[derive(Clone, Debug)]
pub struct AlertsFilter {
    /// Which page of them.
    pub page: PageRequest,
    /// Of this type.
    pub alert_type: Option<String>,
    /// When they happened.
    pub period: Period,
}

/// A period of time, both ends included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// The last so many days up to now; `start` and `end` do not count then.
    pub days: Option<u32>,
    /// Not before this.
    pub start: Option<Timestamp>,
    /// Not after this.
    pub end: Option<Timestamp>,
}

impl Period {
    /// First and last moment.
    fn bounds(self, now: Timestamp) -> (Timestamp, Timestamp) {
        match self.days {
            Some(days) => {
                let span = Duration::from_secs(u64::from(days) * 86_400);
                (now.before(span), Timestamp::MAX)
            }
            None => (self.start.unwrap_or(Timestamp::MIN), self.end.unwrap_or(Timestamp::MAX)),
        }
    }
}

const CALLS_WHERE: &str = "
    WHERE attempted_at >= ?1 AND attempted_at <= ?2
    AND (?3 IS NULL OR trunk = ?3)
    AND (?4 IS NULL OR direction = ?4)
    AND (?5 IS NULL OR answered = ?5)
    AND (?6 IS NULL OR instr(lower(\"from\"), lower(?6)) OR instr(lower(\"to\"), lower(?6))
         OR call_sid = ?6 OR sip_callid = ?6)
    ORDER BY attempted_at DESC, id DESC";

const ALERTS_WHERE: &str = "
    WHERE time >= ?1 AND time <= ?2 AND (?3 IS NULL OR alert_type = ?3)
    ORDER BY time DESC, id DESC";

impl Store {
    /// One page of call records, the one that began last first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn recent_calls(
        &self,
        filter: &RecentCallsFilter,
    ) -> Result<Page<RecentCall>, StoreError> {
        let (start, end) = filter.period.bounds(Timestamp::now());
        let text = filter.filter.as_deref().filter(|text| !text.is_empty());
        let bind = |statement: Statement| {
            let statement = statement.bind(start).bind(end).bind(&filter.trunk);
            statement.bind(filter.direction).bind(filter.answered).bind(text)
        };
        let page = self.page::<RecentCall>(CALLS_WHERE, filter.page, bind).await;
        page.map_err(self.failed("reading call records"))
    }

    /// One page of alerts, the latest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn alerts(&self, filter: &AlertsFilter) -> Result<Page<AlertRecord>, StoreError> {
        let (start, end) = filter.period.bounds(Timestamp::now());
        let bind = |statement: Statement| statement.bind(start).bind(end).bind(&filter.alert_type);
        let page = self.page::<AlertRecord>(ALERTS_WHERE, filter.page, bind).await;
        page.map_err(self.failed("reading alerts"))
    }

    /// Counts and reads in one transaction, so that the numbers agree.
    async fn page<T: Row>(
        &self,
        conditions: &'static str,
        request: PageRequest,
        bind: impl Fn(Statement) -> Statement,
    ) -> Result<Page<T>, sqlx::Error> {
        let request = request.bounded();
        let mut transaction = self.pool().begin().await?;
        let count = format!("SELECT count(*) FROM (SELECT 1 FROM {} {conditions})", T::TABLE);
        let count = bind(sqlx::query(AssertSqlSafe(count))).fetch_one(&mut *transaction).await?;
        let total: i64 = count.try_get(0)?;

        let sql = format!(
            "SELECT {} FROM {} {conditions} LIMIT {} OFFSET {}",
            T::columns(),
            T::TABLE,
            request.count,
            request.offset()
        );
        let rows = bind(sqlx::query(AssertSqlSafe(sql))).fetch_all(&mut *transaction).await?;
        let data = rows.iter().map(T::from_row).collect::<Result<Vec<T>, _>>()?;
        let total = u64::try_from(total).unwrap_or(0);
        Ok(Page { total, page: request.page, page_size: request.count, data })
    }
}
