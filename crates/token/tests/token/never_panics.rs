//! Whatever comes in, the answer is a value.

use jeton_token::{
    HandleKey, HandleKeys, HandleKind, Jws, KeySet, PublicJwk, RowId, SealKey, SealKeys,
    SealedFacts, Secret, SignatureAlgorithm, SigningKey, at_jwt, base64url, json,
};
use proptest::prelude::*;

use crate::keys::{ED25519, P256, signed};

fn json_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("1e400".to_owned()),
        any::<f64>().prop_map(|number| format!("{number:e}")),
        any::<i64>().prop_map(|number| number.to_string()),
        "[a-z]{0,4}".prop_map(|text| format!("\"{text}\"")),
        ".{0,6}".prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let name = prop::sample::select(vec![
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "jti",
            "client_id",
            "cnf",
            "kty",
            "n",
            "e",
            "x",
            "y",
            "crv",
            "keys",
            "alg",
            "kid",
            "typ",
            "crit",
            "act",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((name, inner), 0..6).prop_map(|members| {
                let members: Vec<String> = members
                    .into_iter()
                    .map(|(name, value)| format!("\"{name}\":{value}"))
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn texts_of_tokens(text in ".{0,200}", prefix in prop::sample::select(vec!["", "jta_", "jtc_", "jtr_"])) {
        let text = format!("{prefix}{text}");
        let handles = HandleKeys::new(HandleKey::new(1, &Secret::new(vec![1; 32])).unwrap(), vec![]).unwrap();
        let seals = SealKeys::new(SealKey::new(1, &Secret::new(vec![1; 32])).unwrap(), vec![]).unwrap();
        for kind in HandleKind::ALL {
            prop_assert!(handles.open("t", kind, &text).is_err());
        }
        prop_assert!(seals.open("t", &text).is_err());
        prop_assert!(text.parse::<RowId>().is_err());
        let _ = Jws::parse(&text);
    }

    #[test]
    fn bytes_of_anything(bytes: Vec<u8>) {
        let _ = json::parse_object(&bytes, 1000);
        let _ = KeySet::parse(&bytes);
        let _ = KeySet::parse_foreign(&bytes);
        let _ = minicbor::decode::<SealedFacts>(&bytes);
        prop_assert!(SealKey::new(1, &Secret::new(vec![1; 32])).unwrap().open_bytes(b"", &bytes).is_err());
        for algorithm in SignatureAlgorithm::ALL {
            prop_assert!(SigningKey::from_pkcs8(algorithm, None, &bytes).is_err());
        }
        let token = format!("eyJhbGciOiJFZERTQSJ9.e30.{}", base64url::encode(&bytes));
        if let Ok(parsed) = Jws::parse(&token) {
            prop_assert!(parsed.verify(ED25519.public_jwk()).is_err());
        }
    }

    #[test]
    fn objects_of_any_shape(text in json_text()) {
        let _ = KeySet::parse(text.as_bytes());
        if let Ok(members) = json::parse_object(text.as_bytes(), 100_000) {
            let _ = PublicJwk::parse(&members);
        }
        let token = signed(&P256, r#"{"alg":"ES256"}"#, text.as_bytes());
        if let Ok(parsed) = Jws::parse(&token)
            && let Ok(claims) = parsed.verify(P256.public_jwk()).unwrap().claims()
        {
            let _ = at_jwt::read(&claims);
            let _ = (claims.time("exp"), claims.audience(), claims.text("iss"));
        }
        let _ = Jws::parse(&signed(&P256, &text, b"{}"));
    }

    #[test]
    fn what_two_json_readers_accept_they_agree_on(text in json_text()) {
        if let Ok(map) = json::parse_object(text.as_bytes(), 100_000) {
            let other: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(serde_json::Value::Object(map), other);
        }
    }
}
