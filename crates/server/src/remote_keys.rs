//! Key sets that others publish: clients at their `jwks_uri` today. Found by tenant and URL, never by `kid` alone (SEC-056).

use crate::outbound::Fetched;
use crate::outbound::remote::Kind;
use jeton_token::key_set::KeySet;
use std::time::Duration;

/// Fresh for ten minutes, or for what its sender says between one minute and one hour; used for a day when its sender does
/// not answer (SEC-225).
pub static KEY_SET: Kind<KeySet> = Kind {
    purpose: "jwks",
    types: &["application/json", "application/jwk-set+json"],
    limit: 64 * 1024,
    read,
    fresh: Duration::from_secs(10 * 60),
    fresh_within: Duration::from_secs(60)..=Duration::from_secs(60 * 60),
    oldest: Duration::from_secs(24 * 60 * 60),
    most: 1024,
};

/// A weak or broken key of the set is left out, so that it verifies nothing and takes no good one with it (SEC-178).
fn read(fetched: &Fetched) -> Result<KeySet, String> {
    if let Err(problem) = KeySet::parse(&fetched.body) {
        tracing::warn!(event = "outbound.key_refused", %problem);
    }
    KeySet::parse_foreign(&fetched.body).map_err(|problem| problem.to_string())
}
