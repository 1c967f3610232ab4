//! What is handed out: the plan of it (`Issuance`), the keys it is made with (`KeyRing`), and the making (`mint`).
//!
//! Minting precedes the commit: a signer that fails has spent nothing.

pub mod access_token;
pub mod id_token;

use crate::caller::Caller;
use crate::client::{Client, ClientId, GrantType};
use crate::grant::{Grant, GrantId};
use crate::scope::Scope;
use crate::session::SessionId;
use crate::standing::Standing;
use crate::tenant::{Tenant, TenantId, TokenFormat};
use crate::user::UserId;
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::confirmation::Confirmation;
use jeton_token::entropy::Entropy;
use jeton_token::handle::{HandleKeys, HandleKind};
use jeton_token::key_set::KeySet;
use jeton_token::row_id::RowId;
use jeton_token::sealed::{SealError, SealKeys};
use jeton_token::signing_key::{SignError, SigningKey};
use jeton_token::timestamp::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use std::time::Duration;
use thiserror::Error;

/// What a decision allows to be issued. Only a grant's `decide` can make one, and only from a [`Standing`].
#[derive(Debug)]
pub struct Issuance {
    client: ClientId,
    subject: String,
    user: Option<UserId>,
    grant: Option<GrantId>,
    /// `sid` of the ID token.
    session: Option<SessionId>,
    /// The session whose end takes the access token along; none for offline access.
    tied_to: Option<SessionId>,
    scope: Scope,
    audience: Vec<String>,
    binding: Option<Confirmation>,
    format: TokenFormat,
    algorithm: SignatureAlgorithm,
    lifetime: Duration,
    /// The end of the grant, which no token of it outlives (SEC-163).
    not_after: Option<Timestamp>,
    auth_time: Option<Timestamp>,
    acr: Option<String>,
    /// Claims were asked for at userinfo by name (Core §5.5).
    asks_userinfo: bool,
    refresh_generation: Option<u32>,
    id_token: Option<id_token::Plan>,
}

impl Issuance {
    pub(crate) fn of_code(grant: &Grant, caller: &Caller, tenant: &Tenant, _: Standing) -> Self {
        let client = caller.client();
        let refreshes = client
            .may_use(GrantType::RefreshToken)
            .then_some(FIRST_GENERATION);
        // What the client may no longer have is not given out, whatever the user once granted.
        let scope = grant.scope.intersection(&client.scope);
        let nonce = grant.code.nonce.clone();
        let id_token = scope
            .contains("openid")
            .then(|| id_token::Plan::for_grant(grant, client, tenant, nonce));
        let issuance = Self::of_user(grant, caller, tenant, scope);
        issuance.with(refreshes, id_token)
    }

    pub(crate) fn of_refresh(
        grant: &Grant,
        caller: &Caller,
        tenant: &Tenant,
        (scope, successor): (Scope, Option<u32>),
        _: Standing,
    ) -> Self {
        // A refreshed ID token has no nonce: it answers no authentication request (Core §12.2).
        let id_token = scope
            .contains("openid")
            .then(|| id_token::Plan::for_grant(grant, caller.client(), tenant, None));
        Self::of_user(grant, caller, tenant, scope).with(successor, id_token)
    }

    pub(crate) fn of_client(caller: &Caller, tenant: &Tenant, scope: Scope, _: Standing) -> Self {
        let client = caller.client();
        Self {
            client: client.id.clone(),
            subject: client.id.as_str().to_owned(),
            user: None,
            grant: None,
            session: None,
            tied_to: None,
            scope,
            audience: audience(client, tenant, false),
            binding: caller.confirmation(),
            format: client.token_format(&tenant.policy),
            algorithm: client.access_token_algorithm(&tenant.policy),
            lifetime: client.access_token_lifetime(&tenant.policy),
            not_after: None,
            auth_time: None,
            acr: None,
            asks_userinfo: false,
            refresh_generation: None,
            id_token: None,
        }
    }

    fn of_user(grant: &Grant, caller: &Caller, tenant: &Tenant, scope: Scope) -> Self {
        let client = caller.client();
        Self {
            client: client.id.clone(),
            subject: grant.subject.clone(),
            user: Some(grant.user),
            grant: Some(grant.id),
            session: Some(grant.session),
            tied_to: (!grant.offline).then_some(grant.session),
            scope,
            audience: grant.audience.clone(),
            binding: caller.confirmation(),
            format: client.token_format(&tenant.policy),
            algorithm: client.access_token_algorithm(&tenant.policy),
            lifetime: client.access_token_lifetime(&tenant.policy),
            not_after: Some(grant.expires_at),
            auth_time: Some(grant.auth_time),
            acr: Some(grant.acr.clone()),
            asks_userinfo: grant
                .claims
                .as_ref()
                .is_some_and(|claims| !claims.userinfo.is_empty()),
            refresh_generation: None,
            id_token: None,
        }
    }

