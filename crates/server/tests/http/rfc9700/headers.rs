//! Headers of every kind of answer (SEC-197, SEC-199, SEC-400, SEC-402, SEC-403), and whose address counts (SEC-191).

use crate::support::{Answer, Fields, Setup, TestServer};
use http::Method;

#[track_caller]
fn is_guarded_page(answer: &Answer, form_action: &str) {
    assert!(answer.is_page(), "{} {}", answer.status, answer.body);
    let csp = answer.header("content-security-policy").unwrap();
    let directives: Vec<&str> = csp.split(';').map(str::trim).collect();
    for wanted in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        form_action,
    ] {
        assert!(directives.contains(&wanted), "{wanted} in {csp}");
    }
    assert!(
        !csp.contains("unsafe") && !csp.contains("script-src"),
        "{csp}"
    );
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    assert!(answer.header("permissions-policy").is_some());
    assert_eq!(answer.header("server"), None);
    assert!(
        !answer.body.contains("<script"),
        "pages work without a script"
    );
}

// P-109, SEC-108, SEC-114, SEC-199, SEC-400, SEC-401, SEC-402, S11
#[tokio::test]
async fn every_page_is_guarded_and_its_forms_end_here_or_at_the_one_proven_address() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    let proven = "form-action 'self' https://web.example";
    let page = browser.authorize(&server.request("web", "openid")).await;
    is_guarded_page(&page, proven);
    let wrong = browser
        .submit(&page, &[("username", "alice"), ("password", "x")])
        .await;
    is_guarded_page(&wrong, proven);
    let consent = browser.sign_in(&page, "alice").await;
    is_guarded_page(&consent, proven);
    browser.approve(&consent).await.code();
    let own = "form-action 'self'";
    is_guarded_page(&browser.go(server.get("/end-session")).await, own);
    for path in [
        "/",
        "/errors/code_spent",
        "/errors/unknown",
        "/authorize",
        "/continue",
        "/sign-in",
        "/consent",
    ] {
        is_guarded_page(&browser.step(server.get(path)).await, own);
    }
}

// SEC-108
#[tokio::test]
async fn no_page_loads_anything_from_elsewhere() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    let page = browser.authorize(&server.request("web", "openid")).await;
    let consent = browser.sign_in(&page, "alice").await;
    for page in [&page, &consent] {
        for attribute in ["src=\"", "<link"] {
            for found in page.body.split(attribute).skip(1) {
                let tag = found.split('>').next().unwrap();
                assert!(
                    !tag.contains("http:") && !tag.contains("https:") && !tag.contains("\"//"),
                    "{tag}"
                );
            }
        }
    }
}

// SEC-041, SEC-118, SEC-403
#[tokio::test]
async fn cookies_are_for_this_host_only_and_out_of_reach_of_scripts() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    browser
        .complete(&server.request("web", "openid"), "alice")
        .await;
    let cookies: Vec<String> = browser
        .seen
        .iter()
        .flat_map(|answer| answer.headers.get_all("set-cookie"))
        .map(|value| value.to_str().unwrap().to_owned())
        .collect();
    assert!(cookies.len() >= 2, "{cookies:?}");
    for cookie in &cookies {
        assert!(cookie.starts_with("__Host-jeton-"), "{cookie}");
        for attribute in ["; Path=/", "; HttpOnly", "; Secure", "; SameSite="] {
            assert!(cookie.contains(attribute), "{attribute} in {cookie}");
        }
        assert!(
            !cookie.contains("Domain") && cookie.len() < 4096,
            "{cookie}"
        );
    }
}

