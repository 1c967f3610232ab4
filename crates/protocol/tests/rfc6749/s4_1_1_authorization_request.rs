//! The authorization request: each rule passed and refused, and who hears of the refusal (§4.1.1, §4.1.2.1).

use crate::common::{
    CALLBACK, CHALLENGE, authorize, authorize_as, authorize_query, client, id, judged, params,
    redirect_uri, scope, tenant,
};
use jeton_protocol::authorize::parameters;
use jeton_protocol::authorize::request::{self as rules, AuthorizationRequest, AuthorizeRefusal};
use jeton_protocol::authorize::request_object;
use jeton_protocol::client::GrantType;
use jeton_protocol::params::{PARAMETER_ONCE, Params};
use jeton_protocol::refusal::{ErrorCode, Rule, Trail};

fn shown(changes: &[(&str, &str)]) -> &'static Rule {
    match authorize(changes) {
        Err(AuthorizeRefusal::Shown(refusal)) => refusal.rule,
        other => panic!("not shown: {other:?}"),
    }
}

fn sent(changes: &[(&str, &str)]) -> &'static Rule {
    match authorize(changes) {
        Err(AuthorizeRefusal::Sent(refusal, target)) => {
            assert_eq!(target.redirect_uri(), CALLBACK);
            assert_eq!(target.state(), Some("af0ifjsldkj"), "{changes:?}");
            refusal.rule
        }
        other => panic!("not sent: {other:?}"),
    }
}

#[test]
fn a_good_request_is_read_whole() {
    let request = authorize(&[
        ("nonce", "n-0S6_WzA2Mj"),
        ("prompt", "login consent"),
        ("max_age", "3600"),
        ("login_hint", "ada"),
        ("ui_locales", "fr-CA fr en"),
        ("display", "popup"),
        ("acr_values", "urn:x"),
        ("claims_locales", "xx"),
        ("unknown", "1"),
    ])
    .unwrap();
    assert_eq!(request.client_id, id("app"));
    assert_eq!(request.target.redirect_uri(), CALLBACK);
    assert_eq!(request.target.state(), Some("af0ifjsldkj"));
    assert_eq!(request.scope, scope("openid read"));
    assert_eq!(request.code_challenge, CHALLENGE);
    assert_eq!(request.nonce.as_deref(), Some("n-0S6_WzA2Mj"));
    assert_eq!(
        request.prompt,
        [rules::Prompt::Login, rules::Prompt::Consent]
    );
    assert_eq!(request.max_age, Some(3600));
    assert_eq!(request.login_hint.as_deref(), Some("ada"));
    assert_eq!(request.ui_locales.as_deref(), Some("fr-CA fr en"));
    assert!(request.is_openid());
    assert!(request.prompts(rules::Prompt::Login) && !request.prompts(rules::Prompt::None));
}

#[test]
fn the_trail_tells_each_check_in_order_the_redirection_uri_before_everything_else() {
    let query = authorize_query(&[]);
    let mut trail = Trail::watched();
    let (client, tenant) = (client(), tenant());
    let judged = judged(&client, &tenant);
    AuthorizationRequest::parse(&params(&query), judged, |_| None, &mut trail).unwrap();
    let passed: Vec<_> = trail.passed().iter().map(|rule| rule.cause).collect();
    assert_eq!(
        passed[..4],
        [
            "client_unknown",
            "redirect_uri_missing",
            "redirect_uri_mismatch",
            "state_too_long"
        ]
    );
    assert!(passed.contains(&"code_challenge_missing") && passed.contains(&"scope_not_allowed"));
}

#[test]
fn a_client_id_is_needed_and_an_illegal_one_is_unknown() {
    // P-60, SEC-100
    let mut trail = Trail::off();
    let refusal = rules::client_id(&params("x=1"), &mut trail).unwrap_err();
    assert_eq!(*refusal.rule, rules::CLIENT_ID_SENT);
    for illegal in ["client_id=%0a", "client_id=caf%C3%A9", "client_id=%7f"] {
        let refusal = rules::client_id(&params(illegal), &mut trail).unwrap_err();
        assert_eq!(*refusal.rule, rules::CLIENT_KNOWN, "{illegal}");
    }
    let long = format!("client_id={}", "x".repeat(256));
    let refusal = rules::client_id(&params(&long), &mut trail).unwrap_err();
    assert_eq!(*refusal.rule, rules::CLIENT_KNOWN);
    let known = rules::client_id(&params("client_id=my+app"), &mut trail).unwrap();
    assert_eq!(known, id("my app"));
}

