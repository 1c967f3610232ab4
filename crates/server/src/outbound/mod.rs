//! The only door out of the server: every address of a name is checked, the checked address is the one connected to, and the
//! answer is small, quick and of a type that was asked for (SEC-R04). Nobody else opens a connection to somebody else's server.

mod address;
mod answer;
mod connect;
mod error;
pub mod remote;
mod settings;
mod target;
mod turns;

pub use address::special_range;
pub use answer::Fetched;
pub use connect::read_authorities;
pub use error::OutboundError;
pub use settings::{Names, Settings};
pub use target::{Target, fetchable};

use crate::observe::metrics::Egress;
use connect::Trust;
use std::fmt;
use turns::Turns;

/// What to fetch, and what may come back.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// A word of ours, for the log and the metrics.
    pub purpose: &'static str,
    pub url: &'a str,
    /// The media types that are taken, in lower case and without parameters.
    pub types: &'a [&'static str],
    /// The most bytes of the body.
    pub limit: usize,
}

pub struct Door {
    settings: Settings,
    trust: Trust,
    turns: Turns,
    egress: Egress,
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Door {
    /// A door as configured. Certificate authorities that cannot be read are told here, not when somebody needs them.
    pub fn new(settings: Settings, egress: Egress) -> Result<Self, String> {
        Ok(Self {
            trust: Trust::read(&settings.authorities)?,
            turns: Turns::new(),
            settings,
            egress,
        })
    }

    /// Fetches a document by GET and reads it; what `read` refuses, in words for the operator, is a failure like any other.
    /// Only status 200 counts, and nothing is followed (SEC-222).
    ///
    /// A failure is logged here, and told no sooner than `Settings::shortest_failure`: how long it took does not say whether
    /// an address was refused or a server did not answer (SEC-220). What it was is for the operator, never for a caller.
    pub async fn fetch<T>(
        &self,
        wanted: Wanted<'_>,
        read: impl FnOnce(Fetched) -> Result<T, String>,
    ) -> Result<T, OutboundError> {
        let earliest = tokio::time::sleep(self.settings.shortest_failure);
        let url = target::shown(wanted.url);
        let answered = tokio::time::timeout(self.settings.patience, self.go(&wanted)).await;
        let answered = answered.unwrap_or(Err(OutboundError::TooSlow));
        let document = answered.and_then(|fetched| {
            let about = tracing::warn_span!("document", url = ?url);
            about
                .in_scope(|| read(fetched))
                .map_err(OutboundError::Unusable)
        });
        match &document {
            Ok(_) => self.egress.count(wanted.purpose, "fetched"),
            Err(error) => {
                self.egress.count(wanted.purpose, error.outcome());
                tracing::warn!(
                    event = "outbound.failed",
                    purpose = wanted.purpose,
                    url = ?url,
                    problem = ?error.to_string(),
                );
                earliest.await;
            }
        }
        document
    }

    async fn go(&self, wanted: &Wanted<'_>) -> Result<Fetched, OutboundError> {
        let target = Target::parse(wanted.url, &self.settings)?;
        let turn = self.turns.take(&target.authority).await;
        let addresses = connect::resolve(&target, &self.settings.names, &turn).await?;
        let stream = connect::connect(&target, &addresses, self.settings.patience).await?;
        if target.is_https {
            let stream = self.trust.handshake(&target, stream).await?;
            answer::ask(stream, &target, wanted).await
        } else {
            answer::ask(stream, &target, wanted).await
        }
    }
}
