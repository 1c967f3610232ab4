//! What the tests of this crate start from: one tenant, one client of each kind, one user's grant, one instant.

#![allow(
    dead_code,
    reason = "each test crate compiles this file and uses its part of it"
)]

use jeton_protocol::authorize::request::{
    Arrival, AuthorizationRequest, AuthorizeRefusal, Circumstances,
};
use jeton_protocol::authorize::request_object::KeysElsewhere;
use jeton_protocol::authorize::response::{AuthorizationResponse, Carried, ResponseTarget};
use jeton_protocol::caller::Caller;
use jeton_protocol::client::{AuthenticationMethod, Client, ClientId, GrantType};
use jeton_protocol::client_auth::{self, AuthenticatedClient, OpenedSecret, Presented};
use jeton_protocol::grant::{CodeBinding, Grant, GrantState, PendingGrant, RefreshableGrant};
use jeton_protocol::issue::KeyRing;
use jeton_protocol::params::Params;
use jeton_protocol::redirect_uri::RedirectUri;
use jeton_protocol::refusal::Trail;
use jeton_protocol::scope::{Scope, ScopeDefinition};
use jeton_protocol::session::{ACR_PASSWORD, Session};
use jeton_protocol::tenant::{Issuer, Policy, Tenant, TenantId};
use jeton_protocol::user::User;
use jeton_token::handle::{HandleKey, HandleKeys};
use jeton_token::key_set::KeySet;
use jeton_token::row_id::RowId;
use jeton_token::seal_key::SealKey;
use jeton_token::sealed::SealKeys;
use jeton_token::secret::{Secret, sha256};
use jeton_token::signing_key::SigningKey;
use jeton_token::timestamp::Timestamp;
use jeton_token::{SignatureAlgorithm, base64url};
use serde_json::json;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

pub const ISSUER: &str = "https://id.example";
pub const CALLBACK: &str = "https://app.example/cb";
pub const CLIENT: &str = "app";
pub const SECRET: &str = "a secret of the client, long enough for HMAC";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

pub fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

pub fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap()
}

pub fn id(text: &str) -> ClientId {
    ClientId::parse(text).unwrap()
}

pub fn row(fill: u8) -> RowId {
    RowId::from_bytes([fill; 16])
}

pub fn issuer() -> Issuer {
    Issuer::parse(ISSUER).unwrap()
}

pub fn tenant() -> Tenant {
    let mut policy = Policy::default();
    for (name, hidden) in [("read", false), ("write", false), ("secret.admin", true)] {
        policy.scopes.insert(
            name.to_owned(),
            ScopeDefinition {
                description: None,
                hidden,
            },
        );
    }
    Tenant {
        id: TenantId::default_tenant(),
        issuer: issuer(),
        name: None,
        policy,
    }
}

/// A confidential web client with every grant type.
pub fn client() -> Client {
    let mut client = Client::new(id(CLIENT), NOW);
    client.grant_types = GrantType::ALL.to_vec();
    client.scope = scope("openid profile email offline_access read write");
    client.redirect_uris = vec![redirect_uri(CALLBACK)];
    client
}

pub fn redirect_uri(text: &str) -> RedirectUri {
    RedirectUri::parse(text, jeton_protocol::client::ApplicationType::Native).unwrap()
}

/// A client without any proof.
pub fn public_client() -> Client {
    Client {
        authentication: AuthenticationMethod::None,
        ..client()
    }
}

pub fn params(query: &str) -> Params<'_> {
    Params::from_query(Some(query)).unwrap()
}

/// The client, without a key of its own.
pub fn caller_of(client: Client) -> Caller {
    Caller::new(authenticated(client), None)
}

/// Goes the one way there is to an authenticated client.
pub fn authenticated(client: Client) -> AuthenticatedClient {
    let id = client.id.as_str().to_owned();
    let digest = sha256(SECRET.as_bytes());
    let (client, form, opened) = if client.is_public() {
        (client, format!("client_id={id}"), OpenedSecret::None)
    } else {
        let posts = Client {
            authentication: AuthenticationMethod::ClientSecretPost,
            ..client
        };
        let form = format!("client_id={id}&client_secret={}", SECRET.replace(' ', "+"));
        (posts, form, OpenedSecret::Digest(&digest))
    };
    let params = params(&form);
    let mut trail = Trail::off();
    let presented = Presented::read(None, &params, &mut trail).unwrap();
    client_auth::verify(
        &presented,
        Arc::new(client),
        &opened,
        (&issuer(), NOW),
        &mut trail,
    )
    .unwrap()
    .spent(true, &mut trail)
    .unwrap()
}

pub fn grant() -> Grant {
    Grant {
        id: row(1),
        client: id(CLIENT),
        user: row(2),
        session: row(3),
        subject: row(2).to_string(),
        scope: scope("openid email read write"),
        audience: vec!["https://api.example".to_owned(), ISSUER.to_owned()],
        auth_time: NOW.minus(seconds(60)),
        acr: ACR_PASSWORD.to_owned(),
        amr: vec!["pwd".to_owned()],
        offline: false,
        binding: None,
        claims: None,
        code: CodeBinding {
            key: None,
            redirect_uri: CALLBACK.to_owned(),
            redirect_uri_sent: true,
            code_challenge: Some(CHALLENGE.to_owned()),
            nonce: Some("n-0S6_WzA2Mj".to_owned()),
        },
        created_at: NOW.minus(seconds(5)),
        expires_at: NOW.plus(seconds(90 * 24 * 3600)),
    }
}

