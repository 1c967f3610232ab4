//! Answers to a request that was turned away (RFC 6750 §3, RFC 9449 §7.1 and §8, RFC 9470 §3). All text is fixed or the
//! resource's own: nothing a caller sent comes back.

use http::header::{HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, Response};
use jeton_token::dpop::ALGORITHMS;
use std::fmt::Write;

use crate::access::Requirement;
use crate::presented::Scheme;
use crate::rejected::{Code, Refused, Rejected};

pub const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The whole answer, without a body: status and challenges. The [`Refused`] is among its extensions, for whoever keeps the log.
pub fn answer<B: Default>(refused: &Refused, requirement: &Requirement) -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = refused.why.status();
    put(refused, requirement, response.headers_mut());
    response.extensions_mut().insert(refused.clone());
    response
}

/// Appends the challenges to headers of an answer that is written elsewhere.
pub fn put(refused: &Refused, requirement: &Requirement, headers: &mut HeaderMap) {
    if matches!(refused.why, Rejected::Unavailable(_)) {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    for text in challenges(refused, requirement) {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.append(WWW_AUTHENTICATE, value);
        }
    }
}

/// The values of `WWW-Authenticate`, one a scheme: in the scheme that was tried; in both for whoever sent no token, or a
/// bound one as if it were not.
///
/// ```
/// use jeton_resource::{Refused, Rejected, Requirement, Scheme, challenge};
///
/// let refused = Refused { why: Rejected::Scope, scheme: Some(Scheme::Bearer) };
/// assert_eq!(refused.why.status(), 403);
/// assert_eq!(
///     challenge::challenges(&refused, &Requirement::scope("reports:read")),
///     [concat!(
///         r#"Bearer error="insufficient_scope", "#,
///         r#"error_description="The access token lacks scope for this request", scope="reports:read""#,
///     )],
/// );
/// ```
pub fn challenges(refused: &Refused, requirement: &Requirement) -> Vec<String> {
    if matches!(refused.why, Rejected::Unavailable(_)) {
        return Vec::new();
    }
    let error = error(&refused.why, requirement);
    let by_bearer = || of("Bearer", error.clone());
    let by_dpop = || {
        let algorithms = ALGORITHMS.map(|algorithm| algorithm.name()).join(" ");
        let mut parameters = error.clone();
        parameters.push(("algs", algorithms));
        of("DPoP", parameters)
    };
    match (refused.scheme, &refused.why) {
        (None, _) | (_, Rejected::BoundAsBearer) => vec![by_bearer(), by_dpop()],
        (Some(Scheme::Bearer), _) => vec![by_bearer()],
        (Some(Scheme::Dpop), _) => vec![by_dpop()],
    }
}

type Parameters = Vec<(&'static str, String)>;

fn error(why: &Rejected, requirement: &Requirement) -> Parameters {
    let Some(code) = why.code() else {
        return Vec::new();
    };
    let mut parameters = vec![
        ("error", code.name().to_owned()),
        ("error_description", why.told().to_owned()),
    ];
    match code {
        Code::InsufficientScope => parameters.push(("scope", requirement.scope.join(" "))),
        Code::InsufficientUserAuthentication => {
            if !requirement.acr_values.is_empty() {
                parameters.push(("acr_values", requirement.acr_values.join(" ")));
            }
            if let Some(most) = requirement.max_age {
                parameters.push(("max_age", most.as_secs().to_string()));
            }
        }
        Code::InvalidRequest | Code::InvalidToken | Code::InvalidDpopProof | Code::UseDpopNonce => {
        }
    }
    parameters
}

fn of(scheme: &str, parameters: Parameters) -> String {
    let mut text = scheme.to_owned();
    for (place, (name, value)) in parameters.into_iter().enumerate() {
        let before = if place == 0 { " " } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(text, "{before}{name}=\"{}\"", quotable(&value));
    }
    text
}

/// What may stand in a quoted string of these parameters without an escape. (RFC 6750 §3)
fn quotable(value: &str) -> String {
    value
        .chars()
        .filter(|c| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~'))
        .collect()
}
