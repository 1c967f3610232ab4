//! Everything the server gives out, and every place that takes one of those things.

use crate::login::admin_link;
use crate::support::{Browser, Fields, TestServer, Tokens, jwt};
use jeton::tenancy::TenantState;
use jeton_protocol::tenant::TenantId;
use std::sync::Arc;

/// One of each kind of thing a server gives out, all for alice and the same clients.
#[derive(Clone)]
pub struct Given {
    pub of: Vec<(Kind, String)>,
    /// The issuer as it was then, with its keys.
    pub state: Arc<TenantState>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Code,
    Refresh,
    Opaque,
    Jwt,
    Id,
    Assertion,
    Session,
    Interaction,
    Browser,
    FormToken,
    AdminLink,
    KnownBrowser,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    Code,
    Refresh,
    Bearer,
    Introspection,
    Hint,
    LogoutHint,
    Assertion,
    SessionCookie,
    BrowserCookie,
    Interaction,
    FormToken,
    AdminLink,
    /// The password of HTTP Basic.
    ClientSecret,
    Verifier,
}

pub const SINKS: [Sink; 14] = [
    Sink::Code,
    Sink::Refresh,
    Sink::Bearer,
    Sink::Introspection,
    Sink::Hint,
    Sink::LogoutHint,
    Sink::Assertion,
    Sink::SessionCookie,
    Sink::BrowserCookie,
    Sink::Interaction,
    Sink::FormToken,
    Sink::AdminLink,
    Sink::ClientSecret,
    Sink::Verifier,
];

impl Sink {
    /// The kinds that belong here; every other one is refused.
    pub fn takes(self, kind: Kind) -> bool {
        match self {
            Self::Code => kind == Kind::Code,
            Self::Refresh => kind == Kind::Refresh,
            Self::Bearer => matches!(kind, Kind::Opaque | Kind::Jwt),
            Self::Introspection => matches!(kind, Kind::Opaque | Kind::Jwt | Kind::Refresh),
            Self::Hint | Self::LogoutHint => kind == Kind::Id,
            Self::Assertion => kind == Kind::Assertion,
            Self::SessionCookie => kind == Kind::Session,
            Self::BrowserCookie => kind == Kind::Browser,
            Self::Interaction => kind == Kind::Interaction,
            Self::FormToken => kind == Kind::FormToken,
            Self::AdminLink => kind == Kind::AdminLink,
            Self::ClientSecret | Self::Verifier => false,
        }
    }
}

pub fn cookie(server: &TestServer, stem: &str) -> String {
    let tenant = server.tenant();
    if tenant.as_str() == TenantId::DEFAULT {
        format!("__Host-jeton-{stem}")
    } else {
        format!("__Host-jeton-{stem}-{tenant}")
    }
}

impl Given {
    pub async fn by(server: &TestServer) -> Self {
        let mut alice = server.browser();
        let code = alice
            .complete(&server.request("web", "openid"), "alice")
            .await
            .code();
        let second = alice
            .complete(&server.request("web", "openid"), "alice")
            .await
            .code();
        let tokens = Tokens::of(&server.redeem("web", &second).await);
        let jwts = server.tokens("jwt-web", "openid").await;
        let mut browser = server.browser();
        let page = browser.authorize(&server.request("web", "openid")).await;
        let form = crate::support::browser::form(&page);
        let hidden = |name: &str| form.hidden.value(name).unwrap().to_owned();
        let held = |browser: &Browser, stem: &str| browser.cookies[&cookie(server, stem)].clone();
        let of = vec![
            (Kind::Code, code),
            (Kind::Refresh, tokens.refresh().to_owned()),
            (Kind::Opaque, tokens.access.clone()),
            (Kind::Jwt, jwts.access.clone()),
            (Kind::Id, tokens.id().to_owned()),
            (Kind::Assertion, jwt::keyed(server, "keyed")),
            (Kind::Session, held(&alice, "session")),
            (Kind::Interaction, hidden("interaction")),
            (Kind::FormToken, hidden("csrf")),
            (Kind::Browser, held(&browser, "browser")),
            (
                Kind::AdminLink,
                admin_link::link(server, jeton::login::admin_link::PURPOSE).await,
            ),
            (Kind::KnownBrowser, held(&alice, "known")),
        ];
        let state = server.state().await;
        Self { of, state }
    }

