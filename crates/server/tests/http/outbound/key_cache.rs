//! How long fetched keys are kept, and what a failure does to them (SEC-225, P-281).

use super::client_keys::{client, key, proves, serving, set};
use crate::support::remote::{Remote, Says, document};
use crate::support::{START, Setup, TestServer};
use jeton::outbound::remote::{Kind, Place, Remote as Documents};
use jeton_protocol::tenant::TenantId;
use std::sync::Arc;
use std::time::Duration;

// SEC-225
#[tokio::test]
async fn keys_stay_for_ten_minutes_or_what_their_sender_says_between_a_minute_and_an_hour() {
    for (says, seconds) in [
        (None, 600),
        (Some("max-age=300"), 300),
        (Some("public, Max-Age=300, must-revalidate"), 300),
        (Some("max-age=0"), 60),
        (Some("no-store"), 60),
        (Some("private, no-cache"), 60),
        (Some("max-age=31536000"), 3600),
        (Some("max-age=soon"), 600),
        (Some("max-age=99999999999999999999999"), 600),
    ] {
        let remote = Remote::start().await;
        let server = serving(&remote, vec![client("far", &remote.url("/jwks"))]).await;
        let own = key(None);
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(says.map(|value| ("cache-control", value)));
        remote.serves(
            "/jwks",
            document(&headers, set(&[&own]).to_string().as_bytes()),
        );
        proves(&server, "far", &own).await.expect(200);
        server.advance(seconds - 1);
        proves(&server, "far", &own).await.expect(200);
        assert_eq!(remote.asked(), 1, "{says:?}");
        server.advance(1);
        proves(&server, "far", &own).await.expect(200);
        assert_eq!(remote.asked(), 2, "{says:?}");
    }
}

// SEC-225
#[tokio::test]
async fn keys_outlive_a_silent_sender_for_a_day_and_not_longer() {
    let remote = Remote::start().await;
    let server = serving(&remote, vec![client("far", &remote.url("/jwks"))]).await;
    let own = key(Some("own"));
    remote.serves_keys("/jwks", &set(&[&own]));
    proves(&server, "far", &own).await.expect(200);
    remote.forgets("/jwks");
    server.advance(600);
    for _ in 0..5 {
        proves(&server, "far", &own).await.expect(200);
    }
    assert_eq!(remote.asked(), 2, "a failure is not tried again at once");
    // A document that is none does not take the place of the one that was good.
    remote.serves_document("/jwks", "application/json", b"{\"keys\":0}");
    server.advance(60);
    proves(&server, "far", &own).await.expect(200);
    assert_eq!(remote.asked(), 3);
    server.advance(24 * 60 * 60 - 660);
    proves(&server, "far", &own).await.expect(200);
    server.advance(1);
    proves(&server, "far", &own)
        .await
        .refused(401, "invalid_client");
    assert_eq!(server.cause(), "client_keys_unavailable");
    remote.serves_keys("/jwks", &set(&[&own]));
    server.advance(60);
    proves(&server, "far", &own).await.expect(200);
}

// SEC-225
#[tokio::test]
async fn a_failure_is_not_remembered_for_longer_than_ten_seconds() {
    let remote = Remote::start().await;
    let server = serving(&remote, vec![client("far", &remote.url("/jwks"))]).await;
    let own = key(Some("own"));
    for _ in 0..5 {
        proves(&server, "far", &own)
            .await
            .refused(401, "invalid_client");
    }
    assert_eq!(remote.asked(), 1);
    remote.serves_keys("/jwks", &set(&[&own]));
    server.advance(10);
    proves(&server, "far", &own).await.expect(200);
    assert_eq!(remote.asked(), 2);
}

// SEC-225: what a client takes back is gone, at the latest when its set is no longer fresh.
#[tokio::test]
async fn a_set_that_is_empty_now_is_believed() {
    let remote = Remote::start().await;
    let server = serving(&remote, vec![client("far", &remote.url("/jwks"))]).await;
    let own = key(Some("own"));
    remote.serves_keys("/jwks", &set(&[&own]));
    proves(&server, "far", &own).await.expect(200);
    remote.serves_keys("/jwks", &set(&[]));
    server.advance(600);
    proves(&server, "far", &own)
        .await
        .refused(401, "invalid_client");
    assert_eq!(server.cause(), "client_assertion_signature");
}

