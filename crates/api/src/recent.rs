//! The past: records of calls and alerts, page by page.

use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use store::{
    AlertsFilter, Direction, PAGE_SIZE_MAX, PageRequest, Period, RecentCallsFilter, Timestamp,
};

use crate::Api;
use crate::asked::Asked;
use crate::fault::{Fault, Reply};

/// Longest period in days.
const DAYS_MAX: u32 = 36_500;

pub(crate) async fn calls(State(api): State<Arc<Api>>, asked: Asked) -> Reply {
    api.own(&asked)?;
    let text = |name: &str| asked.query(name).map(str::to_owned);
    let filter = RecentCallsFilter {
        page: page(&asked)?,
        trunk: text("trunk"),
        direction: asked.read("direction", "inbound or outbound", Direction::from_word)?,
        answered: asked.read("answered", "true or false", |word| word.parse().ok())?,
        period: period(&asked)?,
        filter: text("filter"),
    };
    Ok(Json(api.config.store.recent_calls(&filter).await?).into_response())
}

pub(crate) async fn alerts(State(api): State<Arc<Api>>, asked: Asked) -> Reply {
    api.own(&asked)?;
    let filter = AlertsFilter {
        page: page(&asked)?,
        alert_type: asked.query("alert_type").map(str::to_owned),
        period: period(&asked)?,
    };
    Ok(Json(api.config.store.alerts(&filter).await?).into_response())
}

/// Both numbers are required.
fn page(asked: &Asked) -> Result<PageRequest, Fault> {
    let missing = |name: &str, to: &str| {
        Fault::bad(format!("query parameter {name}: missing; expected a number from 1{to}"))
    };
    let page = asked.number("page", 1, u32::MAX)?.ok_or_else(|| missing("page", ""))?;
    let count = asked.number("count", 1, PAGE_SIZE_MAX)?;
    let count = count.ok_or_else(|| missing("count", &format!(" to {PAGE_SIZE_MAX}")))?;
    Ok(PageRequest { page, count })
}

fn period(asked: &Asked) -> Result<Period, Fault> {
    let expected = "a time such as 2026-11-03T14:05:06Z, or a date";
    let time = |name: &str| asked.read(name, expected, |text| Timestamp::from_str(text).ok());
    Ok(Period {
        days: asked.number("days", 1, DAYS_MAX)?,
        start: time("start")?,
        end: time("end")?,
    })
}
