//! A moment as the store keeps it and as REST writes it.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Decode, Encode, Sqlite, Type};

const DAY: i64 = 86_400_000;
/// The last millisecond of the year 9999, the last that RFC 3339 can write.
const LAST: i64 = 253_402_300_799_999;
/// The first millisecond of the year 0.
const FIRST: i64 = -62_167_219_200_000;

/// Milliseconds since 1970-01-01T00:00:00Z. Written and read as RFC 3339 (ISO 8601) in UTC,
/// `2026-11-03T14:05:06.789Z`; years 0 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest there is.
    pub const MIN: Timestamp = Timestamp(FIRST);
    /// The latest there is.
    pub const MAX: Timestamp = Timestamp(LAST);

    /// The clock of the machine.
    pub fn now() -> Timestamp {
        Timestamp::from(SystemTime::now())
    }

    /// The moment `milliseconds` after 1970 began, at most [`Timestamp::MAX`].
    pub fn from_millis(milliseconds: i64) -> Timestamp {
        Timestamp(milliseconds.clamp(FIRST, LAST))
    }

    /// Milliseconds since 1970 began.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// That much earlier.
    #[must_use]
    pub fn before(self, span: Duration) -> Timestamp {
        let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.0.saturating_sub(span))
    }

    /// That much later.
    #[must_use]
    pub fn after(self, span: Duration) -> Timestamp {
        let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.0.saturating_add(span))
    }

    /// Time from `earlier` to this, zero where it is none.
    pub fn since(self, earlier: Timestamp) -> Duration {
        let milliseconds = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Timestamp {
        let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => millis(after),
            Err(before) => -millis(before.duration()),
        })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, rest) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        let (year, month, day) = date_of(days);
        let (seconds, millis) = (rest / 1000, rest % 1000);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

/// Year, month and day of the proleptic Gregorian calendar. The year is taken to begin in March,
/// so that the leap day is its last and 400 years are always 146,097 days.
fn date_of(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let march_month = (5 * day + 2) / 153;
    let day = day - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

/// Days from 1970-01-01 to that date.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let march_month = (month + 9) % 12;
    let day = (153 * march_month + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day - 719_468
}

/// The text is no moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time; expected RFC 3339 such as 2026-11-03T14:05:06Z, or a date")]
pub struct NotATime;

impl FromStr for Timestamp {
    type Err = NotATime;

    /// RFC 3339 §5.6 with an offset or `Z`, or a date alone, which is its first moment in UTC.
    /// Digits beyond the millisecond are dropped, a leap second is the one after it.
    fn from_str(text: &str) -> Result<Timestamp, NotATime> {
        parse(text).ok_or(NotATime)
    }
}

fn parse(text: &str) -> Option<Timestamp> {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.splitn(3, '-');
    let year = digits(parts.next()?, 4, 9999)?;
    let month = digits(parts.next()?, 2, 12)?;
    let day = digits(parts.next()?, 2, 31)?;
    let days = days_of(year, month, day);
    if date_of(days) != (year, month, day) {
        return None;
    }
    let millis = match time {
        Some(time) => time_of_day(time)?,
        None => 0,
    };
    Some(Timestamp::from_millis(days * DAY + millis))
}

/// Milliseconds since midnight in UTC.
fn time_of_day(text: &str) -> Option<i64> {
    let (time, offset) = match text.strip_suffix(['Z', 'z']) {
        Some(time) => (time, 0),
        None => {
            let at = text.rfind(['+', '-'])?;
            let (hours, minutes) = text.get(at + 1..)?.split_once(':')?;
            let offset = digits(hours, 2, 23)? * 60 + digits(minutes, 2, 59)?;
            let west = text.get(at..)?.starts_with('-');
            (text.get(..at)?, if west { -offset } else { offset })
        }
    };
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut parts = time.splitn(3, ':');
    let hour = digits(parts.next()?, 2, 23)?;
    let minute = digits(parts.next()?, 2, 59)?;
    let second = digits(parts.next()?, 2, 60)?;
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    Some(((hour * 60 + minute - offset) * 60 + second) * 1000 + millis)
}

/// A number of exactly `length` digits, at most `max`.
fn digits(text: &str, length: usize, max: i64) -> Option<i64> {
    let is_number = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = if is_number { text.parse().ok()? } else { return None };
    (number <= max).then_some(number)
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Type<Sqlite> for Timestamp {
    fn type_info() -> SqliteTypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }

    fn compatible(found: &SqliteTypeInfo) -> bool {
        <i64 as Type<Sqlite>>::compatible(found)
    }
}

impl Encode<'_, Sqlite> for Timestamp {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode_by_ref(&self.0, buffer)
    }
}

impl Decode<'_, Sqlite> for Timestamp {
    fn decode(value: SqliteValueRef<'_>) -> Result<Timestamp, BoxDynError> {
        <i64 as Decode<Sqlite>>::decode(value).map(Timestamp::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::{FIRST, LAST, Timestamp};

    #[test]
    fn times_are_written_and_read_back() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_793_714_706_789, "2026-11-03T14:05:06.789Z"),
            (LAST, "9999-12-31T23:59:59.999Z"),
            (FIRST, "0000-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(Timestamp::from_millis(millis).to_string(), text);
            assert_eq!(text.parse(), Ok(Timestamp::from_millis(millis)));
        }
        for day in (FIRST / 86_400_000)..=(LAST / 86_400_000) {
            let (year, month, date) = super::date_of(day);
            assert_eq!(super::days_of(year, month, date), day);
        }
    }

    #[test]
    fn offsets_fractions_and_dates_are_read() {
        let moment = "2026-11-03T14:05:06.500Z".parse::<Timestamp>().expect("a time");
        for text in [
            "2026-11-03T15:05:06.5+01:00",
            "2026-11-03 14:05:06.5009z",
            "2026-11-03t03:35:06.50-10:30",
        ] {
            assert_eq!(text.parse(), Ok(moment), "{text}");
        }
        assert_eq!("2026-11-03".parse(), "2026-11-03T00:00:00Z".parse::<Timestamp>());
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "now",
            "2026",
            "2026-13-01",
            "2026-02-29",
            "2026-1-1",
            "2026-11-03T",
            "2026-11-03T25:00:00Z",
            "2026-11-03T14:05:06",
            "2026-11-03T14:05:06.Z",
            "2026-11-03T14:05:06.xZ",
            "2026-11-03T14:05:06+1",
            "2026-11-03T14:05:06é+01:00",
            "-026-11-03",
            "2026-00-10",
            "2026-01-00",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }
}