    pub fn value(&self, kind: Kind) -> &str {
        &self.of.iter().find(|(known, _)| *known == kind).unwrap().1
    }
}

/// Whether `sink` of `server` takes `value`. `own` is what that server itself gave out, for the rest of the request.
#[expect(clippy::too_many_lines, reason = "one arm a sink")]
pub async fn accepts(server: &TestServer, sink: Sink, value: &str, own: &Given) -> bool {
    match sink {
        Sink::Code => server.redeem("web", value).await.status == 200,
        Sink::Refresh => server.refresh("web", value).await.status == 200,
        Sink::Bearer => server.userinfo(value).await.status == 200,
        Sink::Introspection => {
            server.is_active("web", value).await || server.is_active("jwt-web", value).await
        }
        Sink::Hint => {
            let request = server
                .request("web", "openid")
                .with("prompt", "none")
                .with("id_token_hint", value);
            let answer = server.send(server.get("/authorize").query(&request)).await;
            answer
                .expect(303)
                .callback("error")
                .is_some_and(|error| error == "login_required")
        }
        Sink::LogoutHint => {
            let fields = Fields::from([("id_token_hint", value)]);
            server
                .send(server.get("/end-session").query(&fields))
                .await
                .status
                == 200
        }
        Sink::Assertion => {
            let fields = Fields::from([("grant_type", "client_credentials")]);
            let ask = server.post("/token", &jwt::with_assertion(fields, value));
            let status = server.send(ask).await.status;
            assert_ne!(status, 429, "refused unseen");
            status == 200
        }
        Sink::SessionCookie => {
            let mut browser = server.browser();
            browser
                .cookies
                .insert(cookie(server, "session"), value.to_owned());
            let silent = server.request("first", "openid").with("prompt", "none");
            browser.authorize(&silent).await.callback("code").is_some()
        }
        Sink::BrowserCookie => {
            let fields = Fields::from([("interaction", own.value(Kind::Interaction))]);
            let held = format!("{}={value}", cookie(server, "browser"));
            server
                .send(
                    server
                        .get("/sign-in")
                        .query(&fields)
                        .header("cookie", &held),
                )
                .await
                .status
                == 200
        }
        Sink::FormToken => {
            let fields = Fields::from([
                ("interaction", own.value(Kind::Interaction)),
                ("csrf", value),
                ("username", "nobody"),
                ("password", "x"),
            ]);
            let held = format!("{}={}", cookie(server, "browser"), own.value(Kind::Browser));
            let ask = server.post("/sign-in", &fields).header("cookie", &held);
            let answer = server.send(ask.header("origin", server.origin())).await;
            answer.status != 400
        }
        Sink::AdminLink => {
            let fields = Fields::from([("token", value)]);
            let ask = server.get(jeton::login::admin_link::PATH).query(&fields);
            server.send(ask).await.status == 200
        }
        Sink::ClientSecret => {
            let fields = Fields::from([("token", "x")]);
            let ask = server.post("/revoke", &fields).basic("other", value);
            server.send(ask).await.status == 200
        }
        Sink::Verifier => {
            let code = server.code("web", "openid").await;
            let fields = server.redemption("web", &code).with("code_verifier", value);
            server.token("web", &fields).await.status == 200
        }
        Sink::Interaction => {
            let fields = Fields::from([("interaction", value)]);
            let held = format!("{}={}", cookie(server, "browser"), own.value(Kind::Browser));
            server
                .send(
                    server
                        .get("/sign-in")
                        .query(&fields)
                        .header("cookie", &held),
                )
                .await
                .status
                == 200
        }
    }
}
