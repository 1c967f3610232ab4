//! The authorization response and where it goes (RFC 6749 §4.1.2, RFC 9207).

use crate::refusal::Refusal;
use crate::tenant::Issuer;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// A proven redirection URI and the state to give back. Only the request parser makes one, after the proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseTarget {
    redirect_uri: String,
    state: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizationResponse<'a> {
    Code(&'a str),
    Refused(&'a Refusal),
    /// Could not find out (RFC 6749 §4.1.2.1 `server_error`).
    Failed,
}

/// Everything but unreserved characters is encoded: the value comes back as it was sent (SEC-117).
const PARAMETER: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

impl ResponseTarget {
    pub(super) fn proven(redirect_uri: &str, state: Option<String>) -> Self {
        Self {
            redirect_uri: redirect_uri.to_owned(),
            state,
        }
    }

    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The URI to redirect to: the registered one byte for byte, our parameters after it (P-66, P-111, P-113).
    pub fn encode(&self, response: &AuthorizationResponse<'_>, issuer: &Issuer) -> String {
        let mut uri = self.redirect_uri.clone();
        let mut separator = match uri.find('?') {
            None => '?',
            Some(at) if at + 1 == uri.len() || uri.ends_with('&') => '\0',
            Some(_) => '&',
        };
        let mut add = |name: &str, value: &str| {
            if separator != '\0' {
                uri.push(separator);
            }
            separator = '&';
            uri.push_str(name);
            uri.push('=');
            uri.extend(utf8_percent_encode(value, PARAMETER));
        };
        match response {
            AuthorizationResponse::Code(code) => add("code", code),
            AuthorizationResponse::Refused(refusal) => {
                add("error", refusal.code().name());
                add("error_description", refusal.rule.told);
            }
            AuthorizationResponse::Failed => add("error", "server_error"),
        }
        if let Some(state) = &self.state {
            add("state", state);
        }
        add("iss", issuer.as_str());
        uri
    }
}
