//! The people and clients of `jeton dev`. Their passwords are printed, so they must never be in a real installation.

use super::{DemoClient, DemoPerson};
use crate::ambient::Ambient;
use crate::demo::api;
use crate::passwords::{Cost, hash_now};
use jeton_protocol::client::{
    ApplicationType, AuthenticationMethod, Client, ClientId, GrantType, KeptSecret, Owner,
    Rotation, TokenExchange,
};
use jeton_protocol::grants::token_exchange::TokenType;
use jeton_protocol::metadata::path;
use jeton_protocol::redirect_uri::RedirectUri;
use jeton_protocol::scope::Scope;
use jeton_protocol::tenant::{Issuer, TenantId, TokenFormat};
use jeton_protocol::user::User;
use jeton_store::audit::Occasion;
use jeton_store::{Inserted, Store, StoreError};
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::row_id::RowId;
use jeton_token::secret::sha256;
use serde_json::{Value, json};

/// Which demo world to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seed {
    Demo,
    /// The demo world and the clients `jeton bench` measures with.
    Bench,
}

/// Cheap, because these passwords protect nothing: `dev` has to start at once.
const DEMO_COST: Cost = Cost {
    memory_kib: 8 * 1024,
    iterations: 1,
    lanes: 1,
};

pub async fn sow(
    store: &Store,
    issuer: &Issuer,
    seed: Seed,
    ambient: &mut Ambient,
) -> Result<(Vec<DemoClient>, Vec<DemoPerson>), StoreError> {
    let tenant = TenantId::default_tenant();
    let people = [("alice", true), ("bob", false)];
    for (name, admin) in people {
        person(store, &tenant, name, admin, ambient).await?;
    }
    let mut clients = demo_clients(issuer, ambient);
    if seed == Seed::Bench {
        clients.extend(bench_clients(issuer, ambient));
    }
    for client in clients {
        if store.client(&tenant, &client.id).await?.is_none() {
            store
                .insert_client(&tenant, client, occasion(ambient))
                .await?;
        }
    }
    let shown = people.map(|(name, _)| DemoPerson {
        username: name.to_owned(),
        password: name.to_owned(),
    });
    Ok((shown_clients(issuer), shown.to_vec()))
}

async fn person(
    store: &Store,
    tenant: &TenantId,
    name: &str,
    admin: bool,
    ambient: &mut Ambient,
) -> Result<(), StoreError> {
    if store.user_by_name(tenant, name).await?.is_some() {
        return Ok(());
    }
    let id = RowId::new(ambient.now, &mut ambient.entropy);
    let claims = claims_of(name, ambient.now.seconds())
        .as_object()
        .cloned()
        .unwrap_or_default();
    let user = User {
        id,
        username: name.to_owned(),
        claims,
        admin,
        created_at: ambient.now,
        disabled_at: None,
    };
    if store.insert_user(tenant, user, occasion(ambient)).await? == Inserted::Inserted {
        let hash = hash_now(DEMO_COST, name, &mut ambient.entropy).unwrap_or_default();
        store
            .set_password(tenant, id, hash, occasion(ambient))
            .await?;
    }
    Ok(())
}

/// Every standard claim, each of its right type (P-439).
fn claims_of(name: &str, updated_at: i64) -> Value {
    let (given, family) = if name == "alice" {
        ("Alice", "Adams")
    } else {
        ("Bob", "Baker")
    };
    json!({
        "name": format!("{given} {family}"),
        "given_name": given,
        "family_name": family,
        "middle_name": "Q",
        "nickname": given,
        "preferred_username": name,
        "profile": format!("https://example.org/people/{name}"),
        "picture": format!("https://example.org/people/{name}.png"),
        "website": format!("https://{name}.example.org/"),
        "gender": "unspecified",
        "birthdate": "1990-01-31",
        "zoneinfo": "Europe/Paris",
        "locale": "en-GB",
        "updated_at": updated_at,
        "email": format!("{name}@example.org"),
        "email_verified": true,
        "phone_number": "+33 1 23 45 67 89",
        "phone_number_verified": false,
        "address": {
            "formatted": "1 Rue de la Paix\n75002 Paris\nFrance",
            "street_address": "1 Rue de la Paix",
            "locality": "Paris",
            "postal_code": "75002",
            "country": "FR"
        }
    })
}

