//! Client assertions, right and wrong in one thing each.

use crate::support::{TestServer, jwt};
use jeton_token::base64url;
use serde_json::{Value, json};

/// Makes the assertion of a kind; `good` is right in everything.
pub fn make(server: &TestServer, kind: &str) -> String {
    let mut header = json!({ "alg": "ES256" });
    let mut claims = jwt::assertion_claims(server, "keyed");
    if change_claims(server, kind, &mut claims) || change_header(kind, &mut header) {
        return jwt::sign(jwt::client_key(), &header, &claims);
    }
    let good = || jwt::sign(jwt::client_key(), &header, &claims);
    match kind {
        "good" | "used" => good(),
        "of-service" => jwt::sign(
            jwt::client_key(),
            &header,
            &jwt::assertion_claims(server, "service"),
        ),
        "remote" => jwt::keyed(server, "remote"),
        "foreign-key" => jwt::sign(jwt::foreign_key(), &header, &claims),
        "hmac-wrong" => {
            let claims = jwt::assertion_claims(server, "hmac");
            jwt::sign_hmac(&[b'q'; 40], &json!({ "alg": "HS256" }), &claims)
        }
        "signed-for-hmac" => jwt::sign(
            jwt::client_key(),
            &header,
            &jwt::assertion_claims(server, "hmac"),
        ),
        "hmac-with-public-key" => {
            let key = Value::Object(jwt::client_key().public_jwk().to_json()).to_string();
            jwt::sign_hmac(key.as_bytes(), &json!({ "alg": "HS256" }), &claims)
        }
        "two-parts" => jwt::input(&header, &claims),
        "four-parts" => format!("{}.qxq", good()),
        "padded" => format!("{}=", good()),
        "spaced" => good().replacen('.', " .", 1),
        "empty-signature" => format!("{}.", jwt::input(&header, &claims)),
        "zeros" => format!(
            "{}.{}",
            jwt::input(&header, &claims),
            base64url::encode(&[0; 64])
        ),
        "altered" => altered(&good()),
        "huge" => {
            claims["qxq"] = json!("q".repeat(17 * 1024));
            jwt::sign(jwt::client_key(), &header, &claims)
        }
        "json" => serialized(&good()),
        "twice" => raw(&claims.to_string().replacen('{', "{\"sub\":\"web\",", 1)),
        "list" => raw(&json!([claims]).to_string()),
        _ => panic!("no assertion {kind}"),
    }
}

fn change_claims(server: &TestServer, kind: &str, claims: &mut Value) -> bool {
    let now = server.now().seconds();
    let (name, value) = match kind {
        "sub-unknown" => {
            claims["iss"] = json!("qxq");
            ("sub", json!("qxq"))
        }
        "sub-number" => ("sub", json!(7)),
        "iss-other" => ("iss", json!("web")),
        "exp-past" => ("exp", json!(now - 11)),
        "exp-far" => ("exp", json!(now + 311)),
        "exp-text" => ("exp", json!((now + 60).to_string())),
        "iat-ahead" => ("iat", json!(now + 62)),
        "nbf-ahead" => ("nbf", json!(now + 62)),
        "empty-jti" => ("jti", json!("")),
        "long-jti" => ("jti", json!("q".repeat(257))),
        "jti-number" => ("jti", json!(7)),
        "aud-number" => ("aud", json!(7)),
        "aud-token" => ("aud", json!(format!("{}/token", server.issuer))),
        "aud-slash" => ("aud", json!(format!("{}/", server.issuer))),
        "aud-other" => ("aud", json!("https://qxq.example")),
        "aud-two" => ("aud", json!([server.issuer, "https://qxq.example"])),
        "no-sub" => ("sub", Value::Null),
        "no-iss" => ("iss", Value::Null),
        "no-exp" => ("exp", Value::Null),
        "no-jti" => ("jti", Value::Null),
        "no-aud" => ("aud", Value::Null),
        _ => return false,
    };
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    true
}

fn change_header(kind: &str, header: &mut Value) -> bool {
    let (name, value) = match kind {
        "alg-none" => ("alg", json!("none")),
        "alg-None" => ("alg", json!("None")),
        "alg-nOnE" => ("alg", json!("nOnE")),
        "crit" => ("crit", json!(["qxq"])),
        "b64" => {
            header["crit"] = json!(["b64"]);
            ("b64", json!(false))
        }
        "kid-unknown" => ("kid", json!("../../qxq")),
        "jwk" => {
            *header = json!({ "alg": "ES256", "kid": jwt::foreign_key().kid() });
            (
                "jwk",
                Value::Object(jwt::foreign_key().public_jwk().to_json()),
            )
        }
        "typ-at" => ("typ", json!("at+jwt")),
        "typ-dpop" => ("typ", json!("dpop+jwt")),
        "typ-logout" => ("typ", json!("logout+jwt")),
        "no-alg" => {
            *header = json!({ "typ": "JWT" });
            return true;
        }
        _ => return false,
    };
    header[name] = value;
    true
}

/// Claims as this text, signed as they are.
fn raw(claims: &str) -> String {
    let header = base64url::encode(br#"{"alg":"ES256"}"#);
    let input = format!("{header}.{}", base64url::encode(claims.as_bytes()));
    let mut signature = Vec::new();
    jwt::client_key()
        .sign(input.as_bytes(), &mut signature)
        .unwrap();
    format!("{input}.{}", base64url::encode(&signature))
}

fn serialized(compact: &str) -> String {
    let parts: Vec<&str> = compact.split('.').collect();
    json!({ "protected": parts[0], "payload": parts[1], "signature": parts[2] }).to_string()
}

fn altered(compact: &str) -> String {
    let (input, signature) = compact.rsplit_once('.').unwrap();
    let mut bytes = base64url::decode(signature).unwrap();
    bytes[40] ^= 1;
    format!("{input}.{}", base64url::encode(&bytes))
}
