//! RFC 7636: proof key for code exchange.

use crate::support::{Setup, TestServer, VERIFIER};
use jeton_token::base64url;
use jeton_token::secret::sha256;

// P-83, P-166, SEC-015, SEC-131, SEC-132, S18
#[tokio::test]
async fn s256_is_asked_of_every_client_and_its_verifier_with_it() {
    let server = TestServer::start().await;
    for client in ["web", "spa", "native", "first", "post"] {
        let bare = server
            .request(client, "openid")
            .without("code_challenge")
            .without("code_challenge_method");
        let refused = server.browser().authorize(&bare).await;
        assert_eq!(
            (refused.error().as_str(), server.cause()),
            ("invalid_request", "code_challenge_missing"),
            "{client}"
        );
        let code = server.code(client, "openid").await;
        let without = server.redemption(client, &code).without("code_verifier");
        server
            .token(client, &without)
            .await
            .refused(400, "invalid_grant");
        server.redeem(client, &code).await.expect(200);
    }
}

// P-166, SEC-132
#[tokio::test]
async fn verifiers_of_43_and_of_128_characters_work() {
    let server = TestServer::start().await;
    for verifier in ["v".repeat(43), "-._~".repeat(32), VERIFIER.to_owned()] {
        let challenge = base64url::encode(&sha256(verifier.as_bytes()));
        let request = server
            .request("spa", "openid")
            .with("code_challenge", &challenge);
        let code = server.browser().complete(&request, "alice").await.code();
        let fields = server
            .redemption("spa", &code)
            .with("code_verifier", &verifier);
        server.token("spa", &fields).await.expect(200);
    }
}

// P-27, SEC-133
#[tokio::test]
async fn the_metadata_offers_s256_and_no_other_method() {
    let server = Setup::default().start().await;
    let metadata = server
        .send(server.get("/.well-known/openid-configuration"))
        .await
        .json();
    assert_eq!(
        metadata["code_challenge_methods_supported"],
        serde_json::json!(["S256"])
    );
}
