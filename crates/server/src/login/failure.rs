//! The page for what cannot go on. Nothing of the request is on it but its id (SEC-100); in development also why.

use super::view;
use crate::app::App;
use crate::http::denied::{Denied, later};
use crate::http::exchange::Exchange;
use crate::http::reply::{self, Reply};
use crate::pages::{Explained, Failure, Page};
use http::StatusCode;
use jeton_protocol::refusal::Refusal;

pub fn page(app: &App, exchange: &Exchange, denied: &Denied) -> Reply {
    let (status, cause) = match denied {
        Denied::Refused(refusal)
        | Denied::RefusedWithChallenge(refusal)
        | Denied::RefusedWithNonce(refusal, _) => (StatusCode::BAD_REQUEST, refusal.rule.cause),
        Denied::Throttled(..) => (StatusCode::TOO_MANY_REQUESTS, "throttled"),
        Denied::Failed(fault) if fault.is_passing() => {
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
        }
        Denied::Failed(_) => (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
    };
    let reply = render(app, exchange, (status, cause), denied.refusal());
    match denied {
        Denied::Throttled(_, reached) => later(reply, reached.seconds),
        Denied::Failed(fault) if fault.is_passing() => later(reply, 1),
        Denied::Failed(_)
        | Denied::Refused(_)
        | Denied::RefusedWithChallenge(_)
        | Denied::RefusedWithNonce(..) => reply,
    }
}

/// `cause` is the class of text the page has; a rule without one of its own gets the general text.
pub fn render(
    app: &App,
    exchange: &Exchange,
    (status, cause): (StatusCode, &str),
    refusal: Option<&Refusal>,
) -> Reply {
    let request_id = exchange.id.to_string();
    let trace = format!("/dev/trace/{request_id}");
    let explained = refusal
        .filter(|_| app.is_development())
        .map(|refusal| Explained {
            clause: refusal.rule.clause,
            promise: refusal.rule.promise,
            expected: &refusal.noted.expected,
            found: &refusal.noted.found,
            fix: refusal.rule.fix,
            trace: Some(&trace),
        });
    let failure = Failure {
        look: view::look(&exchange.tenant.tenant),
        cause,
        request_id: &request_id,
        explained,
        onward: None,
    };
    match app
        .pages
        .render(&Page::Failure(failure), view::locale(exchange, None))
    {
        Ok(html) => reply::page(status, html, None),
        Err(error) => {
            tracing::error!(%error, request_id, "the failure page could not be rendered");
            reply::empty(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}
