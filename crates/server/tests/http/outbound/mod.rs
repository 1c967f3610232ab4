//! What goes out of the server, and whatever others may answer (SEC-R04, SEC-055, SEC-220 to SEC-227).

mod addresses;
mod answers;
mod client_keys;
mod key_cache;
mod logos;
mod request_keys;
mod trust;
mod urls;

use jeton::observe::metrics::Metrics;
use jeton::outbound::{Door, Fetched, OutboundError, Settings, Wanted};

fn door(settings: Settings) -> Door {
    Door::new(settings, Metrics::new().egress()).unwrap()
}

/// Fetches JSON of at most 1,000 bytes.
async fn fetch(settings: Settings, url: &str) -> Result<Fetched, OutboundError> {
    door(settings).fetch(wanted(url), Ok).await
}

fn wanted(url: &str) -> Wanted<'_> {
    Wanted {
        purpose: "test",
        url,
        types: &["application/json", "application/jwk-set+json"],
        limit: 1000,
    }
}
