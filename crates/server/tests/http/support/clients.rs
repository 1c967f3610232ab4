//! The clients of every tenant under test, one for each way of being a client.

use super::ask::Ask;
use super::{START, TestServer, jwt};
use jeton::keys::Kek;
use jeton_protocol::client::{
    ApplicationType, AuthenticationMethod as Method, Client, ClientId, GrantType, KeptSecret,
    Rotation, TokenExchange,
};
use jeton_protocol::redirect_uri::RedirectUri;
use jeton_protocol::scope::Scope;
use jeton_protocol::tenant::{TenantId, TokenFormat};
use jeton_token::entropy::Entropy;
use jeton_token::key_set::KeySet;
use jeton_token::secret::{Secret, sha256};

pub const USER_SCOPE: &str =
    "openid profile email address phone offline_access photos:read internal";
pub const API: &str = "https://api.example";
/// Where exchanged tokens go.
pub const DOWN: &str = "https://down.example";
/// A secret that form-encoding changes (SEC-126).
pub const ODD_SECRET: &str = "p:l%u+s ü&=";
pub const HMAC_SECRET: &str = "a secret of more than thirty-two bytes for HMAC";

/// What each client registers first among its redirection URIs.
pub fn redirect_uri(client: &str) -> &'static str {
    match client {
        "spa" => "https://spa.example/cb",
        "native" => "http://127.0.0.1/cb",
        "other" => "https://other-app.example/cb",
        _ => "https://web.example/cb",
    }
}

pub fn secret_of(client: &str) -> String {
    match client {
        "odd:%+" => ODD_SECRET.to_owned(),
        "hmac" => HMAC_SECRET.to_owned(),
        "plus" => "a+b".to_owned(),
        _ => format!("the secret of {client}"),
    }
}

/// Adds the proof the client is registered for.
pub fn authenticate(server: &TestServer, client: &str, ask: Ask) -> Ask {
    match client {
        "spa" | "native" | "fixed-spa" | "public-machine" | "public-exchanger" | "deployer"
        | "bound-spa" | "tv" => append(ask, &[("client_id", client)]),
        "post" => append(
            ask,
            &[("client_id", client), ("client_secret", &secret_of(client))],
        ),
        "keyed" => append(ask, &jwt::assertion_fields(&jwt::keyed(server, "keyed"))),
        "remote" => append(ask, &jwt::assertion_fields(&jwt::keyed(server, "remote"))),
        "hmac" => append(ask, &jwt::assertion_fields(&jwt::hmac(server))),
        _ => ask.basic(client, &secret_of(client)),
    }
}

fn append(mut ask: Ask, fields: &[(&str, &str)]) -> Ask {
    let more = super::ask::Fields::of(fields).encoded();
    if !ask.body.is_empty() {
        ask.body.push(b'&');
    }
    ask.body.extend_from_slice(more.as_bytes());
    ask
}

/// The client `keyed`, whose key also signs request objects, with the scope of a user.
pub fn keyed_for_users(client: &mut Client) {
    client.scope = Scope::parse(USER_SCOPE).unwrap();
}

pub fn new(id: &str, method: Method, grants: &[GrantType]) -> Client {
    let mut client = Client::new(ClientId::parse(id).unwrap(), START);
    client.name = Some(format!("Application {id}"));
    client.authentication = method;
    client.grant_types = grants.to_vec();
    client.scope = Scope::parse(USER_SCOPE).unwrap();
    client.redirect_uris = uris(&[redirect_uri(id)], ApplicationType::Web);
    if matches!(method, Method::ClientSecretBasic | Method::ClientSecretPost) {
        client.secret = Some(KeptSecret::Digest(sha256(secret_of(id).as_bytes())));
    }
    client
}

pub fn uris(texts: &[&str], application: ApplicationType) -> Vec<RedirectUri> {
    texts
        .iter()
        .map(|text| RedirectUri::parse(text, application).unwrap())
        .collect()
}

const USER: &[GrantType] = &[GrantType::AuthorizationCode, GrantType::RefreshToken];
const EXCHANGE: &[GrantType] = &[
    GrantType::TokenExchange,
    GrantType::JwtBearer,
    GrantType::ClientCredentials,
];
const MACHINE: &[GrantType] = &[GrantType::ClientCredentials];

