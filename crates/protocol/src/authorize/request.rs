//! The authorization request: parsed once, then kept by the server as it was.
//!
//! Until the redirection URI is proven a refusal can only be shown here; from then on it is sent to the client
//! (RFC 6749 §4.1.2.1). The two are different types, so the order of the checks cannot be got wrong.

use super::parameters::{
    NONCE_FITS, claims, code_challenge, hinted_subject, max_age, prompt, requested_scope,
};
use super::pushed::{PUSH_WITHOUT_REQUEST_URI, PUSHED};
use super::request_object::{self, KeysElsewhere};
use super::response::{MODES, ResponseMode, ResponseTarget};
use crate::claims::ClaimsRequest;
use crate::client::{Client, ClientId, GrantType};
use crate::client_auth::AuthenticatedClient;
use crate::dpop;
use crate::params::Params;
use crate::redirect_uri::RedirectUri;
use crate::refusal::{Noted, Refusal, Rule, Trail};
use crate::rules;
use crate::scope::Scope;
use crate::tenant::Tenant;
use jeton_token::confirmation::Confirmation;
use jeton_token::timestamp::Timestamp;
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
    RESPONSE_MODE_OFFERED = InvalidRequest, "response_mode_unsupported", "OAuth 2.0 Multiple Response Types §2.1, Form Post Response Mode §2, JARM §2.3", {
        promise: "The response mode is one this server offers, and a form can be posted to where it leads",
        told: "This response mode is not supported",
        fix: "Leave response_mode out, or use one that the metadata lists; form_post needs an http or https redirection URI"
    };
    REQUEST_URI_ABSENT = RequestUriNotSupported, "request_uri_unsupported", "Core §3.1.2.6", {
        promise: "request_uri, where it is sent, is one of the pushed authorization request endpoint",
        told: "This request_uri is not supported",
        fix: "Push the request and send the request_uri of the answer, or send the request object itself as request"
    };
    REGISTRATION_ABSENT = RegistrationNotSupported, "registration_unsupported", "Core §3.1.2.6", {
        promise: "The request carries no registration parameter",
        told: "The registration parameter is not supported",
        fix: "Register the client beforehand"
    };
}

const LONGEST_ECHO: usize = 2048;

/// How a request came.
#[derive(Clone, Copy, Debug)]
pub enum Arrival<'a> {
    /// With a browser, from anybody.
    Browser,
    /// From the client itself, at the pushed authorization request endpoint (RFC 9126 §2.1).
    Pushed(&'a AuthenticatedClient),
}

/// What a request is judged by, itself aside.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    pub client: &'a Client,
    pub tenant: &'a Tenant,
    pub arrival: Arrival<'a>,
    /// Where a request object is verified with keys that are not in the client's record.
    pub elsewhere: &'a KeysElsewhere,
    pub now: Timestamp,
}

