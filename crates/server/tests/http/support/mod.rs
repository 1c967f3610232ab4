//! The server under test: the real application behind `dispatch::answer`, on a database of its own, with a clock that tests
//! move and luck that repeats. Nothing is mocked; only the sockets are left out.

pub mod ask;
pub mod browser;
pub mod clients;
pub mod cluster;
pub mod device;
pub mod dpop;
pub mod jwt;
pub mod remote;
pub mod setup;
pub mod trusted;

pub use ask::{Answer, Ask, Fields};
pub use browser::Browser;
pub use setup::Setup;

use http::Method;
use http_body_util::BodyExt as _;
use jeton::app::App;
use jeton::dispatch::{self, Incoming};
use jeton::tenancy::TenantState;
use jeton_protocol::client::{Client, ClientId, GrantType};
use jeton_protocol::grants::token_exchange::TokenType;
use jeton_protocol::refusal::Refusal;
use jeton_protocol::tenant::TenantId;
use jeton_protocol::user::{User, UserId};
use jeton_store::Changed;
use jeton_store::audit::Occasion;
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

pub const START: Timestamp = Timestamp::from_seconds(1_800_000_000);
pub const ISSUER: &str = "https://id.example";
pub const BY_PATH: &str = "https://id.example/acme";
pub const BY_HOST: &str = "https://other.example";

/// The example of RFC 7636 appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// One issuer of a running application. Clones share the application.
#[derive(Clone)]
pub struct TestServer {
    pub app: Arc<App>,
    pub issuer: String,
}

/// A token response.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: Option<String>,
    pub id: Option<String>,
    pub json: Value,
}

impl Tokens {
    pub fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
        let json = answer.json();
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        Self {
            access: text("access_token").unwrap(),
            refresh: text("refresh_token"),
            id: text("id_token"),
            json,
        }
    }

    pub fn refresh(&self) -> &str {
        self.refresh.as_deref().expect("a refresh token")
    }

    pub fn id(&self) -> &str {
        self.id.as_deref().expect("an ID token")
    }
}

impl TestServer {
    pub async fn start() -> Self {
        Setup::default().start().await
    }

    /// The same application as another of its issuers.
    pub fn at(&self, issuer: &str) -> Self {
        Self {
            app: Arc::clone(&self.app),
            issuer: issuer.to_owned(),
        }
    }

    /// Scheme and authority of the issuer.
    pub fn origin(&self) -> &str {
        let host = self.issuer.find("://").unwrap() + 3;
        let end = self.issuer[host..]
            .find('/')
            .map_or(self.issuer.len(), |at| host + at);
        &self.issuer[..end]
    }

    pub fn password(user: &str) -> String {
        format!("the password of {user}")
    }

    pub fn get(&self, path: &str) -> Ask {
        Ask::new(Method::GET, &format!("{}{path}", self.issuer))
    }

    pub fn post(&self, path: &str, fields: &Fields) -> Ask {
        self.bare(Method::POST, path).form(fields)
    }

    pub fn bare(&self, method: Method, path: &str) -> Ask {
        Ask::new(method, &format!("{}{path}", self.issuer))
    }

