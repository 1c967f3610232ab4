//! Why an endpoint did not do what it was asked: a refusal, or a fault. And the envelopes that turn either into bytes.

use super::exchange::Exchange;
use super::reply::{self, Reply};
use crate::app::App;
use crate::login;
use crate::sender::{self, DPOP};
use crate::throttle::Reached;
use http::{HeaderValue, StatusCode, header};
use jeton_protocol::dpop::resource::BOUND_BY_DPOP;
use jeton_protocol::issue::MintError;
use jeton_protocol::params::FORM_CONTENT_TYPE;
use jeton_protocol::refusal::{ErrorCode, Refusal, Rule};
use jeton_protocol::rules;
use jeton_protocol::userinfo::{TOKEN_PRESENTED, TOKEN_SCHEME};
use jeton_store::StoreError;
use jeton_token::dpop::ALGORITHMS;
use serde_json::json;
use thiserror::Error;

rules! {
    FEW_CLIENT_FAILURES = InvalidRequest, "too_many_client_failures", "RFC 6585 §4, RFC 6819 §5.1.4.2.3", {
        promise: "A client at one address does not fail to authenticate again and again",
        told: "Too many failed client authentications; try again later",
        fix: "Correct the client's credentials, then wait as long as Retry-After says; limits.client_failures is how many a minute"
    };
    FEW_REQUESTS = InvalidRequest, "too_many_requests", "RFC 6585 §4", {
        promise: "A client asks no more often than it may",
        told: "Too many requests of this client; try again later",
        fix: "Wait as long as Retry-After says and keep tokens until they expire; limits.token_requests_per_client and limits.introspections_per_client are how many a second"
    };
    FEW_DEVICE_STARTS = InvalidRequest, "too_many_device_starts", "RFC 6585 §4, RFC 8628 §5.1", {
        promise: "A client at one address does not start devices without end",
        told: "Too many devices were started; try again later",
        fix: "Wait as long as Retry-After says, and start a device when its user asks for it: ten a minute is the most for a client at one address"
    };
    FEW_USER_CODES = InvalidRequest, "too_many_user_codes", "RFC 8628 §5.1, SEC-153", {
        promise: "Nobody types wrong user codes again and again",
        told: "Too many wrong codes; try again later",
        fix: "Wait as long as Retry-After says; limits.sign_in_failures_per_account and limits.sign_ins_per_address count wrong codes like wrong passwords"
    };
    FEW_SIGN_INS = InvalidRequest, "too_many_sign_ins", "RFC 6585 §4", {
        promise: "One address does not begin sign-ins without end",
        told: "Too many sign-ins were begun from this address",
        fix: "Wait as long as Retry-After says"
    };
}

/// Could not find out, or could not do it. Never looks like a refusal.
#[derive(Debug, Error)]
pub enum Fault {
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    #[error("minting: {0}")]
    Mint(#[from] MintError),
    #[error("a page: {0}")]
    Page(#[from] crate::pages::PageError),
    #[error("password hashing is busy")]
    HashingBusy,
    #[error("a key of the tenant is missing or broken: {0}")]
    Keys(String),
}

impl Fault {
    /// Whether trying again may help.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Store(_) | Self::HashingBusy)
    }
}

#[derive(Debug)]
pub enum Denied {
    Refused(Refusal),
    /// As `Refused`, for a client that tried the Authorization header (RFC 6749 §5.2).
    RefusedWithChallenge(Refusal),
    /// As `Refused`, with the nonce that the next proof must carry (RFC 9449 §8).
    RefusedWithNonce(Refusal, String),
    /// Too many tries, by this rule, and which limit was reached.
    Throttled(&'static Rule, Reached),
    Failed(Fault),
}

impl Denied {
    /// A refusal under another rule; whatever else it is stays.
    pub fn worded(self, word: impl FnOnce(Refusal) -> Refusal) -> Self {
        match self {
            Self::Refused(refusal) => Self::Refused(word(refusal)),
            Self::RefusedWithChallenge(_)
            | Self::RefusedWithNonce(..)
            | Self::Throttled(..)
            | Self::Failed(_) => self,
        }
    }
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl<F: Into<Fault>> From<F> for Denied {
    fn from(fault: F) -> Self {
        Self::Failed(fault.into())
    }
}

impl Denied {
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal)
            | Self::RefusedWithChallenge(refusal)
            | Self::RefusedWithNonce(refusal, _) => Some(refusal),
            Self::Throttled(..) | Self::Failed(_) => None,
        }
    }
}

/// How a route says no. Chosen by the table of routes, so that no endpoint picks a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// RFC 6749 §5.2.
    Token,
    /// RFC 6750 §3, RFC 9449 §7.1.
    Bearer,
    /// A page for a person.
    Page,
}

impl Envelope {
    pub fn write(self, app: &App, exchange: &Exchange, denied: &Denied) -> Reply {
        match self {
            Self::Token => token_error(exchange, denied),
            Self::Bearer => bearer_error(exchange, denied),
            Self::Page => login::failure::page(app, exchange, denied),
        }
    }
}