pub fn all(kek: &Kek, tenant: &TenantId, entropy: &mut Entropy) -> Vec<Client> {
    let mut clients = interactive();
    clients.extend(in_other_ways());
    clients.extend(machines());
    clients.extend(exchangers());
    clients.extend(by_assertion(kek, tenant, entropy));
    clients.extend(devices());
    clients
}

fn interactive() -> Vec<Client> {
    let web = Client {
        redirect_uris: uris(
            &[
                "https://web.example/cb",
                "https://web.example/cb?keep=a%20b&x=1",
            ],
            ApplicationType::Web,
        ),
        post_logout_redirect_uris: uris(&["https://web.example/bye"], ApplicationType::Web),
        allowed_origins: vec!["https://web.example".to_owned()],
        client_uri: Some("https://web.example/".to_owned()),
        policy_uri: Some("https://web.example/privacy".to_owned()),
        tos_uri: Some("https://web.example/terms".to_owned()),
        ..new("web", Method::ClientSecretBasic, USER)
    };
    let spa = Client {
        allowed_origins: vec!["https://spa.example".to_owned()],
        ..new("spa", Method::None, USER)
    };
    let native = Client {
        application_type: ApplicationType::Native,
        redirect_uris: uris(
            &[
                "http://127.0.0.1/cb",
                "http://[::1]/cb",
                "http://localhost/cb",
                "com.example.app:/cb",
            ],
            ApplicationType::Native,
        ),
        ..new("native", Method::None, USER)
    };
    vec![web, spa, native]
}

fn in_other_ways() -> Vec<Client> {
    let fixed_spa = Client {
        refresh_token_rotation: Some(Rotation::Never),
        ..new("fixed-spa", Method::None, USER)
    };
    let first = Client {
        first_party: true,
        ..new("first", Method::ClientSecretBasic, USER)
    };
    let jwt_web = Client {
        access_token_format: Some(TokenFormat::Jwt),
        ..new("jwt-web", Method::ClientSecretBasic, USER)
    };
    let api_web = Client {
        audience: vec![API.to_owned()],
        ..new("api-web", Method::ClientSecretBasic, USER)
    };
    let rotating = Client {
        refresh_token_rotation: Some(Rotation::Each),
        ..new("rotating", Method::ClientSecretBasic, USER)
    };
    let code_only = new(
        "code-only",
        Method::ClientSecretBasic,
        &[GrantType::AuthorizationCode],
    );
    let bound_spa = Client {
        dpop_bound_access_tokens: true,
        ..new("bound-spa", Method::None, USER)
    };
    let bound_web = Client {
        dpop_bound_access_tokens: true,
        ..new("bound-web", Method::ClientSecretBasic, USER)
    };
    let nonce_web = Client {
        dpop_nonce: Some(true),
        ..new("nonce-web", Method::ClientSecretBasic, USER)
    };
    let other = new("other", Method::ClientSecretBasic, USER);
    let post = new("post", Method::ClientSecretPost, USER);
    vec![
        fixed_spa, first, jwt_web, api_web, rotating, code_only, bound_spa, bound_web, nonce_web,
        other, post,
    ]
}

fn machines() -> Vec<Client> {
    let scope = || Scope::parse("photos:read photos:write openid offline_access").unwrap();
    let service = Client {
        scope: scope(),
        audience: vec![API.to_owned()],
        redirect_uris: Vec::new(),
        ..new("service", Method::ClientSecretBasic, MACHINE)
    };
    let jwt_service = Client {
        scope: scope(),
        access_token_format: Some(TokenFormat::Jwt),
        ..new("jwt-service", Method::ClientSecretBasic, MACHINE)
    };
    let public_machine = new("public-machine", Method::None, MACHINE);
    let api = Client {
        introspects: vec![API.to_owned()],
        redirect_uris: Vec::new(),
        ..new("api", Method::ClientSecretBasic, MACHINE)
    };
    let stranger = Client {
        redirect_uris: Vec::new(),
        ..new("stranger", Method::ClientSecretBasic, MACHINE)
    };
    let odd = Client {
        scope: scope(),
        ..new("odd:%+", Method::ClientSecretBasic, MACHINE)
    };
    let odd = Client {
        secret: Some(KeptSecret::Digest(sha256(ODD_SECRET.as_bytes()))),
        ..odd
    };
    let plus = new("plus", Method::ClientSecretBasic, MACHINE);
    // Told to be public, and yet it has a secret: nobody may get in by forgetting it (SEC-022).
    let confused = Client {
        secret: Some(KeptSecret::Digest(sha256(b"forgotten"))),
        ..new("confused", Method::None, USER)
    };
    let scopeless = Client {
        scope: Scope::default(),
        ..new("scopeless", Method::ClientSecretBasic, USER)
    };
    vec![
        service,
        jwt_service,
        public_machine,
        api,
        stranger,
        odd,
        plus,
        confused,
        scopeless,
    ]
}

