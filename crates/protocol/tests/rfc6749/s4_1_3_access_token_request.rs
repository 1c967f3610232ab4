//! Redeeming a code: who may, in which order it is asked, and what a stranger learns (§4.1.3, RFC 7636 §4.6).

use crate::common::{
    CALLBACK, CHALLENGE, NOW, VERIFIER, caller_of, client, form, id, millis, params, pending,
    public_client, seconds, tenant,
};
use jeton_protocol::client::{Client, GrantType};
use jeton_protocol::grant::PendingGrant;
use jeton_protocol::grants::authorization_code::{self as rules, CodeDecision, CodeRequest};
use jeton_protocol::grants::{self, GrantRequest};
use jeton_protocol::refusal::{ErrorCode, Refusal, Rule, Trail};
use jeton_protocol::standing;
use jeton_token::timestamp::Timestamp;

const GOOD: [(&str, &str); 4] = [
    ("grant_type", "authorization_code"),
    ("code", "jtc_x"),
    ("redirect_uri", CALLBACK),
    ("code_verifier", VERIFIER),
];

fn body(changes: &[(&str, &str)]) -> String {
    let mut pairs = GOOD.to_vec();
    for (name, value) in changes {
        pairs.retain(|(known, _)| known != name);
        pairs.push((name, value));
    }
    form(&pairs)
}

fn parse(client: Client, changes: &[(&str, &str)]) -> Result<GrantRequest, Refusal> {
    let body = body(changes);
    GrantRequest::parse(&params(&body), &caller_of(client), &mut Trail::off())
}

fn code_request(changes: &[(&str, &str)]) -> CodeRequest {
    let request = parse(client(), changes).unwrap();
    let GrantRequest::AuthorizationCode(request) = request else {
        panic!("{request:?}");
    };
    request
}

fn decide_at(
    now: Timestamp,
    (pending, is_cut): (&PendingGrant, bool),
    caller: Client,
    changes: &[(&str, &str)],
) -> Result<CodeDecision, Refusal> {
    rules::decide(
        (pending, is_cut),
        &code_request(changes),
        (&caller_of(caller), &tenant()),
        now,
        &mut Trail::off(),
    )
}

fn decide(pending: &PendingGrant, changes: &[(&str, &str)]) -> Result<CodeDecision, Refusal> {
    decide_at(NOW, (pending, false), client(), changes)
}

fn refused(pending: &PendingGrant, changes: &[(&str, &str)]) -> &'static Rule {
    decide(pending, changes).unwrap_err().rule
}

#[test]
fn the_grant_type_is_needed_known_and_registered() {
    // S02, S06, S25, SEC-112
    let rule = |client, kind| parse(client, &[("grant_type", kind)]).unwrap_err().rule;
    assert_eq!(*rule(client(), ""), grants::GRANT_TYPE_SENT);
    for unknown in [
        "password",
        "implicit",
        "Authorization_Code",
        "authorization_code ",
        "device_code",
        "urn:example:unheard-of",
    ] {
        let found = rule(client(), unknown);
        assert_eq!(*found, grants::GRANT_TYPE_KNOWN, "{unknown}");
        assert_eq!(found.code, ErrorCode::UnsupportedGrantType);
    }
    for only in GrantType::ALL {
        let mut client = client();
        client.grant_types = vec![only];
        for other in GrantType::ALL.into_iter().filter(|other| *other != only) {
            let found = rule(client.clone(), other.name());
            assert_eq!(*found, grants::GRANT_TYPE_REGISTERED, "{only:?} {other:?}");
            assert_eq!(found.code, ErrorCode::UnauthorizedClient);
        }
    }
}

#[test]
fn each_grant_type_is_read_as_itself() {
    for (kind, more) in [
        (GrantType::AuthorizationCode, ("code", "c")),
        (GrantType::RefreshToken, ("refresh_token", "r")),
        (GrantType::ClientCredentials, ("scope", "read")),
    ] {
        let request = parse(client(), &[("grant_type", kind.name()), more]).unwrap();
        assert_eq!(request.grant_type(), kind);
        assert_eq!(GrantType::parse(kind.name()), Some(kind));
    }
}