#[test]
fn before_the_redirection_uri_is_proven_a_refusal_is_only_shown() {
    // P-61…65, SEC-100, S12
    assert_eq!(*shown(&[("redirect_uri", "")]), rules::REDIRECT_URI_SENT);
    for uri in [
        "https://evil.example/",
        "https://app.example/cb/",
        "https://app.example/cb?x=1",
        "https://app.example/CB",
        "https://APP.example/cb",
        "HTTPS://app.example/cb",
        "https://app.example:443/cb",
        "https://app.example/cb#",
        "https://app.example/cb?",
        "http://app.example/cb",
        "https://app.example/%63b",
        " https://app.example/cb",
        "https://app.example/cb\n",
    ] {
        assert_eq!(
            *shown(&[("redirect_uri", uri)]),
            rules::REDIRECT_URI_REGISTERED,
            "{uri}"
        );
    }
}

#[test]
fn a_redirection_uri_is_demanded_even_when_only_one_is_registered() {
    // P-65
    let mut two = client();
    two.redirect_uris
        .push(redirect_uri("https://app.example/other"));
    for client in [client(), two] {
        let refusal = authorize_as(&client, &[("redirect_uri", "")]).unwrap_err();
        assert!(matches!(refusal, AuthorizeRefusal::Shown(_)));
    }
    let mut none = client();
    none.redirect_uris.clear();
    let refusal = authorize_as(&none, &[]).unwrap_err();
    assert!(matches!(refusal, AuthorizeRefusal::Shown(_)));
}

#[test]
fn a_wrong_redirection_uri_outweighs_every_other_error() {
    // SEC-005, SEC-106: nothing in the request can provoke a redirect to a foreign URI.
    let wrong = ("redirect_uri", "https://evil.example/");
    for other in [
        ("response_type", "bogus"),
        ("response_type", ""),
        ("scope", "bogus\\"),
        ("prompt", "none login"),
        ("code_challenge", ""),
        ("request_uri", "https://evil.example/r"),
        ("max_age", "-1"),
        ("claims", "["),
        ("id_token_hint", "x"),
        ("response_mode", "fragment"),
    ] {
        assert_eq!(
            *shown(&[wrong, other]),
            rules::REDIRECT_URI_REGISTERED,
            "{other:?}"
        );
    }
}

#[test]
fn a_broken_request_object_is_not_sent_to_a_foreign_uri_either() {
    // SEC-005, P-126
    let changes = [("redirect_uri", "https://evil.example/"), ("request", "x")];
    assert_eq!(*shown(&changes), request_object::OBJECT_PARSES);
    assert_eq!(*sent(&[("request", "x")]), request_object::OBJECT_PARSES);
}

#[test]
fn a_state_of_2049_bytes_is_refused_here_not_cut() {
    // SEC-117
    let long = "s".repeat(2049);
    assert_eq!(*shown(&[("state", &long)]), rules::STATE_FITS);
    let wide = "é".repeat(1025);
    assert_eq!(*shown(&[("state", &wide)]), rules::STATE_FITS);
}

