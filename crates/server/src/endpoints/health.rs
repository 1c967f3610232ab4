//! Health: alive, ready, started. And the metrics.

use super::Answer;
use crate::app::App;
use crate::http::exchange::Exchange;
use crate::http::reply;
use http::StatusCode;
use std::sync::atomic::Ordering;

pub fn livez() -> Answer {
    Ok(reply::text(
        StatusCode::OK,
        "text/plain; charset=utf-8",
        "ok\n".to_owned(),
    ))
}

/// Ready when the store answers and the process is not about to stop. `?verbose` says which.
pub async fn readyz(app: &App, exchange: &Exchange) -> Answer {
    let serving = app.ready.load(Ordering::Acquire);
    let store = app.store.versions().await.is_ok();
    let status = if serving && store {
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
        format!("store {}\nserving {}\n", word(store), word(serving))
    } else {
        format!("{}\n", word(serving && store))
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