/// Clients that come with somebody else's token.
fn exchangers() -> Vec<Client> {
    let to = |audiences: &[&str]| TokenExchange {
        audiences: audiences.iter().map(|name| (*name).to_owned()).collect(),
        may_impersonate: false,
        subject_issuers: vec!["hub".to_owned()],
    };
    let exchanger = |id: &str, policy: Option<TokenExchange>| Client {
        introspects: vec![API.to_owned()],
        redirect_uris: Vec::new(),
        token_exchange: policy,
        ..new(id, Method::ClientSecretBasic, EXCHANGE)
    };
    let impersonating = TokenExchange {
        may_impersonate: true,
        ..to(&[DOWN])
    };
    let unconcerned = Client {
        introspects: Vec::new(),
        ..exchanger(
            "unconcerned",
            Some(TokenExchange {
                subject_issuers: Vec::new(),
                ..to(&[DOWN])
            }),
        )
    };
    let public = Client {
        authentication: Method::None,
        secret: None,
        ..exchanger("public-exchanger", Some(to(&[DOWN])))
    };
    let deployer = Client {
        redirect_uris: Vec::new(),
        scope: Scope::parse("photos:read photos:write").unwrap(),
        ..new("deployer", Method::None, &[GrantType::JwtBearer])
    };
    let mut clients = vec![
        exchanger("exchanger", Some(to(&[DOWN, API]))),
        exchanger("impersonator", Some(impersonating)),
        exchanger("planless", None),
        unconcerned,
        public,
        deployer,
    ];
    let hops = ["hop-1", "hop-2", "hop-3", "hop-4"];
    clients.extend(hops.map(|id| exchanger(id, Some(to(&[API])))));
    clients
}

/// Without a browser of their own: one without a secret, and one with.
fn devices() -> Vec<Client> {
    const DEVICE: &[GrantType] = &[GrantType::DeviceCode, GrantType::RefreshToken];
    let tv = Client {
        redirect_uris: Vec::new(),
        ..new("tv", Method::None, DEVICE)
    };
    let printer = Client {
        redirect_uris: Vec::new(),
        ..new("printer", Method::ClientSecretBasic, DEVICE)
    };
    vec![tv, printer]
}

fn by_assertion(kek: &Kek, tenant: &TenantId, entropy: &mut Entropy) -> Vec<Client> {
    let keyed = Client {
        jwks: Some(KeySet::new(vec![jwt::client_key().public_jwk().clone()])),
        scope: Scope::parse("photos:read").unwrap(),
        ..new("keyed", Method::PrivateKeyJwt, &GrantType::ALL)
    };
    // Nobody answers there; tests that need it put another address in its place.
    let remote = Client {
        id: ClientId::parse("remote").unwrap(),
        jwks: None,
        jwks_uri: Some("https://keys.example/jwks".to_owned()),
        ..keyed.clone()
    };
    let sealed = |entropy: &mut Entropy| {
        let id = ClientId::parse("hmac").unwrap();
        let secret = Secret::from_text(HMAC_SECRET.to_owned());
        KeptSecret::Sealed(
            kek.seal_client_secret(tenant, &id, &secret, entropy)
                .unwrap(),
        )
    };
    let hmac = Client {
        secret: Some(sealed(entropy)),
        scope: Scope::parse("photos:read").unwrap(),
        ..new("hmac", Method::ClientSecretJwt, MACHINE)
    };
    vec![keyed, remote, hmac]
}