#[test]
fn after_the_proof_each_broken_rule_is_sent_to_the_client() {
    let long = "n".repeat(2049);
    let padded = format!("{CHALLENGE}=");
    for (name, value, rule) in [
        ("response_type", "", &rules::RESPONSE_TYPE_SENT),
        (
            "response_mode",
            "web_message",
            &rules::RESPONSE_MODE_OFFERED,
        ),
        ("code_challenge", "", &parameters::CHALLENGE_SENT),
        (
            "code_challenge",
            &padded,
            &parameters::CHALLENGE_WELL_FORMED,
        ),
        (
            "code_challenge_method",
            "",
            &parameters::CHALLENGE_METHOD_S256,
        ),
        ("nonce", &long, &parameters::NONCE_FITS),
        ("prompt", "create", &parameters::PROMPT_KNOWN),
        ("prompt", "none login", &parameters::PROMPT_NONE_ALONE),
        ("prompt", "consent none", &parameters::PROMPT_NONE_ALONE),
        ("max_age", "-1", &parameters::MAX_AGE_NUMBER),
        ("max_age", "+1", &parameters::MAX_AGE_NUMBER),
        ("max_age", "1.5", &parameters::MAX_AGE_NUMBER),
        ("max_age", "99999999999", &parameters::MAX_AGE_NUMBER),
        ("claims", "[]", &parameters::CLAIMS_OBJECT),
        ("id_token_hint", "x", &parameters::HINT_VERIFIES),
    ] {
        let found = sent(&[(name, value)]);
        assert_eq!(found, rule, "{name}={value:.20}");
        assert_eq!(found.code, ErrorCode::InvalidRequest, "{name}={value:.20}");
    }
}

#[test]
fn what_is_not_supported_has_an_error_of_its_own() {
    // P-123, P-124, SEC-139
    use ErrorCode as Code;
    for (name, value, rule, code) in [
        (
            "request",
            "x",
            &request_object::OBJECT_PARSES,
            Code::InvalidRequestObject,
        ),
        (
            "request_uri",
            "urn:x",
            &rules::REQUEST_URI_ABSENT,
            Code::RequestUriNotSupported,
        ),
        (
            "registration",
            "{}",
            &rules::REGISTRATION_ABSENT,
            Code::RegistrationNotSupported,
        ),
        (
            "response_type",
            "Code",
            &rules::RESPONSE_TYPE_CODE,
            Code::UnsupportedResponseType,
        ),
        (
            "scope",
            "a\\b",
            &parameters::SCOPE_WELL_FORMED,
            Code::InvalidScope,
        ),
        (
            "scope",
            "openid secret.admin",
            &parameters::SCOPE_ALLOWED,
            Code::InvalidScope,
        ),
        (
            "scope",
            "openid phone",
            &parameters::SCOPE_ALLOWED,
            Code::InvalidScope,
        ),
        (
            "scope",
            "unheard-of",
            &parameters::SCOPE_LEFT,
            Code::InvalidScope,
        ),
        ("scope", "  ", &parameters::SCOPE_LEFT, Code::InvalidScope),
    ] {
        let found = sent(&[(name, value)]);
        assert_eq!(found, rule, "{name}={value}");
        assert_eq!(found.code, code, "{name}={value}");
    }
}

#[test]
fn no_token_comes_out_of_the_front_channel() {
    // SEC-112, P-69
    for response_type in [
        "token",
        "id_token",
        "id_token token",
        "code id_token",
        "code token",
        "code id_token token",
        "none",
        "code code",
    ] {
        assert_eq!(
            *sent(&[("response_type", response_type)]),
            rules::RESPONSE_TYPE_CODE,
            "{response_type}"
        );
    }
}

