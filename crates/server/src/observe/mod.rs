//! What happened: one log line a decision, the trace of a development server, the metrics. Nothing secret gets here.

pub mod metrics;
mod quiet;
pub mod trace;

use crate::http::denied::Denied;
use crate::http::exchange::Exchange;
use crate::http::routes::Route;
use crate::throttle::Reached;
use jeton_protocol::refusal::{ErrorCode, Refusal, Rule, Trail};
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use quiet::Quiet;
use std::fmt;
use std::sync::Mutex;
use trace::{Step, Trace};

pub struct Observe {
    trace: Option<Mutex<Trace>>,
    throttled: Quiet,
}

impl fmt::Debug for Observe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observe")
            .field("traces", &self.trace.is_some())
            .finish()
    }
}

impl Observe {
    pub fn new(traces: bool) -> Self {
        Self {
            trace: traces.then(|| Mutex::new(Trace::new())),
            throttled: Quiet::default(),
        }
    }

    pub fn trail(&self) -> Trail {
        if self.trace.is_some() {
            Trail::watched()
        } else {
            Trail::off()
        }
    }

    /// A refusal that left as an envelope of the route.
    pub fn note_denied(
        &self,
        exchange: &Exchange,
        route: &Route,
        (denied, now): (&Denied, Timestamp),
    ) {
        match denied {
            Denied::Refused(refusal)
            | Denied::RefusedWithChallenge(refusal)
            | Denied::RefusedWithNonce(refusal, _) => {
                // A device that waits is told so every few seconds, and nothing is wrong.
                if refusal.code() != ErrorCode::AuthorizationPending {
                    log_refusal(exchange, route.label, refusal);
                }
                self.keep(exchange, refusal);
            }
            Denied::Throttled(_, reached) => {
                self.note_throttled(exchange, route.label, (reached, now));
            }
            Denied::Failed(fault) => {
                tracing::error!(event = "fault", request_id = %exchange.id, tenant = %exchange.tenant.id(), endpoint = route.label, %fault);
            }
        }
    }

    /// A limit that was reached: one line a minute for each, which says how many others there were.
    pub fn note_throttled(
        &self,
        exchange: &Exchange,
        endpoint: &str,
        (reached, now): (&Reached, Timestamp),
    ) {
        let tenant = exchange.tenant.id();
        let what = (tenant.as_str(), reached.limit, reached.of.as_str());
        let Some(left_out) = self.throttled.may_log(&what, now) else {
            return;
        };
        tracing::warn!(
            event = "throttled",
            request_id = %exchange.id,
            %tenant,
            endpoint,
            limit = reached.limit,
            // Quoted, because a caller chose part of it (SEC-251).
            of = ?reached.of,
            address = %exchange.address,
            retry_after = reached.seconds,
            left_out,
        );
    }

    /// A refusal that was sent to the client's redirection URI.
    pub fn note_sent_refusal(&self, exchange: &Exchange, refusal: &Refusal) {
        log_refusal(exchange, "authorization response", refusal);
        self.keep(exchange, refusal);
    }

    /// A refusal that a page tells in its own words, and lets the person try again.
    pub fn note_shown_refusal(&self, exchange: &Exchange, refusal: &Refusal) {
        log_refusal(exchange, &exchange.path, refusal);
        self.keep(exchange, refusal);
    }

    /// A token that was described as inactive, and why.
    pub fn note_inactive(&self, exchange: &Exchange, refusal: &Refusal) {
        tracing::info!(
            event = "inactive",
            request_id = %exchange.id,
            tenant = %exchange.tenant.id(),
            cause = refusal.rule.cause,
            clause = refusal.rule.clause,
        );
        self.keep(exchange, refusal);
    }

    fn keep(&self, exchange: &Exchange, refusal: &Refusal) {
        self.with_trace(|trace| trace.note_refusal(exchange.id, refusal.clone()));
    }

    /// The request is over.
    pub fn finish(&self, finished: Finished<'_>) {
        self.with_trace(|trace| trace.add(Step::of(&finished)));
    }

    pub fn traces(&self) -> bool {
        self.trace.is_some()
    }

    pub fn with_trace<T>(&self, look: impl FnOnce(&mut Trace) -> T) -> Option<T> {
        let trace = self.trace.as_ref()?;
        Some(look(
            &mut trace
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        ))
    }
}

/// A finished request, as the trace wants it.
#[derive(Debug)]
pub struct Finished<'a> {
    pub exchange: &'a Exchange,
    pub route: &'static Route,
    pub id: RowId,
    pub at: Timestamp,
    pub took: std::time::Duration,
    pub status: u16,
    pub location: Option<&'a str>,
    pub passed: &'a [&'static Rule],
}

/// Both values and the fix, for the operator (design §7). Values that came from a caller have no control characters.
fn log_refusal(exchange: &Exchange, endpoint: &str, refusal: &Refusal) {
    tracing::warn!(
        event = "refused",
        request_id = %exchange.id,
        tenant = %exchange.tenant.id(),
        endpoint,
        error = refusal.rule.code.name(),
        cause = refusal.rule.cause,
        clause = refusal.rule.clause,
        // Quoted and escaped, so that a caller's text cannot pass for further fields (SEC-251).
        expected = ?refusal.noted.expected,
        found = ?refusal.noted.found,
        hint = refusal.rule.fix,
    );
}
