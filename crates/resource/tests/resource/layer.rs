//! The layer around a service: who gets through, and what everybody else is told.

use crate::support::*;
use http::{Method, Request, Response, StatusCode};
use jeton_resource::{
    Access, ClientCertificate, Introspector, KeyCache, Proofs, Protect, Refused, Rejected,
    Requirement, ResourceServer, Timestamp, Verifier,
};
use jeton_token::{SigningKey, base64url};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

fn now() -> Timestamp {
    NOW
}

/// An API that says who asked, and counts.
#[derive(Clone, Default)]
struct Api(Arc<AtomicUsize>);

impl Service<Request<()>> for Api {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        self.0.fetch_add(1, Ordering::Relaxed);
        let access = request.extensions().get::<Access>().unwrap();
        std::future::ready(Ok(Response::new(access.subject.clone())))
    }
}

struct World {
    issuer: Issuer,
    key: SigningKey,
    protect: Protect,
    api: Api,
}

fn world(with: impl FnOnce(ResourceServer, &Issuer) -> ResourceServer) -> World {
    let (issuer, key) = (Issuer::new(), made());
    issuer.publishes(&[&key]);
    let server = ResourceServer::new(Verifier::new(ISSUER, API), format!("{API}/"));
    let server = Arc::new(with(server, &issuer));
    World {
        issuer,
        key,
        protect: Protect::new(server, now),
        api: Api::default(),
    }
}

fn local() -> World {
    world(|server, issuer| server.with_keys(KeyCache::new(ISSUER, issuer.fetch()).unwrap()))
}

impl World {
    async fn send(&self, requirement: Requirement, headers: &[(&str, &str)]) -> Response<String> {
        let mut request = Request::get("/things?page=2");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.answer(requirement, request.body(()).unwrap()).await
    }

    async fn answer(&self, requirement: Requirement, request: Request<()>) -> Response<String> {
        let mut service = self.protect.requiring(requirement).layer(self.api.clone());
        service.call(request).await.unwrap()
    }

    async fn bearer(&self, requirement: Requirement, token: &str) -> Response<String> {
        let value = format!("Bearer {token}");
        self.send(requirement, &[("authorization", &value)]).await
    }

    fn reached(&self) -> usize {
        self.api.0.load(Ordering::Relaxed)
    }
}

fn why(response: &Response<String>) -> &Rejected {
    &response.extensions().get::<Refused>().unwrap().why
}

#[tokio::test]
async fn whoever_may_gets_through_and_the_service_knows_who_it_is() {
    let world = local();
    let text = token(&world.key, &json!({}));
    let response = world.bearer(Requirement::scope("read"), &text).await;
    assert_eq!(
        (response.status(), response.body().as_str()),
        (StatusCode::OK, "user")
    );
    assert!(!response.headers().contains_key("dpop-nonce"));
}

// S42, SEC-034
#[tokio::test]
async fn nobody_else_reaches_the_service_and_nothing_of_the_token_comes_back() {
    let world = local();
    let of = |members: Value| token(&world.key, &members);
    let read = || Requirement::scope("read");
    let step_up = || Requirement::none().and_acr(["mfa"]);
    for (requirement, text, status, code) in [
        (
            read(),
            of(json!({ "aud": "https://other.example" })),
            401,
            "invalid_token",
        ),
        (read(), of(json!({ "exp": 1 })), 401, "invalid_token"),
        (read(), token(&made(), &json!({})), 401, "invalid_token"),
        (read(), "nonsense".to_owned(), 401, "invalid_token"),
        (read(), "two words".to_owned(), 400, "invalid_request"),
        (
            read(),
            of(json!({ "scope": "write" })),
            403,
            "insufficient_scope",
        ),
        (
            step_up(),
            of(json!({})),
            401,
            "insufficient_user_authentication",
        ),
    ] {
        let response = world.bearer(requirement, &text).await;
        assert_eq!(response.status(), status, "{code}");
        let challenge = response.headers()["www-authenticate"].to_str().unwrap();
        assert!(
            challenge.starts_with(&format!("Bearer error=\"{code}\"")),
            "{challenge}"
        );
        let shown = format!("{response:?} {}", why(&response));
        assert!(
            !shown.contains(&text) && response.body().is_empty(),
            "{shown}"
        );
    }
    let response = world.send(read(), &[]).await;
    assert_eq!(
        (response.status().as_u16(), why(&response)),
        (401, &Rejected::NoToken)
    );
    assert_eq!(world.reached(), 0);
}