pub fn pending() -> PendingGrant {
    PendingGrant {
        grant: grant(),
        state: GrantState::default(),
        code_expires_at: NOW.plus(seconds(55)),
        redeemed_at: None,
    }
}

pub fn refreshable() -> RefreshableGrant {
    RefreshableGrant {
        grant: grant(),
        state: GrantState::default(),
        generation: 3,
        rotated_at: Some(NOW.minus(seconds(600))),
        refresh_expires_at: Some(NOW.plus(seconds(3600))),
    }
}

pub fn session() -> Session {
    Session {
        id: row(3),
        user: row(2),
        auth_time: NOW.minus(seconds(60)),
        amr: vec!["pwd".to_owned()],
        acr: ACR_PASSWORD.to_owned(),
        created_at: NOW.minus(seconds(60)),
        last_seen_at: NOW,
        expires_at: NOW.plus(seconds(24 * 3600)),
        ended_at: None,
    }
}

pub fn user() -> User {
    let claims = json!({
        "name": "Ada Lovelace", "family_name": "Lovelace", "given_name": "Ada", "middle_name": "King",
        "nickname": "ada", "preferred_username": "ada", "profile": "https://ada.example/",
        "picture": "https://ada.example/p.png", "website": "https://ada.example/w", "gender": "female",
        "birthdate": "1815-12-10", "zoneinfo": "Europe/London", "locale": "en-GB", "updated_at": 1_700_000_000,
        "email": "ada@example.com", "email_verified": true,
        "address": {"formatted": "12 St James's Square", "country": "GB"},
        "phone_number": "+441632960000", "phone_number_verified": false,
        "internal_note": "not for clients",
    });
    User {
        id: row(2),
        username: "ada".to_owned(),
        claims: claims.as_object().unwrap().clone(),
        admin: false,
        created_at: NOW,
        disabled_at: None,
    }
}

/// A query with every required parameter; `changes` replace, add or (when empty) remove.
pub fn authorize_query(changes: &[(&str, &str)]) -> String {
    let mut pairs: Vec<(&str, &str)> = vec![
        ("client_id", CLIENT),
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid read"),
        ("state", "af0ifjsldkj"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changes {
        pairs.retain(|(known, _)| known != name);
        if !value.is_empty() {
            pairs.push((name, value));
        }
    }
    form(&pairs)
}

/// Encodes as a form does.
pub fn form(pairs: &[(&str, &str)]) -> String {
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}

pub fn authorize(changes: &[(&str, &str)]) -> Result<AuthorizationRequest, AuthorizeRefusal> {
    authorize_as(&client(), changes)
}

pub fn authorize_as(
    client: &Client,
    changes: &[(&str, &str)],
) -> Result<AuthorizationRequest, AuthorizeRefusal> {
    parse(&params(&authorize_query(changes)), client)
}

/// As a browser brings it.
pub fn parse(
    params: &Params<'_>,
    client: &Client,
) -> Result<AuthorizationRequest, AuthorizeRefusal> {
    let tenant = tenant();
    let mut trail = Trail::off();
    AuthorizationRequest::parse(params, judged(client, &tenant), |_| None, &mut trail)
}

/// As a request that a browser brings is judged.
pub fn judged<'a>(client: &'a Client, tenant: &'a Tenant) -> Circumstances<'a> {
    Circumstances {
        elsewhere: &KeysElsewhere::None,
        client,
        tenant,
        arrival: Arrival::Browser,
        now: NOW,
    }
}

/// What the browser is given for a request or its refusal.
pub fn carried(target: &ResponseTarget, response: &AuthorizationResponse<'_>) -> Carried {
    static RING: OnceLock<KeyRing> = OnceLock::new();
    let ring = RING.get_or_init(key_ring);
    target.encode(response, &issuer(), (ring, NOW)).unwrap()
}

/// The URI a browser is redirected to.
pub fn encode(target: &ResponseTarget, response: &AuthorizationResponse<'_>) -> String {
    match carried(target, response) {
        Carried::Redirect(uri) => uri,
        Carried::Form { .. } => panic!("a form"),
    }
}

pub fn signing_key(algorithm: SignatureAlgorithm) -> SigningKey {
    SigningKey::generate(algorithm, None).unwrap()
}

/// Keys of the tenant: Ed25519, P-256 and, because it is the default of ID tokens, RSA.
pub fn key_ring() -> KeyRing {
    let signing = [
        SignatureAlgorithm::Es256,
        SignatureAlgorithm::Rs256,
        SignatureAlgorithm::EdDsa,
    ]
    .map(signing_key);
    KeyRing {
        tenant: TenantId::default_tenant(),
        handles: HandleKeys::new(
            HandleKey::new(1, &Secret::new(vec![1; 32])).unwrap(),
            Vec::new(),
        )
        .unwrap(),
        seals: SealKeys::new(
            SealKey::new(1, &Secret::new(vec![2; 32])).unwrap(),
            Vec::new(),
        )
        .unwrap(),
        published: KeySet::new(signing.iter().map(|key| key.public_jwk().clone()).collect()),
        signing: signing.into(),
    }
}

/// The claims of a JWT, unproven.
pub fn claims_of(jwt: &str) -> serde_json::Map<String, serde_json::Value> {
    let payload = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64url::decode(payload).unwrap()).unwrap()
}
