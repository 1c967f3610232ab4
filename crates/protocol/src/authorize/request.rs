//! The authorization request: parsed once, then kept by the server as it was.
//!
//! Until the redirection URI is proven a refusal can only be shown here; from then on it is sent to the client
//! (RFC 6749 §4.1.2.1). The two are different types, so the order of the checks cannot be got wrong.

use super::response::ResponseTarget;
use crate::claims::ClaimsRequest;
use crate::client::{Client, ClientId, GrantType};
use crate::params::Params;
use crate::pkce;
use crate::refusal::{Noted, Refusal, Rule, Trail};
use crate::rules;
use crate::scope::{OPENID_CONNECT, Scope};
use crate::tenant::Tenant;
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
    SCOPE_WELL_FORMED = InvalidScope, "scope_malformed", "RFC 6749 §3.3", {
        promise: "scope is a list of scope values in legal characters, at most 64 of at most 128 characters",
        told: "scope is not a list of well-formed scope values",
        fix: "Separate scope values by single spaces; quotation marks and backslashes are not legal"
    };
    SCOPE_ALLOWED = InvalidScope, "scope_not_allowed", "RFC 6749 §3.3, §4.1.2.1", {
        promise: "Every scope value that this server knows is one the client may ask for",
        told: "The client may not ask for this scope",
        fix: "Add the scope value to the client's scope, or leave it out of the request"
    };
    SCOPE_LEFT = InvalidScope, "scope_empty", "RFC 6749 §3.3", {
        promise: "Something is asked for: the request or the client's registration names a scope",
        told: "No scope remains that could be granted",
        fix: "Ask for at least one scope value that the client is registered for"
    };
    CHALLENGE_SENT = InvalidRequest, "code_challenge_missing", "RFC 9700 §2.1.1, RFC 7636 §4.4.1", {
        promise: "The request carries a code challenge",
        told: "code_challenge is missing; PKCE with S256 is required",
        fix: "Send code_challenge and code_challenge_method=S256, and code_verifier at the token endpoint"
    };
    CHALLENGE_METHOD_S256 = InvalidRequest, "code_challenge_method", "RFC 7636 §4.3, RFC 9700 §2.1.1", {
        promise: "The code challenge method is S256",
        told: "code_challenge_method must be S256",
        fix: "Send code_challenge_method=S256; plain protects nothing, and leaving it out means plain"
    };
    CHALLENGE_WELL_FORMED = InvalidRequest, "code_challenge_malformed", "RFC 7636 §4.2", {
        promise: "The code challenge is an unpadded base64url SHA-256",
        told: "code_challenge is not a base64url encoded SHA-256",
        fix: "Send BASE64URL(SHA256(code_verifier)) without padding: 43 characters"
    };
    NONCE_FITS = InvalidRequest, "nonce_too_long", "Core §3.1.2.1", {
        promise: "nonce has at most 2048 bytes",
        told: "nonce is longer than 2048 bytes",
        fix: "Send a random value of 16 to 64 characters"
    };
    PROMPT_KNOWN = InvalidRequest, "prompt_unknown", "Core §3.1.2.1", {
        promise: "Each prompt value is none, login, consent or select_account",
        told: "prompt has a value that is not supported",
        fix: "Use none, login, consent or select_account, separated by spaces"
    };
    PROMPT_NONE_ALONE = InvalidRequest, "prompt_none_combined", "Core §3.1.2.1", {
        promise: "prompt=none stands alone",
        told: "prompt=none cannot be combined with another value",
        fix: "Send none alone, or leave it out"
    };
    MAX_AGE_NUMBER = InvalidRequest, "max_age_malformed", "Core §3.1.2.1", {
        promise: "max_age is a number of seconds",
        told: "max_age is not a number of seconds",
        fix: "Send max_age as a non-negative whole number"
    };
    CLAIMS_OBJECT = InvalidRequest, "claims_malformed", "Core §5.5", {
        promise: "claims is a JSON object whose userinfo and id_token are objects",
        told: "claims is not a JSON object of the right shape",
        fix: "Send claims as JSON, such as {\"userinfo\":{\"email\":null}}"
    };
    HINT_VERIFIES = InvalidRequest, "id_token_hint_invalid", "Core §3.1.2.2", {
        promise: "id_token_hint is an ID token this issuer signed for the client",
        told: "id_token_hint is not an ID token of this issuer",
        fix: "Send an ID token that this issuer gave to this client; expired ones are fine"
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
        let prompt = prompt(params, trail)?;
        let max_age = max_age(params, trail)?.or(client.default_max_age);
        let claims = match params.one("claims") {
            None => None,
            Some(text) => Some(
                trail.demand(&CLAIMS_OBJECT, ClaimsRequest::parse(text), || {
                    Noted::new("a JSON object of objects", "something else")
                })?,
            ),
        };
        let hinted_subject = match params.one("id_token_hint") {
            None => claims
                .as_ref()
                .and_then(|claims: &ClaimsRequest| claims.subject.clone()),
            Some(text) => Some(trail.demand(&HINT_VERIFIES, hint(text), || {
                Noted::new(
                    "an ID token signed by this issuer for this client",
                    "something else",
                )
            })?),
        };
        Ok(Self {
            client_id: client.id.clone(),
            target: target.clone(),
            scope,
            code_challenge,
            nonce,
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

fn requested_scope(
    params: &Params<'_>,
    client: &Client,
    tenant: &Tenant,
    trail: &mut Trail,
) -> Result<Scope, Refusal> {
    let asked = match params.one("scope") {
        None => client.scope.clone(),
        Some(text) => trail.demand(&SCOPE_WELL_FORMED, Scope::parse(text).ok(), || {
            Noted::new("scope values in legal characters", "something else")
        })?,
    };
    let known =
        |value: &&str| OPENID_CONNECT.contains(value) || tenant.policy.scopes.contains_key(*value);
    let beyond = asked.without(&client.scope);
    let refused: Vec<&str> = beyond.iter().filter(known).collect();
    trail.require(&SCOPE_ALLOWED, refused.is_empty(), || {
        Noted::new(format!("within: {}", client.scope), refused.join(" "))
    })?;
    let scope = asked.intersection(&client.scope);
    trail.require(&SCOPE_LEFT, !scope.is_empty(), || {
        Noted::new(format!("one of: {}", client.scope), "none of them")
    })?;
    Ok(scope)
}

fn code_challenge(params: &Params<'_>, trail: &mut Trail) -> Result<String, Refusal> {
    let challenge = trail.demand(&CHALLENGE_SENT, params.one("code_challenge"), || {
        Noted::new("code_challenge", "absent")
    })?;
    let method = params
        .one("code_challenge_method")
        .unwrap_or("plain (by default)");
    trail.require(&CHALLENGE_METHOD_S256, method == "S256", || {
        Noted::new("S256", clipped(method))
    })?;
    trail.require(
        &CHALLENGE_WELL_FORMED,
        pkce::is_challenge(challenge),
        || {
            Noted::new(
                "43 characters of base64url",
                format!("{} characters", challenge.len()),
            )
        },
    )?;
    Ok(challenge.to_owned())
}

fn prompt(params: &Params<'_>, trail: &mut Trail) -> Result<Vec<Prompt>, Refusal> {
    let mut prompts = Vec::new();
    for word in params
        .one("prompt")
        .unwrap_or_default()
        .split(' ')
        .filter(|word| !word.is_empty())
    {
        let prompt = match word {
            "none" => Some(Prompt::None),
            "login" => Some(Prompt::Login),
            "consent" => Some(Prompt::Consent),
            "select_account" => Some(Prompt::SelectAccount),
            _ => None,
        };
        let prompt = trail.demand(&PROMPT_KNOWN, prompt, || {
            Noted::new("none, login, consent, select_account", clipped(word))
        })?;
        if !prompts.contains(&prompt) {
            prompts.push(prompt);
        }
    }
    let alone = !prompts.contains(&Prompt::None) || prompts.len() == 1;
    trail.require(&PROMPT_NONE_ALONE, alone, || {
        Noted::new("none alone", "none with others")
    })?;
    Ok(prompts)
}

fn max_age(params: &Params<'_>, trail: &mut Trail) -> Result<Option<u64>, Refusal> {
    let Some(text) = params.one("max_age") else {
        return Ok(None);
    };
    let digits = !text.is_empty() && text.len() <= 10 && text.bytes().all(|b| b.is_ascii_digit());
    let seconds = digits.then(|| text.parse().ok()).flatten();
    trail
        .demand(&MAX_AGE_NUMBER, seconds, || {
            Noted::new("whole seconds", clipped(text))
        })
        .map(Some)
}

fn short(
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
