//! RFC 9449 §7: bound access tokens at a resource server that checks them itself.

use jeton_resource::verifier::{Rejected, Verifier};
use jeton_token::at_jwt::AccessTokenClaims;
use jeton_token::dpop::DpopError;
use jeton_token::{
    Confirmation, Entropy, JwtType, KeySet, RowId, SignatureAlgorithm, SigningKey, Timestamp,
    base64url, sha256,
};
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const ISSUER: &str = "https://issuer.example";
const API: &str = "https://api.example/one";

fn made() -> SigningKey {
    SigningKey::generate(SignatureAlgorithm::Es256, None).unwrap()
}

/// The resource, and a token that is bound to the key of `holder`.
fn world(holder: Option<&SigningKey>) -> (Verifier, String) {
    let key = made();
    let audience = [API.to_owned()];
    let thumbprint = holder.map(|holder| holder.public_jwk().thumbprint_bytes());
    let claims = AccessTokenClaims {
        iss: ISSUER,
        sub: "user",
        aud: &audience,
        client_id: "client",
        scope: None,
        iat: NOW,
        exp: Timestamp::from_seconds(NOW.seconds() + 600),
        jti: RowId::new(NOW, &mut Entropy::seeded(1)),
        auth_time: None,
        acr: None,
        sid: None,
        gid: None,
        cnf: thumbprint.map(Confirmation::DpopKey),
        act: None,
        details: None,
    };
    let token = key.sign_jwt(JwtType::AccessToken, &claims).unwrap();
    let keys = KeySet::new(vec![key.public_jwk().clone()]);
    (Verifier::new(ISSUER, API, keys), token)
}

fn proof(key: &SigningKey, token: &str, iat: Timestamp) -> String {
    let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": key.public_jwk().to_json() });
    let ath = base64url::encode(&sha256(token.as_bytes()));
    let claims = json!({ "jti": "a", "htm": "GET", "htu": API, "iat": iat.seconds(), "ath": ath });
    let part = |value: &Value| base64url::encode(value.to_string().as_bytes());
    let input = format!("{}.{}", part(&header), part(&claims));
    let mut signature = Vec::new();
    key.sign(input.as_bytes(), &mut signature).unwrap();
    format!("{input}.{}", base64url::encode(&signature))
}

// P-224, SEC-038, SEC-181
#[test]
fn a_bound_token_is_no_bearer_token() {
    let (verifier, token) = world(Some(&made()));
    assert_eq!(verifier.verify(&token, NOW), Err(Rejected::Unproven));
}

// P-221, P-222
#[test]
fn the_holder_of_the_key_is_believed_and_nobody_else() {
    let (holder, thief) = (made(), made());
    let (verifier, token) = world(Some(&holder));
    let ask = |proof: &str, request| verifier.verify_bound((&token, proof), request, NOW);
    let right = proof(&holder, &token, NOW);
    let (facts, proven) = ask(&right, ("GET", API)).unwrap();
    assert_eq!((facts.subject.as_str(), proven.jti.as_str()), ("user", "a"));
    assert!(matches!(
        ask(&right, ("POST", API)),
        Err(Rejected::Proof(DpopError::Method(_)))
    ));
    assert!(matches!(
        ask(&right, ("GET", ISSUER)),
        Err(Rejected::Proof(DpopError::Url(_)))
    ));
    let refused = |proof: &str| ask(proof, ("GET", API)).unwrap_err();
    assert_eq!(refused(&proof(&thief, &token, NOW)), Rejected::ProofKey);
    let of_another = proof(&holder, "another token", NOW);
    assert_eq!(
        refused(&of_another),
        Rejected::Proof(DpopError::AccessToken)
    );
    let old = proof(
        &holder,
        &token,
        Timestamp::from_seconds(NOW.seconds() - 3600),
    );
    assert_eq!(refused(&old), Rejected::ProofTime);
}

// P-222
#[test]
fn a_proof_does_not_bind_a_token_that_is_not_bound() {
    let (verifier, token) = world(None);
    let key = made();
    let refused = verifier.verify_bound((&token, &proof(&key, &token, NOW)), ("GET", API), NOW);
    assert_eq!(refused.unwrap_err(), Rejected::ProofKey);
}
