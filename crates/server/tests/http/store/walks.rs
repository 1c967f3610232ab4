//! SEC-309, SEC-R08: whole flows, with each of their writes failing in turn, before and after its commit.
//!
//! Whatever was written is acknowledged by the request that wrote it or by none: a 2xx or a redirect that left before the
//! last commit of its request would be an answer here although a write failed.

use crate::login::admin_link;
use crate::support::browser::{asks_consent, asks_password, form};
use crate::support::{Answer, Ask, Browser, Fields, Setup, TestServer, Tokens, clients, cluster};
use http::Method;
use jeton_store::{Fault, Location};

/// Somebody honest who walks through a flow and tries once more when told to come back.
struct Walk {
    browser: Browser,
    /// How many writes go well before the one that fails.
    planned: Option<(u32, Fault)>,
    begun: bool,
}

/// The flow ended early, because a write was made that its request could not acknowledge.
struct Lost;

type Walked = Result<(), Lost>;

impl Walk {
    fn new(server: &TestServer, planned: Option<(u32, Fault)>) -> Self {
        Self {
            browser: server.browser(),
            planned,
            begun: false,
        }
    }

    fn server(&self) -> TestServer {
        self.browser.server.clone()
    }

    /// One request, and the same once more if it met the fault.
    async fn send(&mut self, ask: Ask) -> Result<Answer, Lost> {
        self.try_twice(|_| ask.clone()).await
    }

    /// As [`Self::send`], with each try made anew: an assertion is good for one.
    async fn try_twice(&mut self, make: impl Fn(&TestServer) -> Ask) -> Result<Answer, Lost> {
        let server = self.server();
        let store = &server.app.store;
        if let (Some((before, fault)), false) = (self.planned, self.begun) {
            store.fail_nth(before, fault);
        }
        self.begun = true;
        let (cookies, fails_later) = (self.browser.cookies.clone(), store.fails_later());
        let ask = make(&server);
        let answer = self.browser.step(ask.clone()).await;
        if fails_later == store.fails_later() {
            assert!(answer.status.as_u16() < 500, "{} {}", ask.url, answer.body);
            return Ok(answer);
        }
        super::faults::is_unavailable(&answer);
        assert_eq!(self.browser.cookies, cookies, "{}: no cookie", ask.url);
        let again = self.browser.step(make(&server)).await;
        assert!(again.status.as_u16() < 500, "{} {}", ask.url, again.body);
        match self.planned {
            Some((_, Fault::AfterCommit)) => Err(Lost),
            Some((_, Fault::BeforeCommit)) | None => Ok(again),
        }
    }

    async fn go(&mut self, ask: Ask) -> Result<Answer, Lost> {
        let mut answer = self.send(ask).await?;
        for _ in 0..10 {
            match answer.location() {
                Some(path) if path.starts_with('/') => {
                    let url = format!("{}{path}", self.server().origin());
                    answer = self.send(Ask::new(Method::GET, &url)).await?;
                }
                Some(_) | None => return Ok(answer),
            }
        }
        panic!("the redirects go round");
    }

    async fn submit(&mut self, page: &Answer, typed: &[(&str, &str)]) -> Result<Answer, Lost> {
        let ask = self.browser.filled(page, typed);
        self.go(ask).await
    }

    async fn sign_in(&mut self, page: &Answer, user: &str) -> Result<Answer, Lost> {
        assert!(asks_password(page), "{} {}", page.status, page.body);
        let password = TestServer::password(user);
        self.submit(page, &[("username", user), ("password", &password)])
            .await
    }

    async fn authorize(&mut self, request: &Fields) -> Result<Answer, Lost> {
        let ask = self.server().get("/authorize").query(request);
        self.go(ask).await
    }

    async fn approve(&mut self, page: &Answer) -> Result<Answer, Lost> {
        assert!(asks_consent(page), "{} {}", page.status, page.body);
        let boxes = form(page).boxes;
        let mut typed: Vec<(&str, &str)> =
            boxes.iter().map(|name| (name.as_str(), "yes")).collect();
        typed.push(("approve", "yes"));
        self.submit(page, &typed).await
    }

    async fn as_client(
        &mut self,
        client: &str,
        path: &str,
        fields: &Fields,
    ) -> Result<Answer, Lost> {
        self.try_twice(|server| clients::authenticate(server, client, server.post(path, fields)))
            .await
    }

