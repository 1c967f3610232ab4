//! Pushed authorization requests: what a `request_uri` of this server stands for, and whether it may be used (RFC 9126).

use super::request::{AuthorizationRequest, REDIRECT_URI_REGISTERED, check_still_registered};
use crate::client::Client;
use crate::params::Params;
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;
use crate::tenant::Tenant;
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

rules! {
    PUSH_WITHOUT_REQUEST_URI = InvalidRequest, "pushed_request_uri", "RFC 9126 §2.1", {
        promise: "A request that is pushed is whole: it has no request_uri",
        told: "A pushed authorization request must not contain request_uri",
        fix: "Push the parameters themselves, or a request object as request; request_uri is what the answer contains"
    };
    PUSHED = InvalidRequest, "request_not_pushed", "RFC 9126 §5, §6", {
        promise: "A client that has to push its requests has pushed this one",
        told: "The client must use a pushed authorization request",
        fix: "Send the parameters to pushed_authorization_request_endpoint first, then the browser with client_id and request_uri"
    };
    REQUEST_URI_KNOWN = InvalidRequestUri, "request_uri_unknown", "RFC 9126 §2.2, §4", {
        promise: "request_uri is one this issuer gave to this client",
        told: "request_uri is not valid for this client",
        fix: "Send request_uri exactly as it was answered, with the client_id that pushed the request"
    };
    REQUEST_URI_LIVE = InvalidRequestUri, "request_uri_expired", "RFC 9126 §2.2, §4", {
        promise: "request_uri has not expired",
        told: "request_uri has expired",
        fix: "Send the browser within expires_in of the answer, or push the request again"
    };
    REQUEST_URI_UNUSED = InvalidRequestUri, "request_uri_used", "RFC 9126 §4, §7.3", {
        promise: "No answer has been given to the pushed request yet",
        told: "request_uri has been used before",
        fix: "Push a new request for each authorization; opening a link again before signing in is fine"
    };
}

pub type PushedRequestId = RowId;

/// What stands before the handle of a pushed request (RFC 9126 §2.2).
pub const URN: &str = "urn:ietf:params:oauth:request_uri:";

/// A request that was judged when it was pushed, and is kept as it was understood then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PushedRequest {
    pub id: PushedRequestId,
    pub request: AuthorizationRequest,
    pub expires_at: Timestamp,
    #[serde(skip)]
    pub used_at: Option<Timestamp>,
}

/// The handle of a pushed request, if the request is a reference to one. What else is in it counts for nothing
/// (RFC 9101 §6.3).
pub fn reference<'a>(params: &'a Params<'_>) -> Result<Option<&'a str>, Refusal> {
    let handle = params
        .one("request_uri")
        .and_then(|uri| uri.strip_prefix(URN));
    if handle.is_some() && params.repeats(&["request_uri"]) {
        params.check_once()?;
    }
    Ok(handle)
}

/// The refusal for a reference that leads to no row.
pub fn unknown(found: &'static str) -> Refusal {
    Refusal::new(
        &REQUEST_URI_KNOWN,
        "a request_uri this issuer gave to the client",
        found,
    )
}

/// The request that `client` pushed. Whose it is comes before its state: a stranger learns nothing from a URI they saw.
///
/// Whether it is still unused when its answer is given, only the write that gives it can know.
pub fn decide(
    pushed: PushedRequest,
    client: &Client,
    tenant: &Tenant,
    now: Timestamp,
    trail: &mut Trail,
) -> Result<AuthorizationRequest, Refusal> {
    let request = pushed.request;
    trail.require(&REQUEST_URI_KNOWN, request.client_id == client.id, || {
        Noted::new("the client that pushed it", "another client")
    })?;
    trail.require(&REQUEST_URI_LIVE, now < pushed.expires_at, || {
        let ago = now.since(pushed.expires_at).as_secs();
        Noted::new("use before its end", format!("{ago} s after it"))
    })?;
    trail.require(&REQUEST_URI_UNUSED, pushed.used_at.is_none(), || {
        Noted::new("no answer yet", "one that was answered")
    })?;
    check_still_registered(&request, true, (client, tenant))?;
    trail.pass(&REDIRECT_URI_REGISTERED);
    Ok(request)
}

/// The refusal for a pushed request that another answer used up meanwhile.
pub fn used_meanwhile() -> Refusal {
    Refusal::new(
        &REQUEST_URI_UNUSED,
        "no answer yet",
        "one that was answered meanwhile",
    )
}
