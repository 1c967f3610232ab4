//! The page for what cannot go on.

use serde::Serialize;

use super::{Look, WebUrl};

/// Says what happened, what the person can do and where the developer should look. Holds no text from the request but
/// what the caller puts into [`Explained`], which only a `dev` server fills.
#[derive(Debug, Clone, Serialize)]
pub struct Failure<'a> {
    pub look: Look<'a>,
    /// Stable class of the failure; one without texts of its own gets the general ones.
    pub cause: &'a str,
    pub request_id: &'a str,
    pub explained: Option<Explained<'a>>,
    /// The way on to a client that is not trusted enough to be redirected to unseen. (SEC-106)
    pub onward: Option<Onward<'a>>,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub struct Explained<'a> {
    pub clause: &'a str,
    pub promise: &'a str,
    pub expected: &'a str,
    pub found: &'a str,
    /// Commands and lines of configuration between backquotes.
    pub fix: &'a str,
    /// Path of the request in the trace.
    pub trace: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub struct Onward<'a> {
    pub url: WebUrl<'a>,
    pub host: &'a str,
}

/// The message of a cause: that of its class, or the general one.
pub(super) fn message_of(cause: &str, exists: impl Fn(&str) -> bool) -> String {
    let message = format!("failure-{}", class_of(cause).replace('_', "-"));
    if exists(&message) {
        message
    } else {
        "failure-generic".to_owned()
    }
}

/// Causes that read the same to a person.
///
/// A client that does not exist and a redirection URI that is not its own must: a stranger shall not be able to tell
/// which clients exist. (SEC-100)
fn class_of(cause: &str) -> &str {
    match cause {
        "client_id_missing"
        | "client_unknown"
        | "unknown_client"
        | "redirect_uri_missing"
        | "redirect_uri_mismatch"
        | "redirect_uri_invalid" => "unregistered",
        "interaction_unknown" => "expired",
        "request_uri_unknown" | "request_uri_expired" | "request_uri_used" => "request_uri_invalid",
        "interaction_of_another_browser" => "wrong_browser",
        "form_from_elsewhere" => "foreign_form",
        "in_a_frame" => "framed",
        "post_logout_redirect_uri_mismatch"
        | "post_logout_client_unknown"
        | "logout_hint_invalid"
        | "logout_client_differs" => "sign_out",
        "content_type_not_form"
        | "parameter_encoding"
        | "parameter_repeated"
        | "too_many_parameters"
        | "parameters_in_query"
        | "state_too_long" => "invalid_request",
        other => other,
    }
}
