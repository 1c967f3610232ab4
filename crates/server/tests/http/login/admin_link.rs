//! The link for the first administrator (SEC-245): it works once, for a quarter of an hour, for one tenant, from our own page.

use crate::rfc9700::sinks::cookie;
use crate::support::{Answer, Ask, BY_PATH, Fields, Setup, TestServer};
use jeton::login::admin_link::{LIFETIME, PATH, PURPOSE, USER};
use jeton_store::Changed;
use jeton_store::links::Link;
use jeton_token::handle::HandleKind;
use jeton_token::row_id::RowId;

const PASSWORD: &str = "a password worth its name";

/// A link for alice, who administrates.
pub async fn link(server: &TestServer, purpose: &str) -> String {
    let mut user = server.user("alice").await;
    user.admin = true;
    let id = user.id;
    let store = &server.app.store;
    assert_eq!(
        store
            .replace_user(&server.tenant(), user, server.occasion())
            .await,
        Ok(Changed::Changed)
    );
    let mut ambient = server.app.ambient();
    let link = Link {
        id: RowId::new(ambient.now, &mut ambient.entropy),
        purpose: purpose.to_owned(),
        expires_at: ambient.now.plus(LIFETIME),
        facts: [(USER.to_owned(), id.to_string().into())]
            .into_iter()
            .collect(),
    };
    let row = link.id;
    store
        .make_link(&server.tenant(), link, server.occasion())
        .await
        .unwrap();
    let ring = server.state().await.ring();
    ring.handles
        .seal(server.tenant().as_str(), HandleKind::AdminLink, row, 0)
}

pub fn set(server: &TestServer, token: &str, password: &str) -> Ask {
    let fields = Fields::from([("token", token), ("password", password)]);
    server.post(PATH, &fields).header("origin", server.origin())
}

fn shown(server: &TestServer, token: &str) -> Ask {
    server.get(PATH).query(&Fields::from([("token", token)]))
}

#[track_caller]
fn is_unknown(server: &TestServer, answer: &Answer) {
    assert_eq!(
        (answer.status.as_u16(), server.cause()),
        (400, "admin_link_unknown"),
        "{}",
        answer.body
    );
    assert!(answer.headers.get("set-cookie").is_none());
}

// SEC-245
#[tokio::test]
async fn it_sets_a_password_signs_in_and_never_works_again() {
    let server = TestServer::start().await;
    let before = server.tokens("web", "openid offline_access").await;
    server.advance(1);
    let token = link(&server, PURPOSE).await;
    assert!(
        server
            .send(shown(&server, &token))
            .await
            .expect(200)
            .is_page(),
        "looking at it does not use it"
    );
    let answer = server
        .send(set(&server, &token, PASSWORD))
        .await
        .expect(303);
    let cookies: Vec<_> = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect();
    assert!(
        cookies
            .iter()
            .any(|value| value.starts_with(&cookie(&server, "session"))),
        "{cookies:?}"
    );
    let mut signed_in = server.browser();
    for cookie in &cookies {
        let (name, rest) = cookie.split_once('=').unwrap();
        let value = rest.split(';').next().unwrap();
        signed_in.cookies.insert(name.to_owned(), value.to_owned());
    }
    let silent = server.request("first", "openid").with("prompt", "none");
    signed_in.authorize(&silent).await.code();
    for ask in [
        shown(&server, &token),
        set(&server, &token, "another password entirely"),
    ] {
        is_unknown(&server, &server.send(ask).await);
    }
    server.advance(1);
    let mut browser = server.browser();
    let page = browser.authorize(&server.request("first", "openid")).await;
    browser
        .submit(&page, &[("username", "alice"), ("password", PASSWORD)])
        .await
        .code();
    server
        .refresh("web", before.refresh())
        .await
        .refused(400, "invalid_grant");
}

// SEC-245
#[tokio::test]
async fn it_dies_after_a_quarter_of_an_hour_and_is_for_its_purpose_and_tenant_only() {
    let server = Setup::default().with_tenants().start().await;
    let token = link(&server, PURPOSE).await;
    let elsewhere = server.at(BY_PATH);
    is_unknown(&server, &server.send(shown(&elsewhere, &token)).await);
    is_unknown(
        &server,
        &server.send(set(&elsewhere, &token, PASSWORD)).await,
    );
    let other = link(&server, "reset").await;
    is_unknown(&server, &server.send(set(&server, &other, PASSWORD)).await);
    server.advance(LIFETIME.as_secs());
    is_unknown(&server, &server.send(set(&server, &token, PASSWORD)).await);
}

// SEC-200
#[tokio::test]
async fn a_form_of_another_site_or_a_short_password_does_not_spend_it() {
    let server = TestServer::start().await;
    let token = link(&server, PURPOSE).await;
    let fields = Fields::from([("token", token.as_str()), ("password", PASSWORD)]);
    let foreign = server
        .post(PATH, &fields)
        .header("sec-fetch-site", "cross-site");
    let answer = server.send(foreign).await.expect(400);
    assert_eq!(
        (answer.is_page(), server.cause()),
        (true, "form_from_elsewhere")
    );
    assert!(
        server
            .send(set(&server, &token, "short"))
            .await
            .expect(200)
            .is_page()
    );
    server
        .send(set(&server, &token, PASSWORD))
        .await
        .expect(303);
}

// SEC-245
#[tokio::test]
async fn whoever_is_disabled_or_no_administrator_any_more_cannot_use_it() {
    let server = TestServer::start().await;
    let token = link(&server, PURPOSE).await;
    let mut user = server.user("alice").await;
    user.admin = false;
    server
        .app
        .store
        .replace_user(&server.tenant(), user, server.occasion())
        .await
        .unwrap();
    is_unknown(&server, &server.send(set(&server, &token, PASSWORD)).await);
    let token = link(&server, PURPOSE).await;
    server.disable_user("alice").await;
    is_unknown(&server, &server.send(set(&server, &token, PASSWORD)).await);
}
