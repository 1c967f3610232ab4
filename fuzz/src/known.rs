//! Keys whose honest output is known, and one client: what the targets measure strange input against.

use std::sync::LazyLock;

use jeton_protocol::client::{ApplicationType, Client, ClientId};
use jeton_protocol::issue::KeyRing;
use jeton_protocol::redirect_uri::RedirectUri;
use jeton_protocol::scope::Scope;
use jeton_protocol::tenant::{Issuer, Policy, Tenant, TenantId};
use jeton_token::{
    Entropy, FactsToSeal, HandleKey, HandleKeys, HandleKind, KeySet, PublicJwk, RowId, SealKey,
    SealKeys, Secret, SignatureAlgorithm, SigningKey, Timestamp, json,
};

pub const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// Public keys of published examples, each with the only input its owner signed. (RFC 8037 A.4, RFC 7515 A.3, A.4)
pub fn signatures() -> &'static [(PublicJwk, &'static str)] {
    static KNOWN: LazyLock<Vec<(PublicJwk, &'static str)>> = LazyLock::new(|| {
        [
            (
                r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
                "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
            ),
            (
                r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
                "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
            ),
        ]
        .map(|(key, signed)| {
            let members = json::parse_object(key.as_bytes(), 1000).expect("an object");
            (PublicJwk::parse(&members).expect("a key"), signed)
        })
        .into()
    });
    &KNOWN
}

/// The published proofs. (RFC 9449 §4.1, §7.1)
pub fn proofs() -> [&'static str; 2] {
    [
        include_str!("../seeds/dpop/1"),
        include_str!("../seeds/dpop/2"),
    ]
}

pub fn handle_keys() -> &'static HandleKeys {
    static KEYS: LazyLock<HandleKeys> = LazyLock::new(|| {
        let key = |id, byte| HandleKey::new(id, &Secret::new(vec![byte; 32])).expect("a key");
        HandleKeys::new(key(2, 2), vec![key(1, 1)]).expect("two keys")
    });
    &KEYS
}

/// Keys that answer; made once, because the one for RSA takes long.
pub fn ring() -> &'static KeyRing {
    static RING: LazyLock<KeyRing> = LazyLock::new(|| {
        let signing = [SignatureAlgorithm::Rs256, SignatureAlgorithm::Es256]
            .map(|alg| SigningKey::generate(alg, None).expect("a key"));
        let seal = SealKey::new(1, &Secret::new(vec![1; 32])).expect("a key");
        KeyRing {
            tenant: TenantId::default_tenant(),
            handles: handle_keys().clone(),
            seals: SealKeys::new(seal, Vec::new()).expect("one key"),
            published: KeySet::new(signing.iter().map(|key| key.public_jwk().clone()).collect()),
            signing: signing.into(),
        }
    });
    &RING
}

/// The handles of one row, one of each kind.
pub fn handles() -> &'static [String] {
    static MADE: LazyLock<Vec<String>> = LazyLock::new(|| {
        let row = RowId::new(NOW, &mut Entropy::seeded(1));
        let made = |kind| handle_keys().seal("default", kind, row, 3);
        HandleKind::ALL.into_iter().map(made).collect()
    });
    &MADE
}

pub fn seal_keys() -> &'static SealKeys {
    static KEYS: LazyLock<SealKeys> = LazyLock::new(|| {
        let key = SealKey::new(1, &Secret::new(vec![1; 32])).expect("a key");
        SealKeys::new(key, Vec::new()).expect("one key")
    });
    &KEYS
}

/// The only opaque access token there is.
pub fn sealed_token() -> &'static str {
    static MADE: LazyLock<String> = LazyLock::new(|| {
        let mut entropy = Entropy::seeded(2);
        let audience = ["https://api.example".to_owned()];
        let facts = FactsToSeal {
            token: RowId::new(NOW, &mut entropy),
            grant: Some(RowId::new(NOW, &mut entropy)),
            session: None,
            client: "fuzz",
            subject: "someone",
            user: None,
            scope: "openid profile",
            audience: &audience,
            issued_at: NOW,
            expires_at: NOW,
            auth_time: Some(NOW),
            acr: None,
            cnf: None,
            act: None,
            details: None,
            asks_userinfo: None,
        };
        seal_keys()
            .seal("default", &facts, &mut entropy)
            .expect("it can be sealed")
    });
    &MADE
}

pub fn client() -> &'static Client {
    static CLIENT: LazyLock<Client> = LazyLock::new(|| {
        let id = ClientId::parse("fuzz").expect("a client id");
        let mut client = Client::new(id, NOW);
        client.application_type = ApplicationType::Native;
        client.scope = Scope::parse("openid profile email offline_access").expect("a scope");
        let uris = [
            "https://app.example/cb?a=b",
            "http://127.0.0.1:8080/cb",
            "com.example.app:/cb",
        ];
        client.redirect_uris = uris
            .map(|uri| RedirectUri::parse(uri, ApplicationType::Native).expect("a URI"))
            .into();
        client
    });
    &CLIENT
}

pub fn tenant() -> &'static Tenant {
    static TENANT: LazyLock<Tenant> = LazyLock::new(|| Tenant {
        id: TenantId::default_tenant(),
        issuer: Issuer::parse("https://id.example").expect("an issuer"),
        name: None,
        policy: Policy::default(),
    });
    &TENANT
}