fn demo_clients(issuer: &Issuer, ambient: &Ambient) -> Vec<Client> {
    let user_scope = "openid profile email address phone offline_access photos:read";
    let web = Client {
        name: Some("Demo web application".to_owned()),
        client_uri: Some("https://example.org/".to_owned()),
        policy_uri: Some("https://example.org/privacy".to_owned()),
        tos_uri: Some("https://example.org/terms".to_owned()),
        introspects: vec![issuer.join(api::PATH)],
        ..interactive(
            "demo-web",
            user_scope,
            Some("demo-web-secret"),
            (issuer, ambient),
        )
    };
    let spa = Client {
        name: Some("Demo single-page application".to_owned()),
        allowed_origins: vec![
            "http://localhost:3000".to_owned(),
            "http://127.0.0.1:3000".to_owned(),
        ],
        ..interactive("demo-spa", user_scope, None, (issuer, ambient))
    };
    let dpop = Client {
        name: Some("Demo application with a key".to_owned()),
        allowed_origins: spa.allowed_origins.clone(),
        dpop_bound_access_tokens: true,
        dpop_nonce: Some(true),
        ..interactive("demo-dpop", user_scope, None, (issuer, ambient))
    };
    let job = machine(
        "demo-job",
        TokenFormat::Opaque,
        SignatureAlgorithm::Es256,
        (issuer, ambient),
    );
    vec![
        web,
        spa,
        dpop,
        demo_api((issuer, ambient)),
        Client {
            name: Some("Demo job".to_owned()),
            scope: scope("photos:read"),
            ..job
        },
        Client {
            name: Some("Demo command-line tool".to_owned()),
            authentication: AuthenticationMethod::None,
            grant_types: vec![GrantType::DeviceCode, GrantType::RefreshToken],
            scope: scope(user_scope),
            audience: vec![issuer.join(api::PATH)],
            id_token_signed_response_alg: Some(SignatureAlgorithm::Es256),
            ..new_client("demo-cli", ambient)
        },
    ]
}

fn demo_api(at: (&Issuer, &Ambient)) -> Client {
    Client {
        name: Some("Demo API".to_owned()),
        grant_types: vec![GrantType::TokenExchange],
        scope: scope("photos:read"),
        audience: Vec::new(),
        token_exchange: Some(TokenExchange {
            audiences: vec![at.0.join(STORAGE)],
            ..TokenExchange::default()
        }),
        ..machine(
            "demo-api",
            TokenFormat::Opaque,
            SignatureAlgorithm::Es256,
            at,
        )
    }
}

/// Where `demo-api` goes with the tokens it exchanged. Nobody answers there.
const STORAGE: &str = "/demo/storage";

fn bench_clients(issuer: &Issuer, ambient: &Ambient) -> Vec<Client> {
    let at = (issuer, ambient);
    let mut clients = vec![machine(
        "bench-opaque",
        TokenFormat::Opaque,
        SignatureAlgorithm::Es256,
        at,
    )];
    for (id, algorithm) in [
        ("bench-eddsa", SignatureAlgorithm::EdDsa),
        ("bench-es256", SignatureAlgorithm::Es256),
        ("bench-rs256", SignatureAlgorithm::Rs256),
    ] {
        clients.push(machine(id, TokenFormat::Jwt, algorithm, at));
    }
    let web = interactive(
        "bench-web",
        "openid profile email",
        Some("bench-web-secret"),
        at,
    );
    let spa = interactive("bench-spa", "openid profile email", None, at);
    clients.push(Client {
        first_party: true,
        access_token_format: Some(TokenFormat::Jwt),
        refresh_token_rotation: Some(Rotation::Never),
        ..web
    });
    clients.push(Client {
        first_party: true,
        refresh_token_rotation: Some(Rotation::Each),
        ..spa
    });
    clients
}

fn interactive(
    id: &str,
    allowed: &str,
    secret: Option<&str>,
    (issuer, ambient): (&Issuer, &Ambient),
) -> Client {
    let loopback = [
        "http://127.0.0.1/",
        "http://127.0.0.1/cb",
        "http://127.0.0.1/callback",
        "http://[::1]/callback",
    ]
    .into_iter()
    .chain([
        "http://localhost:3000/callback",
        "http://localhost:8080/callback",
    ]);
    let uri = |text: &str| RedirectUri::parse(text, ApplicationType::Native).ok();
    Client {
        authentication: match secret {
            Some(_) => AuthenticationMethod::ClientSecretBasic,
            None => AuthenticationMethod::None,
        },
        secret: secret.map(|secret| KeptSecret::Digest(sha256(secret.as_bytes()))),
        redirect_uris: loopback.clone().filter_map(uri).collect(),
        post_logout_redirect_uris: loopback.filter_map(uri).collect(),
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        application_type: ApplicationType::Native,
        scope: scope(allowed),
        audience: vec![issuer.join(api::PATH)],
        id_token_signed_response_alg: Some(SignatureAlgorithm::Es256),
        ..new_client(id, ambient)
    }
}