// SEC-197, P-138
#[tokio::test]
async fn only_metadata_keys_and_assets_may_be_kept() {
    let server = TestServer::start().await;
    let asks = [
        ("/", Method::GET),
        ("/authorize", Method::GET),
        ("/token", Method::GET),
        ("/token", Method::POST),
        ("/introspect", Method::POST),
        ("/revoke", Method::POST),
        ("/userinfo", Method::GET),
        ("/continue", Method::GET),
        ("/sign-in", Method::GET),
        ("/consent", Method::GET),
        ("/end-session", Method::GET),
        ("/nowhere", Method::GET),
        ("/livez", Method::GET),
        ("/readyz", Method::GET),
        ("/errors/x", Method::GET),
        ("/dev/trace", Method::GET),
        ("/metrics", Method::GET),
        ("/token", Method::OPTIONS),
    ];
    for (path, method) in asks {
        let answer = server.send(server.bare(method.clone(), path)).await;
        assert_eq!(
            answer.header("cache-control"),
            Some("no-store"),
            "{method} {path}: {}",
            answer.status
        );
    }
    for path in ["/jwks", "/.well-known/openid-configuration"] {
        let answer = server.send(server.get(path)).await;
        assert_eq!(
            answer.header("cache-control"),
            Some("public, max-age=300"),
            "{path}"
        );
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
}

// SEC-253, SEC-199
#[tokio::test]
async fn what_is_for_the_operator_or_for_development_is_not_served_to_the_public() {
    let server = TestServer::start().await;
    for path in ["/metrics", "/dev/trace", "/dev/trace/x", "/demo/api"] {
        server.send(server.get(path)).await.expect(404);
    }
    let mut management = server.get("/metrics");
    management.management = true;
    server.send(management).await.expect(200);
    let mut public = server.get("/authorize");
    public.management = true;
    server.send(public).await.expect(404);
}

// SEC-127, SEC-191
#[tokio::test]
async fn a_forwarded_address_counts_only_from_a_declared_proxy() {
    let own = Fields::from([("grant_type", "client_credentials")]);
    let guess = |server: &TestServer, forwarded: &str| {
        server
            .post("/token", &own)
            .basic("service", "a guess")
            .header("x-forwarded-for", forwarded)
    };
    let server = TestServer::start().await;
    for number in 0..10 {
        server
            .send(guess(&server, &format!("203.0.113.{number}")))
            .await
            .expect(401);
    }
    server
        .send(guess(&server, "203.0.113.99"))
        .await
        .expect(429);

    let setup = Setup {
        trusted_proxies: vec!["192.0.2.0/24".parse().unwrap()],
        ..Setup::default()
    };
    let server = setup.start().await;
    for number in 0..12 {
        server
            .send(guess(&server, &format!("203.0.113.{number}")))
            .await
            .expect(401);
    }
    // What the client itself wrote stands to the left of what the proxy saw.
    for number in 0..10 {
        server
            .send(guess(
                &server,
                &format!("198.51.100.{number}, 203.0.113.200"),
            ))
            .await
            .expect(401);
    }
    server
        .send(guess(&server, "198.51.100.77, 203.0.113.200"))
        .await
        .expect(429);
    server
        .send(guess(&server, "not an address"))
        .await
        .expect(401);
}

// SEC-191: the hop nearest to our proxies is the caller; what it wrote before itself counts for nothing.
#[test]
fn the_address_behind_a_proxy_is_read_from_the_right() {
    use http::{HeaderMap, HeaderValue};
    use jeton::app::Settings;
    use jeton::http::listener::client_address;
    use jeton_protocol::tenant::Issuer;
    use std::net::IpAddr;

    let settings = Settings {
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        ..Settings::new(Issuer::parse("https://id.example").unwrap())
    };
    let proxy: IpAddr = "10.0.0.1".parse().unwrap();
    let seen = |peer: IpAddr, headers: &[&str]| {
        let mut map = HeaderMap::new();
        for header in headers {
            map.append("x-forwarded-for", HeaderValue::from_str(header).unwrap());
        }
        client_address(&map, peer, &settings).to_string()
    };
    for (headers, address) in [
        (&["203.0.113.7"][..], "203.0.113.7"),
        (&["198.51.100.1, 203.0.113.7, 10.0.0.9"], "203.0.113.7"),
        (&["x, 203.0.113.7"], "203.0.113.7"),
        (&["203.0.113.7, x"], "10.0.0.1"),
        (&["198.51.100.1", "203.0.113.7"], "203.0.113.7"),
        (&["203.0.113.7:4711"], "203.0.113.7"),
        (&["[2001:db8::1]:4711"], "2001:db8::1"),
        (&["::ffff:203.0.113.7"], "203.0.113.7"),
        (&[], "10.0.0.1"),
    ] {
        assert_eq!(seen(proxy, headers), address, "{headers:?}");
    }
    let stranger = "192.0.2.1".parse().unwrap();
    assert_eq!(
        seen(stranger, &["203.0.113.7"]),
        "192.0.2.1",
        "only a declared proxy is believed"
    );
}
