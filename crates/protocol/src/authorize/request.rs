//! The authorization request: parsed once, then kept by the server as it was.
//!
//! Until the redirection URI is proven a refusal can only be shown here; from then on it is sent to the client
//! (RFC 6749 §4.1.2.1). The two are different types, so the order of the checks cannot be got wrong.

use super::parameters::{
    NONCE_FITS, claims, code_challenge, hinted_subject, max_age, prompt, requested_scope,
};
use super::response::ResponseTarget;
use crate::claims::ClaimsRequest;
use crate::client::{Client, ClientId, GrantType};
use crate::dpop;
use crate::params::Params;
use crate::refusal::{Noted, Refusal, Rule, Trail};
use crate::rules;
use crate::scope::Scope;
use crate::tenant::Tenant;
use jeton_token::confirmation::Confirmation;
use serde::{Deserialize, Serialize};

rules! {
    CLIENT_ID_SENT = InvalidRequest, "client_id_missing", "RFC 6749 §4.1.1", {
        promise: "The request names its client",
        told: "The request does not say which client it is for",
        fix: "Add client_id to the authorization request"
    };
    CLIENT_KNOWN = InvalidRequest, "client_unknown", "RFC 6749 §4.1.2.1", {
        promise: "The client is registered and enabled here",
        told: "The client is not known here",
        fix: "Register the client with this issuer, or correct client_id; a disabled client answers the same"
    };
    REDIRECT_URI_SENT = InvalidRequest, "redirect_uri_missing", "RFC 6749 §3.1.2.3, Core §3.1.2.1", {
        promise: "The request names its redirection URI",
        told: "The request does not say where to return to",
        fix: "Add redirect_uri, exactly as registered"
    };
    REDIRECT_URI_REGISTERED = InvalidRequest, "redirect_uri_mismatch", "RFC 9700 §4.1.3", {
        promise: "The redirection URI is one of the registered ones, byte for byte",
        told: "The redirection URI is not registered for this client",
        fix: "Register this exact URI for the client, or send one that is registered; case, port, trailing slash and query all count"
    };
    STATE_FITS = InvalidRequest, "state_too_long", "RFC 6749 §4.1.1", {
        promise: "state has at most 2048 bytes",
        told: "state is longer than 2048 bytes",
        fix: "Keep what state stands for at the client, and send a short reference to it"
    };
    CLIENT_MAY_AUTHORIZE = UnauthorizedClient, "grant_type_not_registered", "RFC 6749 §4.1.2.1", {
        promise: "The client is registered for the authorization code grant",
        told: "The client is not registered for the authorization code grant",
        fix: "Add authorization_code to the client's grant_types"
    };
    RESPONSE_TYPE_SENT = InvalidRequest, "response_type_missing", "RFC 6749 §3.1.1", {
        promise: "The request says which response it wants",
        told: "response_type is missing",
        fix: "Add response_type=code"
    };
    RESPONSE_TYPE_CODE = UnsupportedResponseType, "response_type_unsupported", "RFC 9700 §2.1.2", {
        promise: "The response type is code",
        told: "This response type is not supported",
        fix: "Use response_type=code with PKCE; tokens are not given out at the front channel"
    };
    RESPONSE_MODE_QUERY = InvalidRequest, "response_mode_unsupported", "OAuth 2.0 Multiple Response Types §2.1", {
        promise: "The response mode is one this server offers",
        told: "This response mode is not supported",
        fix: "Leave response_mode out, or use one that the metadata lists"
    };
    REQUEST_OBJECT_ABSENT = RequestNotSupported, "request_object_unsupported", "Core §3.1.2.6", {
        promise: "The request carries no request object",
        told: "Request objects are not supported",
        fix: "Send the parameters as plain query or form parameters"
    };
    REQUEST_URI_ABSENT = RequestUriNotSupported, "request_uri_unsupported", "Core §3.1.2.6", {
        promise: "The request carries no request_uri",
        told: "request_uri is not supported",
        fix: "Send the parameters as plain query or form parameters"
    };
    REGISTRATION_ABSENT = RegistrationNotSupported, "registration_unsupported", "Core §3.1.2.6", {
        promise: "The request carries no registration parameter",
        told: "The registration parameter is not supported",
        fix: "Register the client beforehand"
    };
}

