//! One JWT instead of parameters, signed as the client registered (§2.1, §2.3, §3).

use crate::common::{
    CALLBACK, CLIENT, ISSUER, NOW, authorize_as, carried, claims_of, client, issuer, key_ring,
    redirect_uri,
};
use jeton_protocol::authorize::request::{
    AuthorizeRefusal, RESPONSE_MODE_OFFERED, RESPONSE_TYPE_CODE,
};
use jeton_protocol::authorize::response::{AuthorizationResponse, Carried, ResponseTarget};
use jeton_protocol::client::Client;
use jeton_token::SignatureAlgorithm as A;
use jeton_token::jws::Jws;

fn target(client: &Client, mode: &str) -> ResponseTarget {
    authorize_as(client, &[("response_mode", mode)])
        .unwrap()
        .target
}

/// The JWT, and what stands before it.
fn response(target: &ResponseTarget, response: &AuthorizationResponse<'_>) -> (String, String) {
    match carried(target, response) {
        Carried::Redirect(uri) => {
            let (before, jwt) = uri.split_once("response=").expect("a response");
            assert!(!jwt.contains(['&', '=']), "nothing else: {uri}");
            (before.to_owned(), jwt.to_owned())
        }
        Carried::Form { action, fields } => {
            let [(name, jwt)] = fields.as_slice() else {
                panic!("{fields:?}")
            };
            assert_eq!(*name, "response");
            (action, jwt.clone())
        }
    }
}

#[test]
fn each_mode_carries_nothing_but_the_response() {
    // P-325, P-328, P-330
    for (mode, before) in [
        ("jwt", format!("{CALLBACK}?")),
        ("query.jwt", format!("{CALLBACK}?")),
        ("fragment.jwt", format!("{CALLBACK}#")),
        ("form_post.jwt", CALLBACK.to_owned()),
    ] {
        let (found, jwt) = response(
            &target(&client(), mode),
            &AuthorizationResponse::Code("jtc_c"),
        );
        assert_eq!(found, before, "{mode}");
        let claims = claims_of(&jwt);
        let names: Vec<_> = claims.keys().map(String::as_str).collect();
        assert_eq!(names.len(), 5, "{names:?}");
        assert_eq!(claims["code"], "jtc_c");
        assert_eq!(claims["state"], "af0ifjsldkj");
        assert_eq!(
            (&claims["iss"], &claims["aud"]),
            (&ISSUER.into(), &CLIENT.into())
        );
        let ahead = claims["exp"].as_i64().unwrap() - NOW.seconds();
        assert!((10..=600).contains(&ahead), "P-326: {ahead}");
    }
}

#[test]
fn it_is_signed_with_the_registered_algorithm_by_a_published_key() {
    // P-327
    let ring = key_ring();
    for (registered, expected) in [
        (None, A::Rs256),
        (Some(A::Es256), A::Es256),
        (Some(A::EdDsa), A::EdDsa),
    ] {
        let client = Client {
            authorization_signed_response_alg: registered,
            ..client()
        };
        let code = AuthorizationResponse::Code("c");
        let carried = target(&client, "jwt").encode(&code, &issuer(), (&ring, NOW));
        let Ok(Carried::Redirect(uri)) = carried else {
            panic!("{carried:?}")
        };
        let jwt = uri.split_once("response=").unwrap().1;
        let unverified = Jws::parse(jwt).unwrap();
        assert_eq!(unverified.header().alg, expected);
        assert!(unverified.header().kid.is_some());
        assert!(ring.published.verify(&unverified).is_some());
    }
}

#[test]
fn an_algorithm_without_a_key_is_a_fault_and_not_an_unsigned_response() {
    // P-327
    let client = Client {
        authorization_signed_response_alg: Some(A::Ps512),
        ..client()
    };
    let code = AuthorizationResponse::Code("c");
    let target = target(&client, "jwt");
    assert!(target.encode(&code, &issuer(), (&key_ring(), NOW)).is_err());
}

#[test]
fn errors_are_signed_too() {
    // P-107, P-329
    let outcome = authorize_as(
        &client(),
        &[("response_mode", "fragment.jwt"), ("response_type", "x")],
    );
    let Err(AuthorizeRefusal::Sent(refusal, target)) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(*refusal.rule, RESPONSE_TYPE_CODE);
    let (before, jwt) = response(&target, &AuthorizationResponse::Refused(&refusal));
    assert_eq!(before, format!("{CALLBACK}#"));
    assert_eq!(claims_of(&jwt)["error"], "unsupported_response_type");
    let (_, jwt) = response(&target, &AuthorizationResponse::Failed);
    assert_eq!(claims_of(&jwt)["error"], "server_error");
}

#[test]
fn a_form_cannot_be_posted_to_an_app() {
    // SEC-110
    let app = Client {
        redirect_uris: vec![redirect_uri("com.example.app:/cb")],
        application_type: jeton_protocol::client::ApplicationType::Native,
        ..client()
    };
    for mode in ["form_post", "form_post.jwt"] {
        let changes = [
            ("redirect_uri", "com.example.app:/cb"),
            ("response_mode", mode),
        ];
        let refusal = authorize_as(&app, &changes).unwrap_err();
        assert_eq!(*refusal.refusal().rule, RESPONSE_MODE_OFFERED, "{mode}");
    }
}

#[test]
fn the_way_back_survives_being_stored() {
    let target = target(&client(), "form_post.jwt");
    let kept = serde_json::to_string(&target).unwrap();
    assert_eq!(
        serde_json::from_str::<ResponseTarget>(&kept).unwrap(),
        target
    );
    // One that an older version kept goes back as it did then.
    let old = format!("{{\"redirect_uri\":\"{CALLBACK}\",\"state\":\"s\"}}");
    let old: ResponseTarget = serde_json::from_str(&old).unwrap();
    let uri = crate::common::encode(&old, &AuthorizationResponse::Code("c"));
    assert!(uri.starts_with(&format!("{CALLBACK}?code=c&state=s&iss=")));
}
