//! Where a row of the corpus happens: a server of its own, and the values the row asks for by name.

use super::{Broken, Deed};
use crate::support::browser::{asks_password, form};
use crate::support::device::Started;
use crate::support::{
    Answer, Ask, Browser, Fields, Setup, TestServer, Tokens, clients, dpop, jwt, trusted,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use jeton_protocol::client::{Client, GrantType};
use jeton_protocol::scope::Scope;
use jeton_store::Changed;
use serde_json::{Value, json};

pub struct Scene {
    pub server: TestServer,
    /// Signed in as alice; made all codes and tokens.
    alice: Browser,
    /// Has an open sign-in page.
    visit: Browser,
    page: Answer,
    first: Option<String>,
    /// The last bound token, for the proofs made after it.
    access: String,
}

impl Scene {
    pub async fn open(row: &Broken) -> Self {
        let development = row.path.starts_with("/demo");
        let server = Setup {
            development,
            ..Setup::default()
        }
        .start()
        .await;
        let mut visit = server.browser();
        let page = visit.authorize(&server.request("web", "openid")).await;
        assert!(asks_password(&page), "{}", page.body);
        Self {
            alice: server.browser(),
            visit,
            page,
            first: None,
            access: String::new(),
            server,
        }
    }

    /// The request of a row, its values filled in and its deeds done.
    pub async fn prepare(&mut self, row: &Broken) -> Ask {
        let mut fields = Fields::default();
        for (name, value) in &row.fields {
            fields = fields.and(name, &self.filled(value).await);
        }
        let mut headers = Vec::new();
        for (name, value) in &row.headers {
            headers.push((*name, self.filled(value).await));
        }
        let cookies = self.cookies(row.cookies).await;
        for deed in &row.deeds {
            self.act(*deed).await;
        }
        let mut ask = self.server.bare(row.method.clone(), row.path);
        let fields = fields.and("qxq-marker", "qxq-marker");
        ask = match row.raw {
            Some(("", body)) => Ask {
                body: body.as_bytes().to_vec(),
                ..ask
            },
            Some((content_type, body)) => ask.raw(content_type, body.as_bytes()),
            None if row.method == Method::POST => ask.form(&fields),
            None => ask.query(&fields),
        };
        if !row.query.is_empty() {
            ask = ask.query(&Fields::of(&row.query));
        }
        if !row.by.is_empty() {
            ask = clients::authenticate(&self.server, row.by, ask);
        }
        for (name, value) in headers {
            ask = ask.header(name, &value);
        }
        if !cookies.is_empty() {
            ask = ask.header("cookie", &cookies);
        }
        ask.header("x-qxq-marker", "qxq-marker")
    }

    async fn filled(&mut self, text: &str) -> String {
        let Some(start) = text.find('{') else {
            return text.to_owned();
        };
        let named = text[start + 1..].starts_with(|c: char| c.is_ascii_lowercase());
        let (Some(end), true) = (text.rfind('}'), named) else {
            return text.to_owned();
        };
        let value = self.value(&text[start + 1..end]).await;
        format!("{}{value}{}", &text[..start], &text[end + 1..])
    }

    #[expect(clippy::too_many_lines, reason = "a table of values")]
    async fn value(&mut self, name: &str) -> String {
        let (kind, of) = name.split_once(':').unwrap_or((name, ""));
        if let Some(kind) = kind.strip_prefix("altered-") {
            let value = Box::pin(self.value(&format!("{kind}:{of}"))).await;
            return altered(&value);
        }
        if let Some(kind) = kind.strip_prefix("short-") {
            let value = Box::pin(self.value(&format!("{kind}:{of}"))).await;
            return value[..value.len() - 1].to_owned();
        }
        let value = match kind {
            "basic" => {
                let (id, secret) = of.split_once(':').unwrap();
                let ask = self.server.get("/").basic(id, secret);
                return ask.headers[0].1.clone();
            }
            "raw-basic" => return format!("Basic {}", STANDARD.encode(of)),
            "long" => return "q".repeat(2049),
            "scope" if of == "129" => return "q".repeat(129),
            "scope" => {
                return (0..65)
                    .map(|number| format!("s{number}"))
                    .collect::<Vec<_>>()
                    .join(" ");
            }
            "verifier" => return "q".repeat(129),
            "interaction" | "csrf" => {
                return form(&self.page).hidden.value(kind).unwrap().to_owned();
            }
            "at-csrf" => return form(&self.page).hidden.value("csrf").unwrap().to_owned(),
            "answered-interaction" => return self.answered().await,
            "assertion" => self.assertion(of).await,
            "object" => super::request_objects::make(&self.server, of),
            "pushed" => super::pushed::make(&self.server, &mut self.alice, of).await,
            "code" => self.code(of).await,
            "spent" => self.spent(of).await,
            "unchallenged" => super::unchallenged::code(&self.server, of).await,
            "vouched" => self.vouched(of).await,
            "chain" => self.chain(of).await,
            "exchanged" => self.exchanged(of, "api-web", "openid").await,
            "device" => Started::by(&self.server, of).await.device_code,
            "polled-device" | "approved-device" | "denied-device" | "spent-device" => {
                self.known_device(kind, of).await
            }
            "at" => return self.at_device(of).await,
            "own" => self.server.own_tokens(of).await.access,
            "proof" => return dpop::flawed(&self.server, of, &self.access).await,
            "bound" => {
                let access = self.bound(of).await.access;
                self.access = access.clone();
                access
            }
            "bound-refresh" => self.bound(of).await.refresh().to_owned(),
            "keyed-code" => self.keyed_code(of).await,
            "plain" => self.tokens(of, "photos:read").await.access,
            "access" => self.tokens(of, "openid").await.access,
            "refresh" => self.tokens(of, "openid").await.refresh().to_owned(),
            "old-refresh" => self.old_refresh(of).await,
            "id" => self.tokens(of, "openid").await.id().to_owned(),
            "id-of-bob" => self.id_of_bob(of).await,
            "unsigned-id" | "foreign-id" => self.forged_id(kind, of).await,
            _ => panic!("no value {name}"),
        };
        self.first.get_or_insert(value.clone());
        value
    }

    async fn code(&mut self, client: &str) -> String {
        let request = self.server.request(client, "openid");
        self.alice.complete(&request, "alice").await.code()
    }

    async fn tokens(&mut self, client: &str, scope: &str) -> Tokens {
        let request = self.server.request(client, scope);
        let code = self.alice.complete(&request, "alice").await.code();
        Tokens::of(&self.server.redeem(client, &code).await)
    }

    async fn bound(&mut self, client: &str) -> Tokens {
        let code = self.code(client).await;
        let ask = self
            .server
            .post("/token", &self.server.redemption(client, &code));
        let ask = clients::authenticate(&self.server, client, ask);
        let proof = dpop::proof(dpop::one(), &dpop::for_token(&self.server));
        Tokens::of(&self.server.send(ask.header("dpop", &proof)).await)
    }

    /// A code that was asked for with `dpop_jkt`.
    async fn keyed_code(&mut self, client: &str) -> String {
        let jkt = dpop::one().public_jwk().thumbprint();
        let request = self.server.request(client, "openid");
        let request = request.with("dpop_jkt", &jkt);
        self.alice.complete(&request, "alice").await.code()
    }

    async fn spent(&mut self, client: &str) -> String {
        let code = self.code(client).await;
        self.server.redeem(client, &code).await.expect(200);
        code
    }

    /// A refresh token that has a successor.
    async fn old_refresh(&mut self, client: &str) -> String {
        let old = self.tokens(client, "openid").await.refresh().to_owned();
        self.server.refresh(client, &old).await.expect(200);
        old
    }

    async fn known_device(&mut self, kind: &str, client: &str) -> String {
        let button = match kind {
            "polled-device" => {
                let device_code = Started::by(&self.server, client).await.device_code;
                self.server.poll(client, &device_code).await.expect(400);
                return device_code;
            }
            "denied-device" => "deny",
            _ => "approve",
        };
        let device_code = self.answered_device(client, button).await;
        if kind == "spent-device" {
            self.server.poll(client, &device_code).await.expect(200);
        }
        device_code
    }

    async fn answered_device(&mut self, client: &str, button: &str) -> String {
        let started = Started::by(&self.server, client).await;
        let page = self.alice.at_device(&started, "alice").await;
        self.alice
            .submit(&page, &[(button, "yes")])
            .await
            .expect(200);
        started.device_code
    }

    /// Goes to the page of a device, where a code is typed or where it is answered, and stays there with the browser of the
    /// visit; the value is its interaction.
    async fn at_device(&mut self, step: &str) -> String {
        let started = Started::by(&self.server, "tv").await;
        self.page = match step {
            "code" => self.visit.code_page("alice").await,
            _ => self.visit.at_device(&started, "alice").await,
        };
        form(&self.page)
            .hidden
            .value("interaction")
            .unwrap()
            .to_owned()
    }

    async fn id_of_bob(&mut self, client: &str) -> String {
        let code = self
            .server
            .browser()
            .complete(&self.server.request(client, "openid"), "bob")
            .await
            .code();
        Tokens::of(&self.server.redeem(client, &code).await)
            .id()
            .to_owned()
    }

    async fn forged_id(&mut self, kind: &str, client: &str) -> String {
        let (header, claims) = jwt::read(self.tokens(client, "openid").await.id());
        if kind == "foreign-id" {
            return jwt::sign(
                jwt::foreign_key(),
                &json!({ "alg": "ES256", "kid": header["kid"] }),
                &claims,
            );
        }
        format!("{}.", jwt::input(&json!({ "alg": "none" }), &claims))
    }

    async fn answered(&mut self) -> String {
        let handle = form(&self.page)
            .hidden
            .value("interaction")
            .unwrap()
            .to_owned();
        let page = self.visit.sign_in(&self.page, "alice").await;
        assert!(self.visit.approve(&page).await.callback("code").is_some());
        handle
    }

    async fn assertion(&mut self, kind: &str) -> String {
        let assertion = super::client_assertion_kinds::make(&self.server, kind);
        if kind == "used" {
            let fields = Fields::from([("grant_type", "client_credentials")]);
            let ask = self
                .server
                .post("/token", &jwt::with_assertion(fields, &assertion));
            self.server.send(ask).await.expect(200);
        }
        assertion
    }

    /// A token of a trusted issuer.
    async fn vouched(&mut self, kind: &str) -> String {
        let token = trusted::make(&self.server, kind);
        if kind == "used" {
            let grant = GrantType::JwtBearer.name();
            let fields = Fields::from([("grant_type", grant), ("assertion", &token)]);
            self.server.token("deployer", &fields).await.expect(200);
        }
        token
    }

    /// A token that so many clients have exchanged, one after the other.
    async fn chain(&mut self, count: &str) -> String {
        let mut token = self.tokens("api-web", "photos:read").await.access;
        for hop in 1..=count.parse().unwrap() {
            let by = format!("hop-{hop}");
            let answer = self.server.exchange(&by, &token, &[]).await;
            token = Tokens::of(&answer).access;
        }
        token
    }

    async fn exchanged(&mut self, by: &str, of: &str, scope: &str) -> String {
        let token = self.tokens(of, scope).await.access;
        let down = [("audience", clients::DOWN)];
        Tokens::of(&self.server.exchange(by, &token, &down).await).access
    }

    async fn cookies(&mut self, whose: &str) -> String {
        let browser = match whose {
            "" => return String::new(),
            "visit" => self.visit.clone(),
            "stranger" => {
                let mut stranger = self.server.browser();
                stranger
                    .authorize(&self.server.request("web", "openid"))
                    .await;
                stranger
            }
            user => self.server.signed_in(user).await,
        };
        assert!(!browser.cookies.is_empty());
        browser
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("; ")
    }

    async fn act(&mut self, deed: Deed) {
        match deed {
            Deed::Advance(seconds) => self.server.advance(seconds),
            Deed::DisableUser(name) => drop(self.server.disable_user(name).await),
            Deed::DeleteUser(name) => {
                let id = self.server.user(name).await.id;
                let occasion = self.server.occasion();
                let deleted = self
                    .server
                    .app
                    .store
                    .delete_user(&self.server.tenant(), id, occasion)
                    .await;
                assert_eq!(deleted, Ok(Changed::Changed));
            }
            Deed::DisableAndEnable(client) => {
                self.server.advance(1);
                self.server.disable_client(client).await;
                self.server.enable_client(client).await;
                self.server.advance(1);
            }
            Deed::DisableAndEnableAtOnce(client) => {
                self.server.disable_client(client).await;
                self.server.enable_client(client).await;
            }
            Deed::Withdraw(client) => {
                self.server
                    .change_client(client, |client| {
                        client.scope = Scope::parse("photos:read").unwrap()
                    })
                    .await;
            }
            Deed::DisableClient(client) => self.server.disable_client(client).await,
            Deed::SignOut => {
                self.server.advance(1);
                let question = self.alice.go(self.server.get("/end-session")).await;
                self.alice
                    .submit(&question, &[("yes", "yes")])
                    .await
                    .expect(200);
            }
            Deed::Revoke(client) => {
                let token = self.first.clone().unwrap();
                self.server.revoke(client, &token).await.expect(200);
            }
            Deed::RequirePush(client) => {
                let push =
                    |client: &mut Client| client.require_pushed_authorization_requests = true;
                self.server.change_client(client, push).await;
            }
            Deed::RequireObject(client) => {
                let sign = |client: &mut Client| client.require_signed_request_object = true;
                self.server.change_client(client, sign).await;
            }
            Deed::Cancel => {
                let ask = self.visit.filled(&self.page, &[("cancel", "yes")]);
                self.visit.step(ask).await.expect(303);
            }
        }
    }
}

/// Another character in the last quarter, where no prefix or header is.
fn altered(value: &str) -> String {
    let mut bytes = value.as_bytes().to_vec();
    let at = bytes.len() * 3 / 4;
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).unwrap()
}

pub fn is_empty(value: &Value) -> bool {
    value.as_str().is_none_or(str::is_empty)
}
