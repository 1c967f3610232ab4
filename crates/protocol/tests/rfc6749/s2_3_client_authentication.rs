//! Client authentication: one method, the registered one (§2.3, §3.2.1, §5.2).

use crate::common::{
    ISSUER, NOW, SECRET, authenticated, client, form, id, issuer, params, public_client,
    signing_key,
};
use jeton_protocol::client::{AuthenticationMethod as Method, Client};
use jeton_protocol::client_auth::{self as rules, OpenedSecret, Presented, Verified, none, secret};
use jeton_protocol::refusal::{ErrorCode, Refusal, Rule, Trail};
use jeton_token::key_set::KeySet;
use jeton_token::secret::{Secret, sha256};
use jeton_token::signing_key::{JwtType, SigningKey};
use jeton_token::{SignatureAlgorithm, base64url};
use serde_json::json;
use std::sync::Arc;

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn basic(id: &str, secret: &str) -> String {
    use base64::Engine as _;
    let text = format!("{id}:{secret}");
    format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(text)
    )
}

fn claims() -> serde_json::Value {
    json!({"iss": "app", "sub": "app", "aud": ISSUER, "exp": NOW.seconds() + 60, "jti": "one"})
}

fn by_key(key: &SigningKey) -> String {
    key.sign_jwt(JwtType::IdToken, &claims()).unwrap()
}

fn by_secret(secret: &str) -> String {
    let part = |value: serde_json::Value| base64url::encode(value.to_string().as_bytes());
    let signed = format!("{}.{}", part(json!({"alg": "HS256"})), part(claims()));
    let key = aws_hmac(secret.as_bytes(), signed.as_bytes());
    format!("{signed}.{}", base64url::encode(&key))
}

/// HMAC-SHA-256 from its definition (RFC 2104), so that the tests need no second library.
fn aws_hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&sha256(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner: Vec<u8> = block
        .iter()
        .map(|b| b ^ 0x36)
        .chain(message.iter().copied())
        .collect();
    let outer = block.iter().map(|b| b ^ 0x5c).chain(sha256(&inner));
    sha256(&outer.collect::<Vec<_>>())
}

/// What a request can present, as header and body.
fn presentations(key: &SigningKey) -> Vec<(Method, Option<String>, String)> {
    let assertion = |jwt: String| {
        form(&[
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", &jwt),
        ])
    };
    vec![
        (Method::None, None, form(&[("client_id", "app")])),
        (
            Method::ClientSecretBasic,
            Some(basic(
                "app",
                "a+secret+of+the+client%2C+long+enough+for+HMAC",
            )),
            String::new(),
        ),
        (
            Method::ClientSecretPost,
            None,
            form(&[("client_id", "app"), ("client_secret", SECRET)]),
        ),
        (Method::ClientSecretJwt, None, assertion(by_secret(SECRET))),
        (Method::PrivateKeyJwt, None, assertion(by_key(key))),
    ]
}

fn attempt(
    client: Client,
    opened: &OpenedSecret<'_>,
    header: Option<&str>,
    body: &str,
) -> Result<Verified, Refusal> {
    let mut trail = Trail::off();
    let params = params(body);
    let presented = Presented::read(header, &params, &mut trail)?;
    assert_eq!(presented.parsed_client_id()?, id("app"));
    rules::verify(
        &presented,
        Arc::new(client),
        opened,
        (&issuer(), NOW),
        &mut trail,
    )
}

fn read(header: Option<&str>, body: &str) -> &'static Rule {
    let params = params(body);
    Presented::read(header, &params, &mut Trail::off())
        .unwrap_err()
        .rule
}

#[test]
fn only_the_registered_method_authenticates_whatever_else_would_be_true() {
    // P-183…187, P-189, SEC-022, SEC-125: all secrets are right, only the method differs.
    let key = signing_key(SignatureAlgorithm::Es256);
    let digest = sha256(SECRET.as_bytes());
    for registered in Method::ALL {
        let client = Client {
            authentication: registered,
            jwks: Some(KeySet::new(vec![key.public_jwk().clone()])),
            ..client()
        };
        for (used, header, body) in presentations(&key) {
            let opened = match used {
                Method::ClientSecretJwt => {
                    OpenedSecret::Plain(Secret::from_text(SECRET.to_owned()))
                }
                Method::ClientSecretBasic | Method::ClientSecretPost => {
                    OpenedSecret::Digest(&digest)
                }
                Method::None | Method::PrivateKeyJwt => OpenedSecret::None,
            };
            let outcome = attempt(client.clone(), &opened, header.as_deref(), &body);
            if used == registered {
                let authenticated = outcome.unwrap().spent(true, &mut Trail::off()).unwrap();
                assert_eq!(authenticated.method(), used);
                assert_eq!(authenticated.is_public(), used == Method::None);
                assert_eq!(authenticated.client().id, id("app"));
            } else {
                let refusal = outcome.unwrap_err();
                assert_eq!(
                    refusal.code(),
                    ErrorCode::InvalidClient,
                    "{registered:?} {used:?}"
                );
                assert_eq!(Method::parse(used.name()), Some(used));
            }
        }
    }
}