const LONGEST_ECHO: usize = 2048;

/// Why an authorization request ends before anybody was asked.
#[derive(Debug)]
pub enum AuthorizeRefusal {
    /// A page on our own origin: the redirection URI is not proven.
    Shown(Refusal),
    /// An error response to the proven redirection URI.
    Sent(Refusal, Box<ResponseTarget>),
}

impl AuthorizeRefusal {
    pub fn refusal(&self) -> &Refusal {
        match self {
            Self::Shown(refusal) | Self::Sent(refusal, _) => refusal,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    None,
    Login,
    Consent,
    SelectAccount,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    pub client_id: ClientId,
    pub target: ResponseTarget,
    /// What may be granted at most: asked for, known and allowed.
    pub scope: Scope,
    pub code_challenge: String,
    pub nonce: Option<String>,
    /// What the code is bound to by `dpop_jkt` (RFC 9449 §10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Confirmation>,
    pub prompt: Vec<Prompt>,
    pub max_age: Option<u64>,
    pub login_hint: Option<String>,
    pub ui_locales: Option<String>,
    pub claims: Option<ClaimsRequest>,
    /// `sub` of a verified `id_token_hint`.
    pub hinted_subject: Option<String>,
}

impl AuthorizationRequest {
    pub fn prompts(&self, prompt: Prompt) -> bool {
        self.prompt.contains(&prompt)
    }

    pub fn is_openid(&self) -> bool {
        self.scope.contains("openid")
    }

    /// Reads everything behind the redirection URI, which `target` has proven.
    ///
    /// `hint` verifies an `id_token_hint` and returns its subject; expiry does not matter there (Core §3.1.2.2).
    pub fn parse(
        params: &Params<'_>,
        client: &Client,
        tenant: &Tenant,
        hint: impl FnOnce(&str) -> Option<String>,
        trail: &mut Trail,
    ) -> Result<Self, AuthorizeRefusal> {
        let target = prove_redirect_uri(params, client, trail).map_err(AuthorizeRefusal::Shown)?;
        match Self::read(params, client, tenant, hint, &target, trail) {
            Ok(request) => Ok(request),
            Err(refusal) => Err(AuthorizeRefusal::Sent(refusal, Box::new(target))),
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the tail of parse, which has the same facts and the target"
    )]
    fn read(
        params: &Params<'_>,
        client: &Client,
        tenant: &Tenant,
        hint: impl FnOnce(&str) -> Option<String>,
        target: &ResponseTarget,
        trail: &mut Trail,
    ) -> Result<Self, Refusal> {
        params.check_once()?;
        check_response(params, client, trail)?;
        let scope = requested_scope(params, client, tenant, trail)?;
        let code_challenge = code_challenge(params, trail)?;
        let nonce = short(params.one("nonce"), &NONCE_FITS, trail)?;
        let key = dpop::requested_key(params, trail)?;
        let prompt = prompt(params, trail)?;
        let max_age = max_age(params, trail)?.or(client.default_max_age);
        let claims = claims(params, trail)?;
        let hinted_subject = hinted_subject(params, claims.as_ref(), hint, trail)?;
        Ok(Self {
            client_id: client.id.clone(),
            target: target.clone(),
            scope,
            code_challenge,
            nonce,
            key,
            prompt,
            max_age,
            login_hint: bounded(params.one("login_hint")),
            ui_locales: bounded(params.one("ui_locales")),
            claims,
            hinted_subject,
        })
    }
}

/// The client the request names, which the caller then loads.
pub fn client_id(params: &Params<'_>, trail: &mut Trail) -> Result<ClientId, Refusal> {
    if params.repeats(&["client_id"]) {
        params.check_once()?;
    }
    let sent = trail.demand(&CLIENT_ID_SENT, params.one("client_id"), || {
        Noted::new("client_id", "absent")
    })?;
    ClientId::parse(sent).ok_or_else(|| unknown_client("an id with illegal characters"))
}

/// The refusal for a client that is not there, or disabled: one answer for both.
pub fn unknown_client(found: &'static str) -> Refusal {
    Refusal::new(&CLIENT_KNOWN, "a registered, enabled client", found)
}

fn prove_redirect_uri(
    params: &Params<'_>,
    client: &Client,
    trail: &mut Trail,
) -> Result<ResponseTarget, Refusal> {
    trail.pass(&CLIENT_KNOWN);
    if params.repeats(&["redirect_uri", "state", "response_mode"]) {
        params.check_once()?;
    }
    let sent = trail.demand(&REDIRECT_URI_SENT, params.one("redirect_uri"), || {
        Noted::new("redirect_uri", "absent")
    })?;
    let registered = client
        .redirect_uris
        .iter()
        .any(|uri| uri.admits(sent, client.application_type));
    trail.require(&REDIRECT_URI_REGISTERED, registered, || {
        let known: Vec<&str> = client
            .redirect_uris
            .iter()
            .map(|uri| uri.as_str())
            .collect();
        Noted::new(known.join(" or "), clipped(sent))
    })?;
    let state = short(params.one("state"), &STATE_FITS, trail)?;
    Ok(ResponseTarget::proven(sent, state))
}

fn check_response(params: &Params<'_>, client: &Client, trail: &mut Trail) -> Result<(), Refusal> {
    trail.require(
        &REQUEST_OBJECT_ABSENT,
        params.one("request").is_none(),
        || Noted::new("no request", "request"),
    )?;
    trail.require(
        &REQUEST_URI_ABSENT,
        params.one("request_uri").is_none(),
        || Noted::new("no request_uri", "request_uri"),
    )?;
    trail.require(
        &REGISTRATION_ABSENT,
        params.one("registration").is_none(),
        || Noted::new("no registration", "registration"),
    )?;
    let response_type = trail.demand(&RESPONSE_TYPE_SENT, params.one("response_type"), || {
        Noted::new("response_type=code", "absent")
    })?;
    trail.require(&RESPONSE_TYPE_CODE, response_type == "code", || {
        Noted::new("code", clipped(response_type))
    })?;
    trail.require(
        &CLIENT_MAY_AUTHORIZE,
        client.may_use(GrantType::AuthorizationCode),
        || {
            Noted::new(
                "authorization_code among the client's grant_types",
                "not registered",
            )
        },
    )?;
    let mode = params.one("response_mode").unwrap_or("query");
    trail.require(&RESPONSE_MODE_QUERY, mode == "query", || {
        Noted::new("query", clipped(mode))
    })
}

pub(super) fn short(
    value: Option<&str>,
    rule: &'static Rule,
    trail: &mut Trail,
) -> Result<Option<String>, Refusal> {
    let length = value.map_or(0, str::len);
    trail.require(rule, length <= LONGEST_ECHO, || {
        Noted::new(
            format!("at most {LONGEST_ECHO} bytes"),
            format!("{length} bytes"),
        )
    })?;
    Ok(value.map(str::to_owned))
}

/// Hints help or they do not; an absurd one is dropped (P-79, P-81).
fn bounded(value: Option<&str>) -> Option<String> {
    value.filter(|text| text.len() <= 256).map(str::to_owned)
}

/// A caller's text for the operator's eyes: shortened, and without control characters (SEC-251).
pub(crate) fn clipped(text: &str) -> String {
    text.chars()
        .take(200)
        .map(|c| if c.is_control() { '·' } else { c })
        .collect()
}
