//! The audit trail as a server fills it and keeps it up.

use crate::support::TestServer;
use jeton::{audit, keys};
use jeton_store::Page;
use jeton_store::audit::AuditRecord;
use jeton_store::audit_verify::{Broken, Verified};
use std::time::Duration;

const DAY: u64 = 24 * 60 * 60;

async fn sign(server: &TestServer) {
    let mut ambient = server.app.ambient();
    audit::link_all(&server.app.store, &mut ambient)
        .await
        .unwrap();
    audit::sign_all(&server.app.store, &server.app.kek, &mut ambient)
        .await
        .unwrap();
    // The making of the key is a record too.
    audit::link_all(&server.app.store, &mut ambient)
        .await
        .unwrap();
    audit::sign_all(&server.app.store, &server.app.kek, &mut ambient)
        .await
        .unwrap();
}

async fn verify(server: &TestServer) -> Result<Verified, Broken> {
    let (store, tenant) = (&server.app.store, server.tenant());
    let keys = keys::audit_verifiers(store, &server.app.kek, &tenant, server.now())
        .await
        .unwrap();
    assert_eq!(keys.len(), 1);
    store.verify_audit(&tenant, &keys, None).await.unwrap()
}

async fn trail(server: &TestServer) -> Vec<AuditRecord> {
    let page = Page {
        after: None,
        limit: 1000,
    };
    server
        .app
        .store
        .audit_records(&server.tenant(), page)
        .await
        .unwrap()
}

// SEC-430, SEC-433
#[tokio::test]
async fn a_record_says_who_did_what_for_whom_in_which_request_and_what_came_of_it() {
    let server = TestServer::start().await;
    let alice = server.user("alice").await.id.to_string();
    let code = server.code("web", "openid").await;
    server.redeem("web", &code).await.expect(200);
    server
        .redeem("web", &code)
        .await
        .refused(400, "invalid_grant");
    let trail = trail(&server).await;
    let of = |event: &str| trail.iter().find(|record| record.event == event).unwrap();
    let approved = of("grant.approved");
    assert_eq!(
        (&approved.actor, &approved.details["client"]),
        (&alice, &"web".into())
    );
    assert_eq!(
        (&approved.details["scope"], &approved.details["result"]),
        (&"openid".into(), &"done".into())
    );
    let replayed = of("code.replayed");
    assert_eq!(
        (replayed.actor.as_str(), &replayed.object),
        ("web", &approved.object)
    );
    assert_eq!(replayed.details["on_behalf_of"], *alice);
    assert_eq!(replayed.details["result"], "refused");
    let requests = [approved, replayed].map(|record| record.details["request"].as_str().unwrap());
    assert!(requests[0] != requests[1] && requests.iter().all(|request| request.len() == 36));
    assert_eq!(
        of("session.opened").details["amr"],
        serde_json::json!(["pwd"])
    );
}

// SEC-431
#[tokio::test]
async fn a_trail_that_is_kept_up_is_signed_by_a_key_of_its_own() {
    let server = TestServer::start().await;
    let code = server.code("web", "openid").await;
    server.redeem("web", &code).await.expect(200);
    sign(&server).await;
    let found = verify(&server).await.unwrap();
    assert_eq!((found.first, found.waiting), (1, 0));
    assert_eq!(found.signed.map(|(sequence, _)| sequence), Some(found.last));
    let published = String::from_utf8(server.state().await.jwks().to_vec()).unwrap();
    let (store, tenant) = (&server.app.store, server.tenant());
    let key = keys::audit_verifiers(store, &server.app.kek, &tenant, server.now()).await;
    let key = key.unwrap().remove(0);
    assert!(
        !published.contains(&key.thumbprint()),
        "the key of the trail is nobody else's business"
    );
}

// SEC-434
#[tokio::test]
async fn a_deleted_user_goes_from_the_trail_and_the_rest_verifies() {
    let server = TestServer::start().await;
    server.code("web", "openid").await;
    sign(&server).await;
    let alice = server.user("alice").await.id;
    server
        .app
        .store
        .delete_user(&server.tenant(), alice, server.occasion())
        .await
        .unwrap();
    sign(&server).await;
    audit::erase_all(&server.app.store, server.now())
        .await
        .unwrap();
    let erased = verify(&server).await.unwrap().erased;
    let left = trail(&server).await;
    assert!(
        erased >= 4,
        "made, given a password, signed in, approved: {erased}"
    );
    let names = |record: &&AuditRecord| {
        record.actor.contains(&alice.to_string()) || record.object.contains(&alice.to_string())
    };
    assert_eq!(
        left.iter()
            .filter(names)
            .map(|record| record.event.as_str())
            .collect::<Vec<_>>(),
        ["user.deleted"]
    );
}

// SEC-434
#[tokio::test]
async fn what_is_older_than_it_is_kept_goes_and_the_rest_verifies() {
    let server = TestServer::start().await;
    server.code("web", "openid").await;
    sign(&server).await;
    server.advance(20 * DAY);
    server.disable_client("web").await;
    sign(&server).await;
    for _ in 0..2 {
        audit::forget_all(
            &server.app.store,
            Some(Duration::from_secs(10 * DAY)),
            server.now(),
        )
        .await
        .unwrap();
        sign(&server).await;
    }
    let kept = verify(&server).await.unwrap();
    assert_eq!(
        (kept.first, kept.last),
        (kept.last, kept.last),
        "one record is young enough"
    );
    assert_eq!(trail(&server).await[0].event, "client.disabled");
    assert_eq!(trail(&server).await.len(), 1);
}