#[test]
fn two_methods_in_one_request_are_an_invalid_request() {
    // P-190, SEC-125, S29
    let key = signing_key(SignatureAlgorithm::Es256);
    let jwt = by_key(&key);
    let header = basic("app", "s");
    let assertion = [
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", jwt.as_str()),
    ];
    let secret = [("client_id", "app"), ("client_secret", "s")];
    for (header, body) in [
        (Some(header.as_str()), form(&secret)),
        (Some(header.as_str()), form(&assertion)),
        (Some(header.as_str()), form(&assertion[..1])),
        (Some("Bearer x"), form(&secret)),
        (None, form(&[assertion.as_slice(), &secret].concat())),
        (None, form(&[&assertion[1..], &secret].concat())),
        (
            Some(header.as_str()),
            form(&[assertion.as_slice(), &secret].concat()),
        ),
    ] {
        let rule = read(header, &body);
        assert_eq!(*rule, rules::ONE_METHOD, "{body}");
        assert_eq!(rule.code, ErrorCode::InvalidRequest);
    }
}

#[test]
fn nothing_presented_is_an_invalid_client() {
    for body in [
        "",
        "grant_type=client_credentials",
        "client_id=",
        "client_secret=s",
    ] {
        let rule = read(None, body);
        assert_eq!(*rule, rules::CLIENT_NAMED, "{body}");
        assert_eq!(rule.code, ErrorCode::InvalidClient);
    }
}

#[test]
fn a_client_id_that_agrees_may_stay_and_another_is_refused() {
    // P-167, P-196, S32
    let key = signing_key(SignatureAlgorithm::Es256);
    for (_, header, body) in presentations(&key) {
        let with = |id: &str| {
            let pair = form(&[("client_id", id)]);
            if body.contains("client%5Fid") {
                body.clone()
            } else {
                format!("{body}&{pair}")
            }
        };
        assert!(
            Presented::read(header.as_deref(), &params(&with("app")), &mut Trail::off()).is_ok()
        );
        if !body.contains("client%5Fid") {
            let rule = read(header.as_deref(), &with("other"));
            assert_eq!(*rule, rules::CLIENT_ID_AGREES);
            assert_eq!(rule.code, ErrorCode::InvalidClient);
        }
    }
}

#[test]
fn an_empty_secret_proves_nothing() {
    // SEC-022, SEC-072: not even when the kept secret is empty, too.
    let empty = sha256(b"");
    for opened in [
        OpenedSecret::Digest(&empty),
        OpenedSecret::Plain(Secret::new(Vec::new())),
        OpenedSecret::Compared(true),
        OpenedSecret::None,
    ] {
        let header = basic("app", "");
        let refusal = attempt(client(), &opened, Some(&header), "").unwrap_err();
        assert_eq!(*refusal.rule, secret::SECRET_MATCHES);
    }
    let posts = Client {
        authentication: Method::ClientSecretPost,
        ..client()
    };
    let body = form(&[("client_id", "app"), ("client_secret", "")]);
    let refusal = attempt(posts, &OpenedSecret::Compared(true), None, &body).unwrap_err();
    assert_eq!(*refusal.rule, rules::METHOD_REGISTERED);
}

#[test]
fn a_wrong_secret_a_missing_one_and_an_unknown_client_sound_alike() {
    // SEC-127, SEC-201
    let right = sha256(SECRET.as_bytes());
    let posts = Client {
        authentication: Method::ClientSecretPost,
        ..client()
    };
    for wrong in [
        "x",
        &format!("{SECRET} "),
        &SECRET[1..],
        &SECRET.to_uppercase(),
    ] {
        let body = form(&[("client_id", "app"), ("client_secret", wrong)]);
        for opened in [
            OpenedSecret::Digest(&right),
            OpenedSecret::Compared(false),
            OpenedSecret::None,
        ] {
            let refusal = attempt(posts.clone(), &opened, None, &body).unwrap_err();
            assert_eq!(*refusal.rule, secret::SECRET_MATCHES, "{wrong}");
            let unknown = rules::unknown_client("no such client");
            assert_eq!(refusal.rule.told, unknown.rule.told);
            assert_eq!(refusal.code(), unknown.code());
            assert!(!format!("{refusal:?}").contains(SECRET));
        }
    }
    assert_eq!(rules::METHOD_REGISTERED.told, rules::CLIENT_EXISTS.told);
}

#[test]
fn a_public_client_must_not_have_a_secret() {
    // SEC-234
    let digest = sha256(SECRET.as_bytes());
    let odd = Client {
        secret: Some(jeton_protocol::client::KeptSecret::Digest(digest)),
        ..public_client()
    };
    let refusal = attempt(odd, &OpenedSecret::None, None, "client_id=app").unwrap_err();
    assert_eq!(*refusal.rule, none::PUBLIC_WITHOUT_SECRET);
    assert!(authenticated(public_client()).is_public());
}

#[test]
fn an_id_with_illegal_characters_belongs_to_nobody() {
    for id in ["caf\u{e9}", "a\nb", &"x".repeat(256)] {
        let body = form(&[("client_id", id)]);
        let params = params(&body);
        let presented = Presented::read(None, &params, &mut Trail::off()).unwrap();
        let refusal = presented.parsed_client_id().unwrap_err();
        assert_eq!(*refusal.rule, rules::CLIENT_EXISTS);
    }
}

#[test]
fn only_the_header_method_earns_a_challenge_and_only_secrets_are_given_to_hash() {
    // P-159
    let key = signing_key(SignatureAlgorithm::Es256);
    for (method, header, body) in presentations(&key) {
        let params = params(&body);
        let presented = Presented::read(header.as_deref(), &params, &mut Trail::off()).unwrap();
        assert_eq!(presented.used_header(), method == Method::ClientSecretBasic);
        let has_secret = matches!(method, Method::ClientSecretBasic | Method::ClientSecretPost);
        assert_eq!(presented.secret(), has_secret.then_some(SECRET.as_bytes()));
        assert!(!format!("{presented:?}").contains(SECRET) || method == Method::ClientSecretPost);
    }
}