#[test]
fn a_client_without_the_code_grant_is_not_authorized() {
    // SEC-024
    let mut client = client();
    client.grant_types = vec![GrantType::ClientCredentials, GrantType::RefreshToken];
    match authorize_as(&client, &[]) {
        Err(AuthorizeRefusal::Sent(refusal, _)) => {
            assert_eq!(*refusal.rule, rules::CLIENT_MAY_AUTHORIZE);
            assert_eq!(refusal.code(), ErrorCode::UnauthorizedClient);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn without_scope_the_registered_one_is_asked_for() {
    // S41
    assert_eq!(authorize(&[("scope", "")]).unwrap().scope, client().scope);
    let mut none = client();
    none.scope = scope("");
    let refusal = authorize_as(&none, &[("scope", "")]).unwrap_err();
    assert_eq!(*refusal.refusal().rule, parameters::SCOPE_LEFT);
}

#[test]
fn a_scope_nobody_knows_is_left_out_and_the_rest_goes_on() {
    let request = authorize(&[("scope", "read unheard-of")]).unwrap();
    assert_eq!(request.scope, scope("read"));
    assert!(!request.is_openid(), "P-77");
}

#[test]
fn nothing_beyond_the_registration_is_ever_granted() {
    // SEC-141
    for asked in ["openid read write", "read", "write email openid"] {
        let request = authorize(&[("scope", asked)]).unwrap();
        assert!(request.scope.is_subset_of(&client().scope));
        assert!(request.scope.is_subset_of(&scope(asked)));
    }
}

#[test]
fn hints_never_fail_a_request_and_an_absurd_one_is_dropped() {
    // P-78…82
    let absurd = "x".repeat(257);
    let fits = "x".repeat(256);
    for (name, read) in [
        (
            "login_hint",
            (|r| r.login_hint.clone()) as fn(&AuthorizationRequest) -> Option<String>,
        ),
        ("ui_locales", |r| r.ui_locales.clone()),
    ] {
        assert_eq!(read(&authorize(&[(name, &absurd)]).unwrap()), None);
        assert_eq!(
            read(&authorize(&[(name, &fits)]).unwrap()),
            Some(fits.clone())
        );
    }
    for change in [
        ("display", "page"),
        ("display", "touch"),
        ("acr_values", "1 2"),
        ("claims_locales", "!!"),
    ] {
        assert!(authorize(&[change]).is_ok(), "{change:?}");
    }
}

#[test]
fn a_hint_is_verified_by_whoever_has_the_keys_and_its_subject_kept() {
    // P-88
    let query = authorize_query(&[("id_token_hint", "the.hint.text")]);
    let (client, tenant) = (client(), tenant());
    let hint = |hint: &str| (hint == "the.hint.text").then(|| "subject".to_owned());
    let judged = judged(&client, &tenant);
    let mut trail = Trail::off();
    let request = AuthorizationRequest::parse(&params(&query), judged, hint, &mut trail).unwrap();
    assert_eq!(request.hinted_subject.as_deref(), Some("subject"));
}

#[test]
fn a_refusal_never_repeats_control_characters_of_the_request() {
    // SEC-251
    for change in [
        ("response_type", "x\r\n\u{1b}[31m"),
        ("prompt", "\u{9}x"),
        ("max_age", "\u{85}"),
    ] {
        let refusal = authorize(&[change]).unwrap_err();
        let noted = &refusal.refusal().noted;
        assert!(!noted.found.chars().any(char::is_control), "{noted:?}");
    }
    let long = "x".repeat(100_000);
    let refusal = authorize(&[("response_type", &long)]).unwrap_err();
    assert!(refusal.refusal().noted.found.len() <= 200);
}

#[test]
fn a_repeat_is_sent_to_the_client_unless_it_blurs_whom_to_send_it_to() {
    // P-59, SEC-105
    let parse = |extra: &str| {
        let query = format!("{}&{extra}", authorize_query(&[]));
        let params = Params::unjudged_query(Some(&query)).unwrap();
        rules::client_id(&params, &mut Trail::off()).map_err(AuthorizeRefusal::Shown)?;
        crate::common::parse(&params, &client())
    };
    for shown in [
        "client_id=app",
        "client_id=",
        "redirect_uri=https%3A%2F%2Fevil.example%2F",
        "redirect_uri=",
        "state=other",
    ] {
        match parse(shown) {
            Err(AuthorizeRefusal::Shown(refusal)) => assert_eq!(*refusal.rule, PARAMETER_ONCE),
            other => panic!("{shown}: {other:?}"),
        }
    }
    for sent in [
        "scope=read",
        "response_type=code",
        "code_challenge=x",
        "code_challenge_method=plain",
        "nonce=a&nonce=b",
        "unheard_of=1&unheard_of=1",
    ] {
        match parse(sent) {
            Err(AuthorizeRefusal::Sent(refusal, target)) => {
                assert_eq!(*refusal.rule, PARAMETER_ONCE, "{sent}");
                assert_eq!(target.redirect_uri(), CALLBACK);
            }
            other => panic!("{sent}: {other:?}"),
        }
    }
    assert!(parse("resource=a&resource=b").is_ok(), "S35");
}