    pub async fn send(&self, ask: Ask) -> Answer {
        let parts = ask.parts();
        let incoming = Incoming {
            parts,
            body: ask.body.into(),
            peer: ask.peer,
            management: ask.management,
        };
        let (parts, body) = dispatch::answer(&self.app, incoming).await.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(bytes.to_vec()).unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// Sends a form as the client, authenticated the way it is registered.
    pub async fn post_as(&self, client: &str, path: &str, fields: &Fields) -> Answer {
        self.send(clients::authenticate(self, client, self.post(path, fields)))
            .await
    }

    pub async fn token(&self, client: &str, fields: &Fields) -> Answer {
        self.post_as(client, "/token", fields).await
    }

    pub fn browser(&self) -> Browser {
        Browser::new(self)
    }

    /// A browser that is signed in.
    pub async fn signed_in(&self, user: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser
            .complete(&self.request("first", "openid"), user)
            .await;
        assert!(answer.callback("code").is_some(), "{}", answer.body);
        browser
    }

    /// An authorization request of the client, complete and right.
    pub fn request(&self, client: &str, scope: &str) -> Fields {
        Fields::from([
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", clients::redirect_uri(client)),
            ("scope", scope),
            ("state", "state-1"),
            ("nonce", "nonce-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ])
    }

    /// A code for alice.
    pub async fn code(&self, client: &str, scope: &str) -> String {
        self.browser()
            .complete(&self.request(client, scope), "alice")
            .await
            .code()
    }

    pub fn redemption(&self, client: &str, code: &str) -> Fields {
        Fields::from([
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", clients::redirect_uri(client)),
            ("code_verifier", VERIFIER),
        ])
    }

    pub async fn redeem(&self, client: &str, code: &str) -> Answer {
        self.token(client, &self.redemption(client, code)).await
    }

    /// Tokens for alice.
    pub async fn tokens(&self, client: &str, scope: &str) -> Tokens {
        let code = self.code(client, scope).await;
        Tokens::of(&self.redeem(client, &code).await)
    }

    /// Tokens the client gets for itself.
    pub async fn own_tokens(&self, client: &str) -> Tokens {
        Tokens::of(
            &self
                .token(
                    client,
                    &Fields::from([("grant_type", "client_credentials")]),
                )
                .await,
        )
    }

    pub async fn refresh(&self, client: &str, token: &str) -> Answer {
        let fields = Fields::from([("grant_type", "refresh_token"), ("refresh_token", token)]);
        self.token(client, &fields).await
    }

    /// Exchanges an access token; `more` adds parameters.
    pub async fn exchange(&self, client: &str, token: &str, more: &[(&str, &str)]) -> Answer {
        let mut fields = Fields::from([
            ("grant_type", GrantType::TokenExchange.name()),
            ("subject_token", token),
            ("subject_token_type", TokenType::AccessToken.uri()),
        ]);
        for (name, value) in more {
            fields = fields.and(name, value);
        }
        self.token(client, &fields).await
    }

    /// Pushes a request and returns the `request_uri` of the answer.
    pub async fn push(&self, client: &str, fields: &Fields) -> String {
        let answer = self.post_as(client, "/par", fields).await.expect(201);
        answer.json()["request_uri"].as_str().unwrap().to_owned()
    }

    pub async fn userinfo(&self, token: &str) -> Answer {
        self.send(self.get("/userinfo").bearer(token)).await
    }

    pub async fn introspect(&self, client: &str, token: &str) -> Value {
        let answer = self
            .post_as(client, "/introspect", &Fields::from([("token", token)]))
            .await;
        answer.expect(200).json()
    }

    pub async fn is_active(&self, client: &str, token: &str) -> bool {
        self.introspect(client, token).await["active"]
            .as_bool()
            .unwrap()
    }

    pub async fn revoke(&self, client: &str, token: &str) -> Answer {
        self.post_as(client, "/revoke", &Fields::from([("token", token)]))
            .await
    }

    pub fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    pub fn advance(&self, seconds: u64) {
        self.app.clock.advance(Duration::from_secs(seconds));
    }

    /// As the recurring job does a few times a second: what others changed, and keys whose instant has come.
    pub async fn look_around(&self) {
        self.app.tenancy.refresh(&self.app).await.unwrap();
        self.app.store.refresh_cuts(self.now()).await.unwrap();
    }

    pub async fn state(&self) -> Arc<TenantState> {
        let (host, path) = setup::split(&self.issuer);
        self.app
            .tenancy
            .find(&self.app, host, path)
            .await
            .unwrap()
            .expect("a tenant")
    }

    pub fn tenant(&self) -> TenantId {
        let name = match self.issuer.as_str() {
            BY_PATH => "acme",
            BY_HOST => "other",
            _ => TenantId::DEFAULT,
        };
        TenantId::parse(name).unwrap()
    }

    pub fn occasion(&self) -> Occasion {
        let mut ambient = self.app.ambient();
        let trace = RowId::new(ambient.now, &mut ambient.entropy);
        Occasion {
            now: ambient.now,
            trace,
            actor: "operator".to_owned(),
            request: String::new(),
        }
    }

    pub async fn user(&self, name: &str) -> User {
        self.app
            .store
            .user_by_name(&self.tenant(), name)
            .await
            .unwrap()
            .expect("a user")
    }

    pub async fn disable_user(&self, name: &str) -> UserId {
        let id = self.user(name).await.id;
        let changed = self
            .app
            .store
            .disable_user(&self.tenant(), id, self.occasion())
            .await;
        assert_eq!(changed, Ok(Changed::Changed));
        self.look_around().await;
        id
    }

    pub async fn disable_client(&self, client: &str) {
        let id = ClientId::parse(client).unwrap();
        let changed = self
            .app
            .store
            .disable_client(&self.tenant(), &id, self.occasion())
            .await;
        assert_eq!(changed, Ok(Changed::Changed));
        self.look_around().await;
    }

    pub async fn enable_client(&self, client: &str) {
        let id = ClientId::parse(client).unwrap();
        let changed = self
            .app
            .store
            .enable_client(&self.tenant(), &id, self.occasion())
            .await;
        assert_eq!(changed, Ok(Changed::Changed));
        self.look_around().await;
    }

    pub async fn change_client(&self, client: &str, change: impl FnOnce(&mut Client)) {
        let id = ClientId::parse(client).unwrap();
        let mut record = self
            .app
            .store
            .client(&self.tenant(), &id)
            .await
            .unwrap()
            .unwrap();
        change(&mut record);
        let changed = self
            .app
            .store
            .replace_client(&self.tenant(), record, self.occasion())
            .await;
        assert_eq!(changed, Ok(Changed::Changed));
        self.look_around().await;
    }

    /// Why the last request was refused, as the operator sees it.
    pub fn refusal(&self) -> Option<Refusal> {
        let last = |trace: &mut jeton::observe::trace::Trace| {
            trace
                .steps()
                .next_back()
                .and_then(|step| step.refusal.clone())
        };
        self.app.observe.with_trace(last).flatten()
    }

    /// The cause of the last request's refusal.
    pub fn cause(&self) -> &'static str {
        self.refusal()
            .map_or("no refusal", |refusal| refusal.rule.cause)
    }
}