impl Circumstances<'_> {
    /// Whether the client may use a redirection URI that it has not registered: one that has proven itself, where the tenant
    /// allows it, and only a URI it could have registered (RFC 9126 §2.4).
    fn may_bring(&self, uri: &str) -> bool {
        match self.arrival {
            Arrival::Browser => false,
            Arrival::Pushed(caller) => {
                !caller.is_public() && may_be_brought(uri, self.client, self.tenant)
            }
        }
    }
}

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

    /// For whom both are the same: a client that pushed reads the refusal in the answer.
    pub fn into_refusal(self) -> Refusal {
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

    /// What the user has to consent to: the scope, and the values that the claims asked for by name belong to.
    pub fn to_consent(&self) -> Scope {
        let by_name = self.claims.as_ref().map(ClaimsRequest::scope);
        self.scope.union(&by_name.unwrap_or_default())
    }

    /// Reads a request, that of its request object if it has one.
    ///
    /// `hint` verifies an `id_token_hint` and returns its subject; expiry does not matter there (Core §3.1.2.2).
    pub fn parse(
        params: &Params<'_>,
        judged: Circumstances<'_>,
        hint: impl FnOnce(&str) -> Option<String>,
        trail: &mut Trail,
    ) -> Result<Self, AuthorizeRefusal> {
        let opened = check_arrival(params, judged, trail)
            .and_then(|()| request_object::open(params, judged, trail));
        match opened {
            Ok(None) => Self::of_params(params, judged, hint, trail),
            Ok(Some(inside)) => Self::of_params(&inside, judged, hint, trail),
            // Nothing inside is proven, but the parameters outside may prove where the client is.
            Err(refusal) => Err(
                match prove_redirect_uri(params, judged, &mut Trail::off()) {
                    Ok(target) => AuthorizeRefusal::Sent(refusal, Box::new(target)),
                    Err(_) => AuthorizeRefusal::Shown(refusal),
                },
            ),
        }
    }

    fn of_params(
        params: &Params<'_>,
        judged: Circumstances<'_>,
        hint: impl FnOnce(&str) -> Option<String>,
        trail: &mut Trail,
    ) -> Result<Self, AuthorizeRefusal> {
        let target = prove_redirect_uri(params, judged, trail).map_err(AuthorizeRefusal::Shown)?;
        match Self::read(params, judged, hint, &target, trail) {
            Ok(request) => Ok(request),
            Err(refusal) => Err(AuthorizeRefusal::Sent(refusal, Box::new(target))),
        }
    }

    /// Everything behind the redirection URI, which `target` has proven.
    fn read(
        params: &Params<'_>,
        judged: Circumstances<'_>,
        hint: impl FnOnce(&str) -> Option<String>,
        target: &ResponseTarget,
        trail: &mut Trail,
    ) -> Result<Self, Refusal> {
        let Circumstances { client, tenant, .. } = judged;
        params.check_once()?;
        check_response(params, judged, target, trail)?;
        let scope = requested_scope(params, client, tenant, trail)?;
        let code_challenge = code_challenge(params, trail)?;
        let nonce = short(params.one("nonce"), &NONCE_FITS, trail)?;
        let key = dpop::requested_key(params, trail)?;
        let prompt = prompt(params, trail)?;
        let max_age = max_age(params, trail)?.or(client.default_max_age);
        let claims = claims(params, trail)?.map(|claims| claims.within(&client.scope));
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

/// A pushed request is whole, and a client that has to push does.
fn check_arrival(
    params: &Params<'_>,
    judged: Circumstances<'_>,
    trail: &mut Trail,
) -> Result<(), Refusal> {
    match judged.arrival {
        Arrival::Pushed(_) => {
            let whole = params.one("request_uri").is_none();
            trail.require(&PUSH_WITHOUT_REQUEST_URI, whole, || {
                Noted::new("no request_uri", "request_uri")
            })
        }
        Arrival::Browser => {
            let must_push = judged.tenant.policy.pushed.required
                || judged.client.require_pushed_authorization_requests;
            if must_push {
                let found = "the parameters themselves";
                return Err(Refusal::new(&PUSHED, "a pushed request", found));
            }
            Ok(())
        }
    }
}

fn prove_redirect_uri(
    params: &Params<'_>,
    judged: Circumstances<'_>,
    trail: &mut Trail,
) -> Result<ResponseTarget, Refusal> {
    let client = judged.client;
    trail.pass(&CLIENT_KNOWN);
    if params.repeats(&["redirect_uri", "state", "response_mode"]) {
        params.check_once()?;
    }
    let sent = trail.demand(&REDIRECT_URI_SENT, params.one("redirect_uri"), || {
        Noted::new("redirect_uri", "absent")
    })?;
    let admitted = may_return_to(sent, client) || judged.may_bring(sent);
    trail.require(&REDIRECT_URI_REGISTERED, admitted, || {
        let known: Vec<&str> = client
            .redirect_uris
            .iter()
            .map(|uri| uri.as_str())
            .collect();
        Noted::new(known.join(" or "), clipped(sent))
    })?;
    let state = short(params.one("state"), &STATE_FITS, trail)?;
    let target = ResponseTarget::proven(sent, state);
    let response_type = params.one("response_type");
    Ok(match offered_mode(params, sent) {
        Some((mode, true)) => target.by(mode).signed_for(client),
        Some((mode, false)) => target.by(mode),
        // It will be refused, in the mode that would have been the default (SEC-110).
        None => target.by(ResponseMode::by_default(response_type)),
    })
}

/// Whether an answer may still go where the request says, since the registration may have changed after it was judged
/// (SEC-R02). One that was pushed may have brought its own URI.
pub fn check_still_registered(
    request: &AuthorizationRequest,
    was_pushed: bool,
    (client, tenant): (&Client, &Tenant),
) -> Result<(), Refusal> {
    let uri = request.target.redirect_uri();
    let brought = was_pushed && !client.is_public() && may_be_brought(uri, client, tenant);
    if may_return_to(uri, client) || brought {
        return Ok(());
    }
    Err(Refusal::new(
        &REDIRECT_URI_REGISTERED,
        "a redirection URI that is still registered",
        "one that no longer is",
    ))
}

fn may_be_brought(uri: &str, client: &Client, tenant: &Tenant) -> bool {
    tenant.policy.pushed.unregistered_redirect_uris
        && RedirectUri::parse(uri, client.application_type).is_ok()
}

/// Whether the client has registered this redirection URI.
fn may_return_to(uri: &str, client: &Client) -> bool {
    client
        .redirect_uris
        .iter()
        .any(|known| known.admits(uri, client.application_type))
}

/// The mode the request asks for, if it is one we have. A form cannot be posted to an app.
fn offered_mode(params: &Params<'_>, redirect_uri: &str) -> Option<(ResponseMode, bool)> {
    let is_web = redirect_uri.starts_with("https://") || redirect_uri.starts_with("http://");
    ResponseMode::asked(params.one("response_mode"), params.one("response_type"))
        .filter(|(mode, _)| is_web || *mode != ResponseMode::FormPost)
}

fn check_response(
    params: &Params<'_>,
    judged: Circumstances<'_>,
    target: &ResponseTarget,
    trail: &mut Trail,
) -> Result<(), Refusal> {
    trail.require(
        &REQUEST_URI_ABSENT,
        params.one("request_uri").is_none(),
        || Noted::new("a request_uri of a pushed request", "another request_uri"),
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
        judged.client.may_use(GrantType::AuthorizationCode),
        || {
            Noted::new(
                "authorization_code among the client's grant_types",
                "not registered",
            )
        },
    )?;
    let offered = offered_mode(params, target.redirect_uri()).is_some();
    trail.require(&RESPONSE_MODE_OFFERED, offered, || {
        let mode = params.one("response_mode").unwrap_or_default();
        Noted::new(MODES.join(", "), clipped(mode))
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