// P-205, P-221, P-222, P-225
#[tokio::test]
async fn a_bound_token_goes_through_with_a_proof_for_the_public_address_once() {
    let world = local();
    let holder = made();
    let text = bound(&world.key, &holder);
    let authorization = format!("DPoP {text}");
    let send = |proof: String| {
        let (world, authorization) = (&world, &authorization);
        async move {
            let headers = [
                ("authorization", authorization.as_str()),
                ("dpop", &proof),
                ("host", "evil.example"),
            ];
            world.send(Requirement::none(), &headers).await
        }
    };
    let right = proof(&holder, &text, &json!({}));
    assert_eq!(send(right.clone()).await.status(), StatusCode::OK);
    let again = send(right).await;
    assert_eq!(why(&again), &Rejected::ProofReplayed);
    let challenge = again.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.starts_with("DPoP error=\"invalid_dpop_proof\""));
    let elsewhere = json!({ "htu": "https://evil.example/things", "jti": "two" });
    let elsewhere = send(proof(&holder, &text, &elsewhere)).await;
    assert!(matches!(why(&elsewhere), Rejected::Proof(_)));
    let as_bearer = world.bearer(Requirement::none(), &text).await;
    assert_eq!(why(&as_bearer), &Rejected::BoundAsBearer);
    assert_eq!(world.reached(), 1);
}

// P-233: one retry is enough
#[tokio::test]
async fn the_nonce_of_a_refusal_makes_the_next_try_succeed() {
    let world = world(|server, issuer| {
        server
            .with_keys(KeyCache::new(ISSUER, issuer.fetch()).unwrap())
            .with_proofs(Proofs::default().with_nonces(&secret()).unwrap())
    });
    let holder = made();
    let text = bound(&world.key, &holder);
    let authorization = format!("DPoP {text}");
    let first = proof(&holder, &text, &json!({}));
    let headers = [("authorization", authorization.as_str()), ("dpop", &first)];
    let refused = world.send(Requirement::none(), &headers).await;
    assert_eq!(
        (refused.status().as_u16(), why(&refused)),
        (401, &Rejected::ProofNonce)
    );
    let nonce = refused.headers()["dpop-nonce"].to_str().unwrap();
    let second = proof(&holder, &text, &json!({ "nonce": nonce }));
    let headers = [("authorization", authorization.as_str()), ("dpop", &second)];
    let answered = world.send(Requirement::none(), &headers).await;
    assert_eq!(answered.status(), StatusCode::OK);
    assert!(answered.headers().contains_key("dpop-nonce"));
}

// RFC 8705 §3
#[tokio::test]
async fn the_certificate_is_the_one_the_connection_proved() {
    let world = local();
    let cnf = json!({ "cnf": { "x5t#S256": base64url::encode(&[9; 32]) } });
    let authorization = format!("Bearer {}", token(&world.key, &cnf));
    for (certificate, status) in [(None, 401), (Some([8; 32]), 401), (Some([9; 32]), 200)] {
        let request = Request::builder().method(Method::PUT).uri("/things");
        let mut request = request
            .header("authorization", &authorization)
            .body(())
            .unwrap();
        if let Some(thumbprint) = certificate {
            request
                .extensions_mut()
                .insert(ClientCertificate(thumbprint));
        }
        let response = world.answer(Requirement::none(), request).await;
        assert_eq!(response.status(), status);
    }
}

#[tokio::test]
async fn opaque_tokens_are_asked_about_and_their_audience_is_judged_here() {
    let world = world(|server, issuer| {
        let endpoint = format!("{ISSUER}/introspect");
        let introspector = Introspector::new(&endpoint, ("api", &secret()), issuer.fetch());
        server
            .with_keys(KeyCache::new(ISSUER, issuer.fetch()).unwrap())
            .with_introspection(introspector.unwrap())
    });
    let text = token(&world.key, &json!({}));
    let by_key = world.bearer(Requirement::none(), &text).await;
    assert_eq!(
        (by_key.status(), world.issuer.asked("/introspect")),
        (StatusCode::OK, 0)
    );
    for (members, status) in [
        (json!({}), 200),
        (json!({ "aud": "https://other.example" }), 401),
        (json!({ "iss": "https://other.example" }), 401),
        (json!({ "exp": NOW.seconds() }), 401),
        (json!({ "active": false }), 401),
        (
            json!({ "cnf": { "jkt": made().public_jwk().thumbprint() } }),
            401,
        ),
    ] {
        let answer = changed(changed(claims(), &json!({ "active": true })), &members);
        world.issuer.says(move |_| Ok(json_answer(&answer)));
        let text = format!("jta_{status}{}", world.issuer.asked("/introspect"));
        let response = world.bearer(Requirement::none(), &text).await;
        assert_eq!(response.status(), status, "{members}");
    }
}

#[tokio::test]
async fn an_issuer_that_is_away_is_not_the_callers_fault() {
    let world = local();
    world.issuer.is_down();
    let text = token(&world.key, &json!({}));
    let response = world.bearer(Requirement::none(), &text).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "1");
    let foreign = token(&world.key, &json!({ "iss": "https://other.example" }));
    let response = world.bearer(Requirement::none(), &foreign).await;
    assert_eq!(why(&response), &Rejected::Issuer);
    let asked = world
        .issuer
        .asked("/.well-known/oauth-authorization-server");
    assert_eq!(asked, 1, "another issuer's token asks nobody");
}