    async fn code(&mut self, client: &str) -> Result<String, Lost> {
        let prompt = if client == "first" {
            "login"
        } else {
            "login consent"
        };
        let request = self
            .server()
            .request(client, "openid")
            .with("prompt", prompt);
        let page = self.authorize(&request).await?;
        let page = self.sign_in(&page, "alice").await?;
        let answer = if asks_consent(&page) {
            self.approve(&page).await?
        } else {
            page
        };
        Ok(answer.code())
    }

    async fn redeem(&mut self, client: &str, code: &str) -> Result<Tokens, Lost> {
        let fields = self.server().redemption(client, code);
        Ok(Tokens::of(
            &self.as_client(client, "/token", &fields).await?,
        ))
    }

    async fn refresh(&mut self, client: &str, token: &str) -> Result<Answer, Lost> {
        let fields = Fields::from([("grant_type", "refresh_token"), ("refresh_token", token)]);
        self.as_client(client, "/token", &fields).await
    }

    async fn revoke(&mut self, client: &str, token: &str) -> Result<Answer, Lost> {
        let fields = Fields::from([("token", token)]);
        self.as_client(client, "/revoke", &fields).await
    }
}

/// Walks a flow with each of its writes failing in turn, and once undisturbed after each time.
macro_rules! walks {
    ($($(#[$note:meta])* async fn $name:ident($walk:ident: &mut Walk) -> Walked $body:block)*) => {
        $(
            $(#[$note])*
            mod $name {
                use super::*;

                async fn flow($walk: &mut Walk) -> Walked $body

                async fn case(server: TestServer) {
                    let undisturbed = flow(&mut Walk::new(&server, None)).await;
                    assert!(undisturbed.is_ok());
                    for fault in [Fault::BeforeCommit, Fault::AfterCommit] {
                        let mut writes = 0;
                        loop {
                            server.advance(600);
                            let mut walk = Walk::new(&server, Some((writes, fault)));
                            let walked = flow(&mut walk).await;
                            let came = !server.app.store.fails_later();
                            assert_eq!(walked.is_err(), came && fault == Fault::AfterCommit);
                            if !came {
                                server.app.store.fail_never();
                                break;
                            }
                            writes += 1;
                            server.advance(600);
                            let after = flow(&mut Walk::new(&server, None)).await;
                            assert!(after.is_ok(), "after write {writes} {fault:?}");
                        }
                        assert!(writes > 0, "a flow without a write");
                        println!("{}: {writes} writes, {fault:?}", module_path!());
                    }
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn sqlite() {
                    case(Setup::default().start().await).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn postgres() {
                    let url = tokio::task::spawn_blocking(cluster::schema).await.unwrap();
                    let location = Location::Postgres { url };
                    case(Setup { location, ..Setup::default() }.start().await).await;
                }
            }
        )*
    };
}

walks! {
    // SEC-309, SEC-R08
    async fn from_the_first_request_to_the_revocation(walk: &mut Walk) -> Walked {
        let code = walk.code("spa").await?;
        let first = walk.redeem("spa", &code).await?;
        let second = Tokens::of(&walk.refresh("spa", first.refresh()).await?);
        let server = walk.server();
        server.userinfo(&second.access).await.expect(200);
        walk.revoke("spa", second.refresh()).await?.expect(200);
        server.userinfo(&second.access).await.refused(401, "invalid_token");
        server.refresh("spa", second.refresh()).await.refused(400, "invalid_grant");
        Ok(())
    }

    // SEC-309, SEC-R08, SEC-306
    async fn a_client_that_proves_itself_by_assertions(walk: &mut Walk) -> Walked {
        let machine = Fields::from([("grant_type", "client_credentials")]);
        let token = Tokens::of(&walk.as_client("keyed", "/token", &machine).await?).access;
        let question = Fields::from([("token", token.as_str())]);
        let answer = walk.as_client("keyed", "/introspect", &question).await?;
        assert_eq!(answer.expect(200).json()["active"], true);
        walk.as_client("keyed", "/revoke", &question).await?.expect(200);
        walk.server().userinfo(&token).await.refused(401, "invalid_token");
        Ok(())
    }

    // SEC-309, SEC-R08, SEC-041
    async fn signing_in_again_and_as_somebody_else(walk: &mut Walk) -> Walked {
        walk.code("first").await?;
        let again = walk.server().request("first", "openid").with("prompt", "login");
        let page = walk.authorize(&again).await?;
        walk.sign_in(&page, "alice").await?.code();
        let page = walk.authorize(&again).await?;
        walk.sign_in(&page, "bob").await?.code();
        Ok(())
    }

    // SEC-309, SEC-R08: a guess that could not be counted was no guess.
    async fn a_wrong_password(walk: &mut Walk) -> Walked {
        let request = walk.server().request("first", "openid");
        let page = walk.authorize(&request).await?;
        let page = walk.submit(&page, &[("username", "alice"), ("password", "a guess")]).await?;
        walk.sign_in(&page, "alice").await?.code();
        Ok(())
    }

    // SEC-309, SEC-R08
    async fn saying_no(walk: &mut Walk) -> Walked {
        let request = walk.server().request("web", "openid");
        let page = walk.authorize(&request).await?;
        assert_eq!(walk.submit(&page, &[("cancel", "yes")]).await?.error(), "access_denied");
        let page = walk.authorize(&request.clone().with("prompt", "consent")).await?;
        let page = walk.sign_in(&page, "bob").await?;
        assert!(asks_consent(&page));
        assert_eq!(walk.submit(&page, &[("cancel", "yes")]).await?.error(), "access_denied");
        Ok(())
    }

    // SEC-309, SEC-R08
    async fn signing_out_with_a_hint_and_without(walk: &mut Walk) -> Walked {
        let server = walk.server();
        for hinted in [true, false] {
            let code = walk.code("first").await?;
            let tokens = walk.redeem("first", &code).await?;
            server.advance(1);
            let hint = Fields::from([("id_token_hint", tokens.id())]);
            let hint = if hinted { hint } else { Fields::default() };
            let page = walk.go(server.get("/end-session").query(&hint)).await?.expect(200);
            if !hinted {
                walk.submit(&page, &[("yes", "yes")]).await?.expect(200);
            }
            server.refresh("first", tokens.refresh()).await.refused(400, "invalid_grant");
        }
        Ok(())
    }

    // SEC-309, SEC-R08, SEC-134, SEC-160: a refusal that revokes is given once that is kept.
    async fn what_is_used_twice_is_revoked(walk: &mut Walk) -> Walked {
        let server = walk.server();
        let code = walk.code("spa").await?;
        let tokens = walk.redeem("spa", &code).await?;
        let replay = server.redemption("spa", &code);
        walk.as_client("spa", "/token", &replay).await?.refused(400, "invalid_grant");
        server.userinfo(&tokens.access).await.refused(401, "invalid_token");

        let request = server.request("spa", "openid");
        let page = walk.authorize(&request).await?;
        let code = page.code();
        let tokens = walk.redeem("spa", &code).await?;
        let next = Tokens::of(&walk.refresh("spa", tokens.refresh()).await?);
        server.advance(60);
        walk.refresh("spa", tokens.refresh()).await?.refused(400, "invalid_grant");
        server.refresh("spa", next.refresh()).await.refused(400, "invalid_grant");
        Ok(())
    }

    // SEC-309, SEC-R08
    async fn revoking_an_access_token_alone(walk: &mut Walk) -> Walked {
        for client in ["web", "jwt-web"] {
            let code = walk.code(client).await?;
            walk.browser.cookies.clear();
            let tokens = walk.redeem(client, &code).await?;
            walk.revoke(client, &tokens.access).await?.expect(200);
            walk.server().userinfo(&tokens.access).await.refused(401, "invalid_token");
        }
        Ok(())
    }

    // SEC-309, SEC-R08, SEC-245
    async fn the_first_administrators_link(walk: &mut Walk) -> Walked {
        let server = walk.server();
        let link = admin_link::link(&server, jeton::login::admin_link::PURPOSE).await;
        let ask = admin_link::set(&server, &link, &TestServer::password("alice"));
        assert_eq!(walk.send(ask).await?.expect(303).location(), Some("/"));
        let request = server.request("first", "openid").with("prompt", "none");
        walk.authorize(&request).await?.code();
        Ok(())
    }
}
