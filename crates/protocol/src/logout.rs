//! RP-initiated logout, in its plain form (OpenID Connect RP-Initiated Logout 1.0).

use crate::client::Client;
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;

rules! {
    POST_LOGOUT_URI_REGISTERED = InvalidRequest, "post_logout_redirect_uri_mismatch", "OpenID Connect RP-Initiated Logout §3", {
        promise: "post_logout_redirect_uri is one of the client's registered ones, byte for byte",
        told: "The address to return to after signing out is not registered",
        fix: "Register this exact URI among the client's post_logout_redirect_uris"
    };
    POST_LOGOUT_CLIENT_KNOWN = InvalidRequest, "post_logout_client_unknown", "OpenID Connect RP-Initiated Logout §2", {
        promise: "id_token_hint or client_id says whose post_logout_redirect_uri it is",
        told: "The request does not say which client the user comes from",
        fix: "Send id_token_hint, or client_id, together with post_logout_redirect_uri"
    };
    LOGOUT_HINT_VERIFIES = InvalidRequest, "logout_hint_invalid", "OpenID Connect RP-Initiated Logout §2", {
        promise: "id_token_hint is an ID token this issuer signed, expired or not",
        told: "id_token_hint is not an ID token of this issuer",
        fix: "Send an ID token that this issuer gave to the client"
    };
    LOGOUT_CLIENT_AGREES = InvalidRequest, "logout_client_differs", "OpenID Connect RP-Initiated Logout §2", {
        promise: "client_id is the client the hint was issued to",
        told: "client_id is not the client that id_token_hint was issued to",
        fix: "Leave client_id out, or send the one of the ID token"
    };
}

/// What a verified hint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutHint {
    pub client: String,
    pub subject: String,
    pub session: Option<jeton_token::row_id::RowId>,
}

/// Where the browser goes after signing out, if anywhere.
pub fn return_to(
    requested: Option<&str>,
    client: Option<&Client>,
    state: Option<&str>,
    trail: &mut Trail,
) -> Result<Option<String>, Refusal> {
    let Some(requested) = requested else {
        return Ok(None);
    };
    let client = trail.demand(&POST_LOGOUT_CLIENT_KNOWN, client, || {
        Noted::new(
            "id_token_hint or client_id",
            "neither, or a client that is not known",
        )
    })?;
    let registered = client
        .post_logout_redirect_uris
        .iter()
        .any(|uri| uri.as_str() == requested);
    trail.require(&POST_LOGOUT_URI_REGISTERED, registered, || {
        let known: Vec<&str> = client
            .post_logout_redirect_uris
            .iter()
            .map(|uri| uri.as_str())
            .collect();
        Noted::new(
            known.join(" or "),
            crate::authorize::request::clipped(requested),
        )
    })?;
    let mut uri = requested.to_owned();
    if let Some(state) = state {
        uri.push(if uri.contains('?') { '&' } else { '?' });
        uri.push_str("state=");
        uri.extend(percent_encoding::utf8_percent_encode(
            state,
            percent_encoding::NON_ALPHANUMERIC,
        ));
    }
    Ok(Some(uri))
}