#[test]
fn a_code_is_needed() {
    let refusal = parse(client(), &[("code", "")]).unwrap_err();
    assert_eq!(*refusal.rule, rules::CODE_SENT);
}

#[test]
fn the_owner_of_a_fresh_code_gets_tokens() {
    for caller in [client(), public_client()] {
        let decision = decide_at(NOW, (&pending(), false), caller, &[]).unwrap();
        assert!(matches!(decision, CodeDecision::Issue(_)));
    }
}

#[test]
fn a_refresh_token_comes_only_to_clients_registered_for_it() {
    // P-180
    let mut without = client();
    without.grant_types = vec![GrantType::AuthorizationCode];
    for (caller, expected) in [(client(), true), (without, false)] {
        let CodeDecision::Issue(issuance) =
            decide_at(NOW, (&pending(), false), caller, &[]).unwrap()
        else {
            panic!("not issued");
        };
        assert_eq!(issuance.issues_refresh_token(), expected);
    }
}

#[test]
fn another_client_learns_nothing_not_even_that_the_code_exists() {
    // P-161, SEC-010, SEC-135, S31: every state of the code gives the same answer, that of an unknown code.
    let mut states = vec![pending()];
    states.push(PendingGrant {
        redeemed_at: Some(NOW),
        ..pending()
    });
    states.push(PendingGrant {
        code_expires_at: NOW.minus(seconds(1)),
        ..pending()
    });
    let mut revoked = pending();
    revoked.state.revoked_at = Some(NOW);
    states.push(revoked);
    for pending in &states {
        for mut stranger in [client(), public_client()] {
            stranger.id = id("stranger");
            for changes in [
                &[][..],
                &[("code_verifier", "x".repeat(43).as_str())],
                &[("redirect_uri", "https://evil.example/")],
            ] {
                let refusal =
                    decide_at(NOW, (pending, true), stranger.clone(), changes).unwrap_err();
                assert_eq!(*refusal.rule, rules::CODE_OF_CLIENT);
                assert_eq!(refusal.rule.told, rules::CODE_KNOWN.told);
                assert_eq!(refusal.rule.code, rules::CODE_KNOWN.code);
            }
        }
    }
}

#[test]
fn redirect_uri_is_repeated_byte_for_byte() {
    // P-160
    for wrong in [
        "",
        "https://app.example/cb/",
        "https://app.example/CB",
        "https://app.example/c",
        "https://app.example/cb?",
        "https://evil.example/",
    ] {
        assert_eq!(
            *refused(&pending(), &[("redirect_uri", wrong)]),
            rules::REDIRECT_URI_REPEATED,
            "{wrong}"
        );
    }
    let mut unsent = pending();
    unsent.grant.code.redirect_uri_sent = false;
    assert!(decide(&unsent, &[("redirect_uri", "")]).is_ok());
    assert_eq!(
        *refused(&unsent, &[("redirect_uri", "https://evil.example/")]),
        rules::REDIRECT_URI_REPEATED
    );
}

#[test]
fn who_cannot_prove_possession_never_learns_the_state_of_the_code() {
    // SEC-135: spent, expired, revoked or cut, the answer is about the proof alone.
    let mut dead = pending();
    dead.redeemed_at = Some(NOW.minus(seconds(1)));
    dead.code_expires_at = NOW.minus(seconds(1));
    dead.state.revoked_at = Some(NOW);
    dead.state.user_gone = true;
    let rule = |changes: &[(&str, &str)]| {
        decide_at(NOW, (&dead, true), client(), changes)
            .unwrap_err()
            .rule
    };
    assert_eq!(
        *rule(&[("redirect_uri", "https://evil.example/")]),
        rules::REDIRECT_URI_REPEATED
    );
    assert_eq!(*rule(&[("code_verifier", "")]), rules::VERIFIER_SENT);
    assert_eq!(
        *rule(&[("code_verifier", &"x".repeat(43))]),
        rules::VERIFIER_MATCHES
    );
}