fn token_error(exchange: &Exchange, denied: &Denied) -> Reply {
    match denied {
        Denied::Refused(refusal)
        | Denied::RefusedWithChallenge(refusal)
        | Denied::RefusedWithNonce(refusal, _) => {
            let status = if refusal.code() == ErrorCode::InvalidClient {
                StatusCode::UNAUTHORIZED
            } else if refusal.rule == &FORM_CONTENT_TYPE {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            } else {
                StatusCode::BAD_REQUEST
            };
            let mut reply = reply::json_no_store(status, &error_body(exchange, refusal.rule));
            if matches!(denied, Denied::RefusedWithChallenge(_))
                && status == StatusCode::UNAUTHORIZED
            {
                challenge(
                    &mut reply,
                    format!(
                        "Basic realm=\"{}\", charset=\"UTF-8\"",
                        exchange.tenant.tenant.issuer
                    ),
                );
            }
            if let Denied::RefusedWithNonce(_, nonce) = denied {
                sender::put_nonce(nonce, &mut reply);
            }
            reply
        }
        Denied::Throttled(rule, reached) => {
            let body = error_body(exchange, rule);
            later(
                reply::json_no_store(StatusCode::TOO_MANY_REQUESTS, &body),
                reached.seconds,
            )
        }
        Denied::Failed(fault) => failed(exchange, fault),
    }
}

fn bearer_error(exchange: &Exchange, denied: &Denied) -> Reply {
    let Some(refusal) = denied.refusal() else {
        return token_error(exchange, denied);
    };
    const UNPROVEN: [ErrorCode; 3] = [
        ErrorCode::InvalidToken,
        ErrorCode::InvalidDpopProof,
        ErrorCode::UseDpopNonce,
    ];
    let status = if refusal.code() == ErrorCode::InsufficientScope {
        StatusCode::FORBIDDEN
    } else if UNPROVEN.contains(&refusal.code()) {
        StatusCode::UNAUTHORIZED
    } else {
        StatusCode::BAD_REQUEST
    };
    let mut reply = reply::json_no_store(status, &error_body(exchange, refusal.rule));
    for text in challenges(exchange, refusal) {
        challenge(&mut reply, text);
    }
    if let Denied::RefusedWithNonce(_, nonce) = denied {
        sender::put_nonce(nonce, &mut reply);
    }
    reply
}

/// In the scheme that was tried; in both for whoever sent nothing, or a bound token as if it were not.
fn challenges(exchange: &Exchange, refusal: &Refusal) -> Vec<String> {
    // Without any credentials the challenge names no error (RFC 6750 §3.1).
    let nothing_sent = refusal.rule == &TOKEN_PRESENTED || refusal.rule == &TOKEN_SCHEME;
    let mut error = String::new();
    if !nothing_sent {
        error = format!(
            ", error=\"{}\", error_description=\"{}\"",
            refusal.code().name(),
            refusal.rule.told
        );
        if refusal.code() == ErrorCode::InsufficientScope {
            error.push_str(", scope=\"openid\"");
        }
    }
    let realm = &exchange.tenant.tenant.issuer;
    let by_bearer = format!("Bearer realm=\"{realm}\"{error}");
    let algorithms = ALGORITHMS.map(|algorithm| algorithm.name()).join(" ");
    let by_dpop = format!("DPoP realm=\"{realm}\", algs=\"{algorithms}\"{error}");
    if nothing_sent || refusal.rule == &BOUND_BY_DPOP {
        vec![by_bearer, by_dpop]
    } else if tries_dpop(exchange) {
        vec![by_dpop]
    } else {
        vec![by_bearer]
    }
}

fn tries_dpop(exchange: &Exchange) -> bool {
    let scheme = exchange
        .authorization()
        .and_then(|value| value.split(' ').next());
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(DPOP.as_str()))
}

/// `error_uri` leads to our own page about the rule (S40).
fn error_body(exchange: &Exchange, rule: &'static Rule) -> serde_json::Value {
    json!({
        "error": rule.code.name(),
        "error_description": rule.told,
        "error_uri": exchange.tenant.tenant.issuer.join(&format!("/errors/{}", crate::rules::as_told(rule).cause)),
    })
}

fn failed(exchange: &Exchange, fault: &Fault) -> Reply {
    let (status, error) = if fault.is_passing() {
        (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable")
    } else {
        (StatusCode::INTERNAL_SERVER_ERROR, "server_error")
    };
    let told = format!("The server could not answer; request {}", exchange.id);
    let reply = reply::json_no_store(
        status,
        &json!({ "error": error, "error_description": told }),
    );
    if fault.is_passing() {
        later(reply, 1)
    } else {
        reply
    }
}

fn challenge(reply: &mut Reply, text: String) {
    if let Ok(value) = HeaderValue::try_from(text) {
        reply.headers_mut().append(header::WWW_AUTHENTICATE, value);
    }
}

pub fn later(mut reply: Reply, seconds: u64) -> Reply {
    reply
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    reply
}