/// A kind of which eight are kept, four for a tenant.
static EIGHT: Kind<usize> = Kind {
    purpose: "test",
    types: &["text/plain"],
    limit: 10,
    read: |fetched| Ok(fetched.body.len()),
    fresh: Duration::from_secs(600),
    fresh_within: Duration::from_secs(60)..=Duration::from_secs(600),
    oldest: Duration::from_secs(600),
    most: 8,
};

struct Library {
    remote: Remote,
    server: TestServer,
    documents: Documents<usize>,
}

impl Library {
    async fn open() -> Self {
        let remote = Remote::start().await;
        let outbound = remote.settings();
        let setup = Setup {
            outbound,
            ..Setup::default()
        };
        Self {
            server: setup.start().await,
            documents: Documents::new(&EIGHT),
            remote,
        }
    }

    /// Looks for a document so many seconds after the start.
    async fn find(&self, tenant: &str, number: u64, seconds: u64) -> Result<usize, String> {
        let path = format!("/{number}");
        self.remote.serves_document(&path, "text/plain", b"four");
        let tenant = TenantId::parse(tenant).unwrap();
        let url = self.remote.url(&path);
        let place = Place {
            tenant: &tenant,
            url: &url,
        };
        let now = START.plus(Duration::from_secs(seconds));
        let found = self.documents.find(&self.server.app.door, place, now).await;
        found.map(|it| *it).map_err(|error| error.to_string())
    }
}

// SEC-225
#[tokio::test]
async fn documents_are_bounded_in_number_and_those_used_last_stay() {
    let library = Library::open().await;
    for number in 0..6 {
        assert_eq!(library.find("default", number, number * 61).await, Ok(4));
    }
    assert_eq!(library.remote.asked(), 6);
    for (number, fetched_again) in [(5, 0), (3, 0), (0, 1)] {
        let before = library.remote.asked();
        assert_eq!(library.find("default", number, 310).await, Ok(4));
        let asked = library.remote.asked() - before;
        assert_eq!(asked, fetched_again, "{number}");
    }
}

// SEC-225, SEC-226: more documents than are kept do not make a fetch of each request, and take no other tenant's place
#[tokio::test]
async fn what_was_asked_for_a_short_while_ago_is_not_forgotten_for_another() {
    let library = Library::open().await;
    for round in 0..3 {
        for number in 0..20 {
            let found = library.find("default", number, round * 19).await;
            let many = Err("too many documents at once".to_owned());
            assert_eq!(found, if number < 4 { Ok(4) } else { many });
        }
    }
    assert_eq!(library.remote.asked(), 4);
    assert_eq!(library.find("acme", 0, 38).await, Ok(4));
    assert_eq!(library.find("default", 19, 60).await, Ok(4));
    assert_eq!(library.remote.asked(), 6);
}

// SEC-226: a sender that is slow is not asked a second time because others want something meanwhile
#[tokio::test]
async fn what_is_on_its_way_is_not_forgotten_for_another() {
    let library = Library::open().await;
    library.remote.serves("/slow", Says::Stalls(Vec::new()));
    let tenant = TenantId::default_tenant();
    let url = library.remote.url("/slow");
    let place = Place {
        tenant: &tenant,
        url: &url,
    };
    let (documents, door) = (&library.documents, &library.server.app.door);
    assert!(documents.at_hand(door, place, START).is_none());
    for number in 0..3 {
        assert_eq!(library.find("default", number, 61).await, Ok(4));
    }
    assert!(library.find("default", 3, 61).await.is_err());
}

// SEC-225, SEC-365
#[tokio::test]
async fn a_caller_who_goes_away_does_not_stop_the_fetch_for_the_others() {
    let remote = Remote::start().await;
    let server = serving(&remote, vec![client("far", &remote.url("/jwks"))]).await;
    let own = Arc::new(key(Some("own")));
    remote.serves_keys("/jwks", &set(&[&own]));
    remote.pauses(Duration::from_millis(200));
    let first = {
        let (server, own) = (server.clone(), Arc::clone(&own));
        tokio::spawn(async move { proves(&server, "far", &own).await })
    };
    while remote.asked() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    proves(&server, "far", &own).await.expect(200);
    assert_eq!(remote.asked(), 1);
}
