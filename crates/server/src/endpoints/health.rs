//! Health: alive, ready, started. And the metrics.

use super::Answer;
use crate::app::App;
use crate::http::exchange::Exchange;
use crate::http::reply;
use http::StatusCode;
use jeton_token::timestamp::Timestamp;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Mutex;

pub fn livez() -> Answer {
    Ok(reply::text(
        StatusCode::OK,
        "text/plain; charset=utf-8",
        "ok\n".to_owned(),
    ))
}

/// What the last look at the store found. Probers share it: however often they come, there is one small write a second.
#[derive(Debug, Default)]
pub struct Probe(Mutex<Option<(Timestamp, Found)>>);

#[derive(Clone, Copy, Debug)]
struct Found {
    reads: bool,
    writes: bool,
}

const FRESH: Duration = Duration::from_secs(1);
/// A prober has its own patience, and it is shorter than that of a verb.
const WITHIN: Duration = Duration::from_secs(2);

impl Probe {
    /// A store that reads but cannot write (a full disk, a database that fell back to reading) is found out here, before its
    /// users find it (SEC-312, SEC-324).
    async fn look(&self, app: &App, now: Timestamp) -> Found {
        let mut last = self.0.lock().await;
        if let Some((at, found)) = *last
            && now < at.plus(FRESH)
            && at < now.plus(WITHIN + WITHIN)
        {
            return found;
        }
        let (reads, writes) = tokio::join!(
            tokio::time::timeout(WITHIN, app.store.versions()),
            tokio::time::timeout(WITHIN, app.store.try_to_write(now)),
        );
        let found = Found {
            reads: matches!(reads, Ok(Ok(_))),
            writes: matches!(writes, Ok(Ok(()))),
        };
        if let Ok(Err(error)) = &writes {
            tracing::error!(event = "fault", %error, "nothing can be written");
        }
        *last = Some((app.clock.now(), found));
        found
    }
}

/// Ready when the store answers and takes writes and the process is not about to stop. `?verbose` says which.
pub async fn readyz(app: &App, exchange: &Exchange, now: Timestamp) -> Answer {
    let serving = app.ready.load(Ordering::Acquire);
    let found = app.probe.look(app, now).await;
    let ready = serving && found.reads && found.writes;
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let word = |good| if good { "ok" } else { "failed" };
    let verbose = exchange
        .query
        .as_deref()
        .is_some_and(|query| query.starts_with("verbose"));
    let body = if verbose {
        let (reads, writes) = (word(found.reads), word(found.writes));
        format!(
            "store {reads}\nwrites {writes}\nserving {}\n",
            word(serving)
        )
    } else {
        format!("{}\n", word(ready))
    };
    Ok(reply::text(status, "text/plain; charset=utf-8", body))
}

pub fn metrics(app: &App) -> Answer {
    let text = app.metrics.render();
    Ok(reply::text(
        StatusCode::OK,
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
        text,
    ))
}
