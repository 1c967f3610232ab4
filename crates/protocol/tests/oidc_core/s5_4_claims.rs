//! The `claims` parameter, and which claims a scope stands for (§5.1, §5.4, §5.5).

use crate::common::{authorize, row, scope, user};
use jeton_protocol::authorize::parameters::CLAIMS_OBJECT;
use jeton_protocol::claims::{ClaimsRequest, released, standard, supported};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn parse(value: &Value) -> Option<ClaimsRequest> {
    ClaimsRequest::parse(&value.to_string())
}

fn names(scope_text: &str, asked: &[&str]) -> BTreeSet<String> {
    let asked: Vec<String> = asked.iter().map(|name| (*name).to_owned()).collect();
    released(&user(), &scope(scope_text), &asked)
        .keys()
        .cloned()
        .collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

const PROFILE: [&str; 14] = [
    "name",
    "family_name",
    "given_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
];

#[test]
fn each_scope_releases_its_claims_and_no_other() {
    // P-257, P-260
    assert_eq!(names("openid", &[]), set(&[]));
    assert_eq!(names("openid profile", &[]), set(&PROFILE));
    assert_eq!(names("email", &[]), set(&["email", "email_verified"]));
    assert_eq!(names("address", &[]), set(&["address"]));
    assert_eq!(
        names("phone", &[]),
        set(&["phone_number", "phone_number_verified"])
    );
    assert_eq!(names("read write offline_access", &[]), set(&[]));
    assert_eq!(names("profile email address phone", &[]).len(), 19);
}

#[test]
fn values_keep_their_json_types() {
    // P-258
    let claims = released(&user(), &scope("profile email address phone"), &[]);
    assert_eq!(claims["email_verified"], json!(true));
    assert_eq!(claims["phone_number_verified"], json!(false));
    assert!(claims["updated_at"].is_number() && claims["address"].is_object());
}

#[test]
fn claims_asked_for_by_name_are_released_too_if_they_are_standard() {
    // P-84, P-87, SEC-066
    assert_eq!(names("openid", &["email"]), set(&["email"]));
    assert_eq!(
        names("email", &["email", "nickname"]),
        set(&["email", "email_verified", "nickname"])
    );
    for foreign in [
        "internal_note",
        "sub",
        "iss",
        "aud",
        "password",
        "admin",
        "http://x/claim",
    ] {
        assert_eq!(names("openid", &[foreign]), set(&[]), "{foreign}");
    }
}

#[test]
fn claims_without_a_value_are_left_out() {
    // P-259
    let mut bare = user();
    for (name, value) in [
        ("name", Value::Null),
        ("nickname", json!("")),
        ("address", json!({})),
        ("email", json!([])),
    ] {
        bare.claims.insert(name.to_owned(), value);
    }
    let claims = released(&bare, &scope("profile email address"), &["name".to_owned()]);
    for name in ["name", "nickname", "address", "email"] {
        assert!(!claims.contains_key(name), "{name}");
    }
    assert_eq!(
        claims["email_verified"],
        json!(true),
        "false and true are values"
    );
    bare.claims.clear();
    assert!(released(&bare, &scope("profile email address phone"), &[]).is_empty());
}

#[test]
fn what_is_advertised_covers_every_standard_claim_once() {
    // P-22
    let all: Vec<_> = supported().collect();
    let distinct: BTreeSet<_> = all.iter().copied().collect();
    assert_eq!(distinct.len(), all.len());
    assert!(distinct.contains("sub") && standard().all(|name| distinct.contains(name)));
    assert_eq!(standard().count(), 19);
}

#[test]
fn names_are_read_for_where_they_were_asked() {
    // P-84, P-85
    let asked = parse(&json!({
        "userinfo": {"email": {"essential": true}, "picture": null},
        "id_token": {"auth_time": {"essential": true}, "nickname": {"value": "x"}},
        "verified_claims": {"anything": 1},
    }))
    .unwrap();
    assert_eq!(
        asked
            .userinfo
            .iter()
            .map(String::as_str)
            .collect::<BTreeSet<_>>(),
        ["email", "picture"].into()
    );
    assert_eq!(
        asked
            .id_token
            .iter()
            .map(String::as_str)
            .collect::<BTreeSet<_>>(),
        ["auth_time", "nickname"].into()
    );
    assert_eq!(asked.subject, None);
    assert!(asked.essential_acr.is_empty());
}

#[test]
fn names_belong_to_the_scope_values_that_stand_for_them() {
    // P-260, Core §5.5, §3.1.2.4
    let asked = || {
        parse(&json!({
            "userinfo": {"phone_number_verified": null, "picture": null, "unheard_of": null},
            "id_token": {"email": {"essential": true}, "auth_time": null, "sub": {"value": "x"}},
        }))
        .unwrap()
    };
    assert_eq!(asked().scope(), scope("profile email phone"));
    assert_eq!(ClaimsRequest::default().scope(), scope(""));
    for (allowed, left) in [
        ("openid", scope("")),
        ("openid email", scope("email")),
        (
            "openid profile email address phone",
            scope("profile email phone"),
        ),
    ] {
        let within = asked().within(&scope(allowed));
        assert_eq!(within.scope(), left, "{allowed}");
        assert_eq!(within.subject.as_deref(), Some("x"));
        assert!(within.id_token.contains(&"auth_time".to_owned()));
        assert!(within.userinfo.contains(&"unheard_of".to_owned()));
    }
}

#[test]
fn unknown_names_and_values_never_fail_a_request() {
    // P-87
    for good in [
        json!({}),
        json!({"userinfo": null, "id_token": null}),
        json!({"userinfo": {}}),
        json!({"id_token": {"unheard_of": {"essential": true, "values": [1, {"x": null}]}}}),
        json!({"id_token": {"email": 5}}),
        json!({"id_token": {"sub": "x", "acr": [1]}}),
        json!({"id_token": {"acr": {"essential": "yes", "values": "x"}}}),
        json!({"id_token": {"https://x.example/claim#fr": null}}),
    ] {
        assert!(parse(&good).is_some(), "{good}");
        assert!(authorize(&[("claims", &good.to_string())]).is_ok());
    }
}

#[test]
fn what_is_not_an_object_of_objects_is_refused() {
    let wide: serde_json::Map<String, Value> =
        (0..65).map(|n| (format!("c{n}"), Value::Null)).collect();
    let long = json!({"userinfo": {"x": "y".repeat(8 * 1024)}});
    for bad in [
        json!([]).to_string(),
        json!("x").to_string(),
        json!({"userinfo": []}).to_string(),
        json!({"id_token": "email"}).to_string(),
        json!({"userinfo": true}).to_string(),
        json!({ "userinfo": wide }).to_string(),
        long.to_string(),
        "{".to_owned(),
        "{} x".to_owned(),
        r#"{"userinfo":{},"userinfo":{}}"#.to_owned(),
        r#"{"userinfo":{},"UserInfo":{}}"#.to_owned(),
        format!(
            r#"{{"userinfo":{{"a":{}1{}}}}}"#,
            "[".repeat(100),
            "]".repeat(100)
        ),
    ] {
        assert_eq!(ClaimsRequest::parse(&bad), None, "{bad:.80}");
        let refusal = authorize(&[("claims", &bad)]).unwrap_err();
        assert_eq!(*refusal.refusal().rule, CLAIMS_OBJECT);
    }
}

#[test]
fn a_subject_with_a_value_is_the_only_one_that_may_be_answered_about() {
    // §3.1.2.2, §5.5.1
    let subject = row(7).to_string();
    let claims = json!({"id_token": {"sub": {"value": subject}}}).to_string();
    let request = authorize(&[("claims", &claims)]).unwrap();
    assert_eq!(request.hinted_subject, Some(subject.clone()));
    let in_userinfo = json!({"userinfo": {"sub": {"value": subject}}}).to_string();
    assert_eq!(
        authorize(&[("claims", &in_userinfo)])
            .unwrap()
            .hinted_subject,
        None
    );
}

#[test]
fn essential_acr_values_are_kept_and_voluntary_ones_are_not() {
    // §5.5.1.1, P-82
    let asked = |acr: Value| {
        parse(&json!({"id_token": {"acr": acr}}))
            .unwrap()
            .essential_acr
    };
    assert_eq!(asked(json!({"essential": true, "value": "a"})), ["a"]);
    assert_eq!(
        asked(json!({"essential": true, "values": ["a", "b", 3]})),
        ["a", "b"]
    );
    assert!(asked(json!({"essential": false, "values": ["a"]})).is_empty());
    assert!(asked(json!({"values": ["a"]})).is_empty());
    assert!(asked(Value::Null).is_empty());
}

#[test]
fn a_claims_request_survives_being_stored() {
    let claims = json!({
        "userinfo": {"email": null},
        "id_token": {"sub": {"value": "x"}, "acr": {"essential": true, "values": ["a"]}},
    });
    let asked = parse(&claims).unwrap();
    let kept = serde_json::to_string(&asked).unwrap();
    assert_eq!(serde_json::from_str::<ClaimsRequest>(&kept).unwrap(), asked);
}

#[test]
fn two_different_subjects_are_never_answered_with_one_of_them_forgotten() {
    // §3.1.2.2: the hint names one user, the claims another; no answer may be about either alone.
    use crate::common::{NOW, authorize_query, client, judged, params, session, tenant};
    use jeton_protocol::authorize::request::AuthorizationRequest;
    use jeton_protocol::authorize::step::{Situation, Step, next_step};
    use jeton_protocol::refusal::Trail;
    let hinted = session().user.to_string();
    let other = json!({"id_token": {"sub": {"value": row(7).to_string()}}}).to_string();
    let query = authorize_query(&[
        ("claims", &other),
        ("id_token_hint", "h"),
        ("prompt", "none"),
    ]);
    let (client, tenant) = (client(), tenant());
    let hint = |_: &str| Some(hinted);
    let judged = judged(&client, &tenant);
    let parsed = AuthorizationRequest::parse(&params(&query), judged, hint, &mut Trail::off());
    let Ok(request) = parsed else { return };
    let own = jeton_protocol::client::Client {
        first_party: true,
        ..client
    };
    let situation = Situation {
        request: &request,
        client: &own,
        session: Some(&session()),
        consent: None,
        progress: &jeton_protocol::interaction::Progress::default(),
    };
    let step = next_step(situation, NOW, &mut Trail::off());
    assert!(matches!(step, Step::Refuse(_)), "{step:?}");
}
