//! Retries that the fragment of a hook's URL asks for, `#rc=2&rp=ct,5xx`.
//!
//! `rc` is how often to try again, `rp` after which failures: `ct` no connection (the default),
//! `rt` no answer in time, `4xx` and `5xx` statuses of that class, `all` any failure. The
//! fragment is never sent. A word that is not known means nothing.

use std::time::Duration;

use reqwest::Url;

use crate::error::Failure;

/// jambonz: more retries than this are not made, whatever `rc` says.
const RETRIES_MAX: usize = 5;

/// Pauses before the retries: doubling up to 2 s, then 2 s more each time.
const PAUSES: [Duration; RETRIES_MAX] = [
    Duration::from_millis(500),
    Duration::from_millis(1000),
    Duration::from_millis(2000),
    Duration::from_millis(4000),
    Duration::from_millis(6000),
];

/// What one URL asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Retry {
    count: usize,
    after: Vec<String>,
}

impl Retry {
    pub(crate) fn of(url: &Url) -> Retry {
        let mut retry = Retry { count: 0, after: vec!["ct".to_owned()] };
        for part in url.fragment().unwrap_or_default().split('&') {
            match part.split_once('=') {
                Some(("rc", count)) => retry.count = count.parse().unwrap_or(0),
                Some(("rp", words)) => {
                    retry.after = words.split(',').map(str::to_ascii_lowercase).collect();
                }
                _ => {}
            }
        }
        retry
    }

    pub(crate) fn pauses(&self) -> impl Iterator<Item = Duration> + use<> {
        PAUSES.into_iter().take(self.count)
    }

    pub(crate) fn covers(&self, failure: &Failure) -> bool {
        let word = match failure {
            Failure::Connection { .. } => "ct",
            Failure::Timeout { .. } => "rt",
            Failure::Status { status: 400..=499 } => "4xx",
            Failure::Status { status: 500..=599 } => "5xx",
            // Asking again changes neither the URL nor where it points.
            Failure::Url { .. } | Failure::Private { .. } => return false,
            Failure::Status { .. } | Failure::TooLarge { .. } | Failure::NotText { .. } => "all",
        };
        self.after.iter().any(|after| after == word || after == "all")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fragment: &str) -> Retry {
        Retry::of(&Url::parse(&format!("http://h/{fragment}")).unwrap())
    }

    #[test]
    fn the_fragment_says_how_often() {
        let rows = [("", 0), ("#top", 0), ("#rc=2", 2), ("#rp=all", 0), ("#rc=x", 0), ("#rc=9", 5)];
        for (fragment, count) in rows {
            assert_eq!(of(fragment).pauses().count(), count, "{fragment}");
        }
        let pauses: Vec<u128> = of("#rc=5").pauses().map(|pause| pause.as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 6000]);
    }

    #[test]
    fn the_fragment_says_after_what() {
        let connection = Failure::Connection { got: String::new() };
        let timeout = Failure::Timeout { limit: Duration::ZERO };
        let private = Failure::Private { address: [10, 0, 0, 1].into() };
        let status = |status| Failure::Status { status };
        let rows = [
            ("#rc=1", [true, false, false, false, false]),
            ("#rc=1&rp=rt", [false, true, false, false, false]),
            ("#rp=ct,5XX&rc=1", [true, false, false, true, false]),
            ("#rc=1&rp=4xx", [false, false, true, false, false]),
            ("#rc=1&rp=all", [true, true, true, true, false]),
            ("#rc=1&rp=odd", [false, false, false, false, false]),
        ];
        for (fragment, expected) in rows {
            let failures = [&connection, &timeout, &status(404), &status(503), &private];
            let covered = failures.map(|failure| of(fragment).covers(failure));
            assert_eq!(covered, expected, "{fragment}");
        }
    }
}