fn machine(
    id: &str,
    format: TokenFormat,
    algorithm: SignatureAlgorithm,
    (issuer, ambient): (&Issuer, &Ambient),
) -> Client {
    Client {
        secret: Some(KeptSecret::Digest(sha256(
            format!("{id}-secret").as_bytes(),
        ))),
        grant_types: vec![GrantType::ClientCredentials],
        audience: vec![issuer.join(api::PATH)],
        introspects: vec![issuer.join(api::PATH)],
        access_token_format: Some(format),
        access_token_signed_response_alg: Some(algorithm),
        ..new_client(id, ambient)
    }
}

fn new_client(id: &str, ambient: &Ambient) -> Client {
    let id =
        ClientId::parse(id).unwrap_or_else(|| unreachable!("a demo client's id is well formed"));
    Client {
        owner: Owner::Demo,
        ..Client::new(id, ambient.now)
    }
}

fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap_or_default()
}

fn occasion(ambient: &mut Ambient) -> Occasion {
    ambient.occasion("jeton dev", String::new())
}

fn shown_clients(issuer: &Issuer) -> Vec<DemoClient> {
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let start = |id: &str| {
        format!(
            "{issuer}/authorize?response_type=code&client_id={id}&redirect_uri=http%3A%2F%2Flocalhost%3A3000%2Fcallback\
             &scope=openid%20profile%20email%20photos%3Aread&state=from-the-home-page\
             &code_challenge={challenge}&code_challenge_method=S256"
        )
    };
    let get = |url: String| {
        format!("curl -s -o /dev/null -w '%{{http_code}} %{{redirect_url}}\\n' '{url}'")
    };
    vec![
        DemoClient {
            id: "demo-web".to_owned(),
            about: "A web application with a secret: code and PKCE, refresh without rotation"
                .to_owned(),
            command: get(start("demo-web")),
            start: Some(start("demo-web")),
        },
        DemoClient {
            id: "demo-spa".to_owned(),
            about: "A public client: code and PKCE, rotating refresh tokens".to_owned(),
            command: get(start("demo-spa")),
            start: Some(start("demo-spa")),
        },
        DemoClient {
            id: "demo-dpop".to_owned(),
            about: "A public client: its tokens are bound to a key (DPoP), and proofs need a nonce"
                .to_owned(),
            command: get(start("demo-dpop")),
            start: Some(start("demo-dpop")),
        },
        DemoClient {
            id: "demo-job".to_owned(),
            about: "A machine: client credentials".to_owned(),
            command: job_command(issuer),
            start: None,
        },
        DemoClient {
            id: "demo-api".to_owned(),
            about: "An API that goes on with its caller's token: token exchange".to_owned(),
            command: exchange_command(issuer),
            start: None,
        },
        DemoClient {
            id: "demo-cli".to_owned(),
            about: "A tool or device without a browser: enter its code on the page it names"
                .to_owned(),
            command: format!(
                "curl -s {issuer}/device_authorization -d client_id=demo-cli -d 'scope=openid photos:read'"
            ),
            start: Some(issuer.join(path::DEVICE)),
        },
    ]
}

/// The line `jeton dev` prints, which works as printed.
pub fn job_command(issuer: &Issuer) -> String {
    format!("curl -s -u demo-job:demo-job-secret {issuer}/token -d grant_type=client_credentials")
}

/// What `demo-api` does with a token that `demo-job` came with.
fn exchange_command(issuer: &Issuer) -> String {
    let access_token = r#"sed 's/.*"access_token":"\([^"]*\)".*/\1/'"#;
    let (grant, kind) = (
        GrantType::TokenExchange.name(),
        TokenType::AccessToken.uri(),
    );
    format!(
        "curl -s -u demo-api:demo-api-secret {issuer}/token -d grant_type={grant} -d subject_token_type={kind} \
         -d subject_token=$({} | {access_token})",
        job_command(issuer)
    )
}