    fn with(self, refresh_generation: Option<u32>, id_token: Option<id_token::Plan>) -> Self {
        Self {
            refresh_generation,
            id_token,
            ..self
        }
    }

    /// Whether the ID token holds claims of the user record, which then has to be read.
    pub fn wants_user_claims(&self) -> bool {
        self.id_token
            .as_ref()
            .is_some_and(id_token::Plan::wants_user_claims)
    }

    /// Adds the released claims of the user to the ID token; a claim of the protocol is never overwritten (SEC-066).
    pub fn add_user_claims(&mut self, mut claims: Map<String, Value>) {
        claims.retain(|name, _| crate::claims::standard().any(|known| known == name));
        if let Some(plan) = &mut self.id_token {
            plan.user_claims = claims;
        }
    }

    fn access_token_end(&self, now: Timestamp) -> Timestamp {
        let end = now.plus(self.lifetime);
        self.not_after.map_or(end, |not_after| end.min(not_after))
    }

    pub fn issues_refresh_token(&self) -> bool {
        self.refresh_generation.is_some()
    }
}

/// The generation of the refresh token that a code yields.
pub const FIRST_GENERATION: u32 = 1;

/// The `aud` of a client's access tokens. With `openid` the issuer is among them, because userinfo is asked with the token
/// (RFC 9068 §3, SEC-034).
pub fn audience(client: &Client, tenant: &Tenant, openid: bool) -> Vec<String> {
    let named = if client.audience.is_empty() {
        &tenant.policy.default_audience
    } else {
        &client.audience
    };
    let issuer = tenant.issuer.as_str();
    let mut audience = named.clone();
    if (openid || audience.is_empty()) && !audience.iter().any(|known| known == issuer) {
        audience.push(issuer.to_owned());
    }
    audience
}

/// The keys of one tenant, opened.
#[derive(Debug)]
pub struct KeyRing {
    pub tenant: TenantId,
    pub handles: HandleKeys,
    pub seals: SealKeys,
    /// At most one active key an algorithm.
    pub signing: Vec<SigningKey>,
    /// Every public key that is published: active, coming and retired ones.
    pub published: KeySet,
}

impl KeyRing {
    /// The active key for `algorithm`.
    pub fn signing_key(&self, algorithm: SignatureAlgorithm) -> Result<&SigningKey, MintError> {
        self.signing
            .iter()
            .find(|key| key.algorithm() == algorithm)
            .ok_or(MintError::NoKey(algorithm))
    }
}

/// The machinery failed; nothing has been spent.
#[derive(Debug, Error)]
pub enum MintError {
    #[error("no active signing key for {}", .0.name())]
    NoKey(SignatureAlgorithm),
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// A successful token response (RFC 6749 §5.1, Core §3.1.3.3).
#[derive(Debug, Serialize)]
pub struct TokenResponse {
    pub access_token: String,
    pub token_type: &'static str,
    pub expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
}

/// Turns a decision into secrets.
pub fn mint(
    issuance: &Issuance,
    tenant: &Tenant,
    ring: &KeyRing,
    entropy: &mut Entropy,
    now: Timestamp,
) -> Result<TokenResponse, MintError> {
    let scope = issuance.scope.to_string();
    let token = RowId::new(now, entropy);
    let access_token = access_token::mint(issuance, &scope, token, (tenant, ring), (entropy, now))?;
    let id_token = match &issuance.id_token {
        None => None,
        Some(plan) => Some(id_token::mint(
            issuance,
            plan,
            &access_token,
            (tenant, ring),
            now,
        )?),
    };
    let refresh_token = match (issuance.refresh_generation, issuance.grant) {
        (Some(generation), Some(grant)) => Some(ring.handles.seal(
            tenant.id.as_str(),
            HandleKind::RefreshToken,
            grant,
            generation,
        )),
        (None, _) | (_, None) => None,
    };
    Ok(TokenResponse {
        access_token,
        token_type: token_type(issuance.binding),
        expires_in: whole_seconds(issuance.access_token_end(now).since(now)),
        refresh_token,
        id_token,
        scope,
    })
}

/// How a token is to be presented: one that is bound to a certificate is a bearer token still. (RFC 9449 §5, RFC 8705 §3)
pub fn token_type(binding: Option<Confirmation>) -> &'static str {
    match binding {
        Some(Confirmation::DpopKey(_)) => "DPoP",
        Some(Confirmation::Certificate(_)) | None => "Bearer",
    }
}

/// Rounded up: a token that lives at all has a positive `expires_in`.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_millis() > 0)
}