#[test]
fn a_spent_code_is_a_replay_before_it_is_late_or_revoked() {
    // P-162…164, SEC-134: the write that revokes must come, whatever else became of the grant.
    let mut spent = pending();
    spent.redeemed_at = Some(NOW.minus(seconds(30)));
    spent.code_expires_at = NOW.minus(seconds(1));
    spent.state.revoked_at = Some(NOW);
    let decision = decide_at(NOW, (&spent, true), client(), &[]).unwrap();
    assert!(matches!(decision, CodeDecision::Replayed));
}

#[test]
fn a_code_dies_at_its_exact_end() {
    // P-165, SEC-113
    let end = pending().code_expires_at;
    let at = |now| decide_at(now, (&pending(), false), client(), &[]);
    assert!(at(end.minus(millis(1))).is_ok());
    for late in [end, end.plus(millis(1)), end.plus(seconds(3600))] {
        let refusal = at(late).unwrap_err();
        assert_eq!(*refusal.rule, rules::CODE_FRESH);
        assert_eq!(refusal.code(), ErrorCode::InvalidGrant);
    }
}

#[test]
fn the_gate_is_asked_last_and_always() {
    // SEC-R02, SEC-030
    let mut stopped = pending();
    stopped.state.user_disabled_at = Some(NOW);
    assert_eq!(*refused(&stopped, &[]), standing::USER_ENABLED);
    let refusal = decide_at(NOW, (&pending(), true), client(), &[]).unwrap_err();
    assert_eq!(*refusal.rule, standing::NOT_CUT);
    let late = PendingGrant {
        code_expires_at: NOW,
        ..stopped
    };
    assert_eq!(*refused(&late, &[]), rules::CODE_FRESH);
}

#[test]
fn a_code_without_challenge_takes_no_verifier() {
    // SEC-132, RFC 9700 §4.8.2
    let mut bare = pending();
    bare.grant.code.code_challenge = None;
    assert_eq!(*refused(&bare, &[]), rules::VERIFIER_UNASKED);
    assert!(decide(&bare, &[("code_verifier", "")]).is_ok());
}

#[test]
fn the_passed_checks_are_told_in_order() {
    let mut trail = Trail::watched();
    rules::decide(
        (&pending(), false),
        &code_request(&[]),
        (&caller_of(client()), &tenant()),
        NOW,
        &mut trail,
    )
    .unwrap();
    let passed: Vec<_> = trail.passed().iter().map(|rule| rule.cause).collect();
    assert_eq!(
        passed,
        [
            "code_of_another_client",
            "code_redirect_uri",
            "code_verifier_mismatch",
            "code_expired",
            "user_disabled",
            "session_ended",
            "grant_revoked",
            "grant_expired",
            "cut",
        ]
    );
}

#[test]
fn a_malformed_verifier_is_an_invalid_request_and_a_wrong_one_an_invalid_grant() {
    // P-166, SEC-132
    for malformed in [
        "x".repeat(42),
        "x".repeat(129),
        format!("{}+", "x".repeat(43)),
        format!("{}=", "x".repeat(43)),
        format!("{} ", "x".repeat(43)),
        "ü".repeat(43),
    ] {
        let refusal = parse(client(), &[("code_verifier", &malformed)]).unwrap_err();
        assert_eq!(*refusal.rule, rules::VERIFIER_WELL_FORMED, "{malformed}");
        assert_eq!(refusal.code(), ErrorCode::InvalidRequest);
    }
    let longest = "x".repeat(128);
    for wrong in [
        CHALLENGE,
        &VERIFIER.to_uppercase(),
        &format!("{VERIFIER}x"),
        &longest,
    ] {
        let refusal = decide(&pending(), &[("code_verifier", wrong)]).unwrap_err();
        assert_eq!(*refusal.rule, rules::VERIFIER_MATCHES, "{wrong}");
        assert_eq!(refusal.code(), ErrorCode::InvalidGrant);
    }
}
