//! DPoP proofs as clients and attackers make them.

use super::ask::{Answer, Ask, Fields};
use super::{TestServer, Tokens, clients, jwt};
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::base64url;
use jeton_token::secret::sha256;
use jeton_token::signing_key::SigningKey;
use serde_json::{Value, json};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The key of an honest client.
pub fn one() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(SignatureAlgorithm::Es256, None).unwrap())
}

/// Another key: its next one, or a thief's.
pub fn other() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(SignatureAlgorithm::Es256, None).unwrap())
}

/// What a right proof says; each has a `jti` of its own.
pub fn claims(server: &TestServer, method: &str, path: &str) -> Value {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    json!({
        "jti": format!("proof-{}", NEXT.fetch_add(1, Ordering::Relaxed)),
        "htm": method, "htu": format!("{}{path}", server.issuer), "iat": server.now().seconds(),
    })
}

pub fn for_token(server: &TestServer) -> Value {
    claims(server, "POST", "/token")
}

pub fn with_token(mut claims: Value, token: &str) -> Value {
    claims["ath"] = json!(base64url::encode(&sha256(token.as_bytes())));
    claims
}

pub fn header(key: &SigningKey) -> Value {
    let mut jwk = key.public_jwk().to_json();
    jwk.retain(|name, _| ["kty", "crv", "x", "y"].contains(&name.as_str()));
    json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk })
}

pub fn proof(key: &SigningKey, claims: &Value) -> String {
    jwt::sign(key, &header(key), claims)
}

/// A form as the client, with a proof by `key`.
pub fn post(server: &TestServer, client: &str, fields: &Fields, key: &SigningKey) -> Ask {
    let ask = clients::authenticate(server, client, server.post("/token", fields));
    ask.header("dpop", &proof(key, &for_token(server)))
}

pub async fn redeem(server: &TestServer, client: &str, code: &str, key: &SigningKey) -> Answer {
    let fields = server.redemption(client, code);
    server.send(post(server, client, &fields, key)).await
}

pub async fn refresh(server: &TestServer, client: &str, token: &str, key: &SigningKey) -> Answer {
    let fields = Fields::from([("grant_type", "refresh_token"), ("refresh_token", token)]);
    server.send(post(server, client, &fields, key)).await
}

/// Tokens for alice, bound to `key`.
pub async fn tokens(server: &TestServer, client: &str, key: &SigningKey) -> Tokens {
    let code = server.code(client, "openid email").await;
    Tokens::of(&redeem(server, client, &code, key).await)
}

/// A request to userinfo by the holder of `key`.
pub fn userinfo(server: &TestServer, token: &str, key: &SigningKey) -> Ask {
    let claims = with_token(claims(server, "GET", "/userinfo"), token);
    let ask = server.get("/userinfo").header("dpop", &proof(key, &claims));
    ask.header("authorization", &format!("DPoP {token}"))
}

/// A proof for the corpus: `flaw@path`, right but for its flaw, for the token where there is one.
pub async fn flawed(server: &TestServer, named: &str, token: &str) -> String {
    let (flaw, place) = named.split_once('@').unwrap();
    let posts = ["/token", "/par"].contains(&place);
    let method = if posts { "POST" } else { "GET" };
    let mut claims = claims(server, method, place);
    let mut header = header(one());
    if !token.is_empty() {
        claims = with_token(claims, token);
    }
    match flaw {
        "good" => {}
        "other" => return proof(other(), &claims),
        "typ" => header["typ"] = json!("jwt"),
        "rs256" => header["alg"] = json!("RS256"),
        "hs256" => {
            return jwt::sign_hmac(
                &[7; 32],
                &json!({ "typ": "dpop+jwt", "alg": "HS256", "jwk": header["jwk"] }),
                &claims,
            );
        }
        "keyless" => drop(header.as_object_mut().unwrap().remove("jwk")),
        "private" => header["jwk"]["d"] = json!("AQAB"),
        "stolen" => header["jwk"] = self::header(other())["jwk"].clone(),
        "two" => return format!("{0},{0}", proof(one(), &claims)),
        "htm" => claims["htm"] = json!("PUT"),
        "htu" => claims["htu"] = json!("https://qxq.example/token"),
        "jti-less" => drop(claims.as_object_mut().unwrap().remove("jti")),
        "iat-text" => claims["iat"] = json!("qxq"),
        "old" => claims["iat"] = json!(server.now().seconds() - 3600),
        "ahead" => claims["iat"] = json!(server.now().seconds() + 3600),
        "nonce" => claims["nonce"] = json!("qxq"),
        "ath" => claims["ath"] = json!("qxq"),
        "ath-less" => drop(claims.as_object_mut().unwrap().remove("ath")),
        "used" => return used(server, claims, place, token).await,
        _ => panic!("no flaw {flaw}"),
    }
    jwt::sign(one(), &header, &claims)
}

async fn used(server: &TestServer, claims: Value, place: &str, token: &str) -> String {
    let proof = proof(one(), &claims);
    let ask = if place == "/token" {
        let fields = Fields::from([("grant_type", "client_credentials")]);
        clients::authenticate(server, "service", server.post(place, &fields))
    } else {
        server
            .get(place)
            .header("authorization", &format!("DPoP {token}"))
    };
    server.send(ask.header("dpop", &proof)).await.expect(200);
    proof
}
