//! The next step: `prompt`, `max_age`, hints and consent, judged in one place (§3.1.2.1 to §3.1.2.6).

use crate::common::{NOW, authorize, client, millis, row, scope, seconds, session, user};
use jeton_protocol::authorize::request::{AuthorizationRequest, Prompt};
use jeton_protocol::authorize::step::{self as rules, Situation, Step, next_step};
use jeton_protocol::claims::ClaimsRequest;
use jeton_protocol::client::Client;
use jeton_protocol::consent::Consent;
use jeton_protocol::interaction::{Approval, Progress, SignedIn};
use jeton_protocol::refusal::{ErrorCode, Rule, Trail};
use jeton_protocol::session::{ACR_PASSWORD, Session};

/// A situation that owns its parts; by default somebody is signed in and nothing was consented to.
struct Given {
    request: AuthorizationRequest,
    client: Client,
    session: Option<Session>,
    consent: Option<Consent>,
    progress: Progress,
}

fn given(prompt: &[Prompt]) -> Given {
    let mut request = authorize(&[("scope", "openid read")]).unwrap();
    request.prompt = prompt.to_vec();
    Given {
        request,
        client: client(),
        session: Some(session()),
        consent: None,
        progress: Progress::default(),
    }
}

fn consented(text: &str) -> Option<Consent> {
    Some(Consent {
        scope: scope(text),
        given_at: NOW,
    })
}

fn signed_in() -> Progress {
    Progress {
        signed_in: Some(SignedIn {
            session: session().id,
            at: NOW,
        }),
        ..Progress::default()
    }
}

fn approved(by: u8, text: &str) -> Option<Approval> {
    Some(Approval {
        session: row(by),
        scope: scope(text),
    })
}

impl Given {
    fn step(&self) -> Step {
        let situation = Situation {
            request: &self.request,
            client: &self.client,
            session: self.session.as_ref(),
            consent: self.consent.as_ref(),
            progress: &self.progress,
        };
        next_step(situation, NOW, &mut Trail::off())
    }

    fn refused(&self) -> &'static Rule {
        let step = self.step();
        let Step::Refuse(refusal) = step else {
            panic!("{step:?}");
        };
        refusal.rule
    }
}

fn asked() -> Step {
    Step::AskConsent(scope("openid read"))
}

fn finished() -> Step {
    Step::Finish(scope("openid read"))
}

#[test]
fn without_a_session_the_user_signs_in() {
    for prompt in [
        &[][..],
        &[Prompt::Login],
        &[Prompt::Consent],
        &[Prompt::SelectAccount],
    ] {
        let given = Given {
            session: None,
            ..given(prompt)
        };
        assert_eq!(given.step(), Step::LogIn, "{prompt:?}");
    }
}

#[test]
fn with_a_session_the_user_is_asked_once_and_remembered() {
    // P-100
    assert_eq!(given(&[]).step(), asked());
    for (remembered, step) in [
        ("openid read", finished()),
        ("openid read write", finished()),
        ("openid", asked()),
        ("write", asked()),
        ("", asked()),
    ] {
        let given = Given {
            consent: consented(remembered),
            ..given(&[])
        };
        assert_eq!(given.step(), step, "{remembered}");
    }
}

#[test]
fn nobody_is_asked_about_the_operators_own_application_unless_it_asks() {
    let mut own = given(&[]);
    own.client.first_party = true;
    assert_eq!(own.step(), finished());
    own.request.prompt = vec![Prompt::Consent];
    assert_eq!(own.step(), asked());
}

#[test]
fn prompt_none_answers_at_once_and_never_with_a_page() {
    // P-89, P-90, S47
    let silent = &[Prompt::None];
    let nobody = Given {
        session: None,
        ..given(silent)
    };
    assert_eq!(*nobody.refused(), rules::SIGNED_IN);
    assert_eq!(nobody.refused().code, ErrorCode::LoginRequired);
    assert_eq!(*given(silent).refused(), rules::CONSENTED);
    assert_eq!(given(silent).refused().code, ErrorCode::ConsentRequired);
    let known = Given {
        consent: consented("openid read"),
        ..given(silent)
    };
    assert_eq!(known.step(), finished());
    let narrower = Given {
        consent: consented("openid"),
        ..given(silent)
    };
    assert_eq!(*narrower.refused(), rules::CONSENTED);
}

#[test]
fn prompt_login_and_select_account_ask_anew_until_it_happened_here() {
    // P-93, SEC-115
    for prompt in [Prompt::Login, Prompt::SelectAccount] {
        let mut given = Given {
            consent: consented("openid read"),
            ..given(&[prompt])
        };
        assert_eq!(given.step(), Step::LogIn);
        given.session.as_mut().unwrap().auth_time = NOW;
        assert_eq!(
            given.step(),
            Step::LogIn,
            "however fresh, it was not asked for here"
        );
        given.progress = signed_in();
        assert_eq!(given.step(), finished());
        given.session.as_mut().unwrap().id = row(9);
        assert_eq!(given.step(), Step::LogIn, "another session signed in here");
    }
}

#[test]
fn prompt_consent_asks_though_consent_is_remembered() {
    // P-94, SEC-151
    let mut given = Given {
        consent: consented("openid read write"),
        ..given(&[Prompt::Consent])
    };
    assert_eq!(given.step(), asked());
    given.progress.approved = approved(3, "openid read");
    assert_eq!(given.step(), finished());
}

#[test]
fn prompts_combine() {
    let mut given = given(&[Prompt::Login, Prompt::Consent]);
    given.consent = consented("openid read");
    assert_eq!(given.step(), Step::LogIn);
    given.progress = signed_in();
    assert_eq!(given.step(), asked());
    given.progress.approved = approved(3, "openid read");
    assert_eq!(given.step(), finished());
}

#[test]
fn max_age_counts_from_the_real_sign_in_to_the_millisecond() {
    // P-95, P-96, SEC-115
    let at = |age, max_age| {
        let mut given = Given {
            consent: consented("openid read"),
            ..given(&[])
        };
        given.session.as_mut().unwrap().auth_time = NOW.minus(age);
        given.request.max_age = Some(max_age);
        given.step()
    };
    assert_eq!(at(seconds(60), 60), finished());
    assert_eq!(
        at(seconds(60).checked_add(millis(1)).unwrap(), 60),
        Step::LogIn
    );
    assert_eq!(at(seconds(60), 1), Step::LogIn);
    assert_eq!(at(seconds(60), 1_000_000), finished());
    assert_eq!(at(millis(1), 0), Step::LogIn);
}

#[test]
fn max_age_zero_is_met_by_signing_in_here() {
    // SEC-115
    let mut given = Given {
        consent: consented("openid read"),
        ..given(&[])
    };
    given.request.max_age = Some(0);
    assert_eq!(given.step(), Step::LogIn);
    given.progress = signed_in();
    assert_eq!(given.step(), finished());
    given.request.prompt = vec![Prompt::None];
    given.progress = Progress::default();
    assert_eq!(*given.refused(), rules::SIGNED_IN);
}

#[test]
fn the_hinted_user_is_the_one_who_gets_in() {
    // P-88, P-91, SEC-116
    let mut given = Given {
        consent: consented("openid read"),
        ..given(&[])
    };
    given.request.hinted_subject = Some(user().subject());
    assert_eq!(given.step(), finished());
    given.request.prompt = vec![Prompt::None];
    assert_eq!(given.step(), finished());
    given.session = None;
    assert_eq!(
        *given.refused(),
        rules::SIGNED_IN,
        "a hint never signs anybody in"
    );
}

#[test]
fn another_user_than_the_hinted_one_signs_in_once_and_is_then_refused() {
    // P-88, SEC-116
    let mut given = Given {
        consent: consented("openid read"),
        ..given(&[])
    };
    given.request.hinted_subject = Some(row(7).to_string());
    assert_eq!(given.step(), Step::LogIn);
    given.progress = signed_in();
    assert_eq!(*given.refused(), rules::HINTED_USER);
    assert_eq!(given.refused().code, ErrorCode::LoginRequired);
    given.progress = Progress::default();
    given.request.prompt = vec![Prompt::None];
    assert_eq!(*given.refused(), rules::HINTED_USER);
}

#[test]
fn a_user_who_says_no_is_heard_whatever_else_holds() {
    // P-101
    for prompt in [
        &[][..],
        &[Prompt::None],
        &[Prompt::Login],
        &[Prompt::Consent],
    ] {
        let mut given = Given {
            consent: consented("openid read"),
            ..given(prompt)
        };
        given.progress = Progress {
            denied: true,
            approved: approved(3, "openid read"),
            ..signed_in()
        };
        assert_eq!(*given.refused(), rules::APPROVED);
        assert_eq!(given.refused().code, ErrorCode::AccessDenied);
        given.session = None;
        assert_eq!(*given.refused(), rules::APPROVED);
    }
}

#[test]
fn named_claims_need_the_consent_of_their_scope() {
    // P-260, Core §3.1.2.4
    let asking = |consent: &str| {
        let mut given = given(&[]);
        given.request.claims = ClaimsRequest::parse(r#"{"id_token":{"email":null}}"#);
        given.consent = consented(consent);
        given
    };
    let all = scope("openid read email");
    assert_eq!(asking("openid read").step(), Step::AskConsent(all.clone()));
    assert_eq!(asking("openid read email").step(), Step::Finish(all));
    let mut silent = asking("openid read");
    silent.request.prompt = vec![Prompt::None];
    assert_eq!(*silent.refused(), rules::CONSENTED);
    silent.progress.approved = approved(3, "openid read");
    assert_eq!(silent.step(), finished());
}

#[test]
fn the_user_may_drop_scopes_and_never_adds_any() {
    // S22, SEC-141
    for (left, granted) in [
        ("openid", "openid"),
        ("openid read", "openid read"),
        ("openid read write secret.admin", "openid read"),
    ] {
        let mut given = given(&[]);
        given.progress.approved = approved(3, left);
        assert_eq!(given.step(), Step::Finish(scope(granted)));
    }
}

#[test]
fn an_approval_is_good_for_the_session_that_gave_it_and_no_other() {
    // SEC-014, SEC-R05: who signs in afterwards in the same browser is asked themselves.
    let mut given = given(&[]);
    given.progress.approved = approved(8, "openid read");
    assert_eq!(given.step(), asked());
    given.request.prompt = vec![Prompt::None];
    assert_eq!(*given.refused(), rules::CONSENTED);
}

#[test]
fn an_essential_acr_that_was_not_reached_ends_the_request() {
    // P-82, SEC-115, Core §5.5.1.1
    let asking = |values: &[&str]| {
        let mut given = Given {
            consent: consented("openid read"),
            ..given(&[])
        };
        given.request.claims = Some(ClaimsRequest {
            essential_acr: values.iter().map(|value| (*value).to_owned()).collect(),
            ..ClaimsRequest::default()
        });
        given
    };
    assert_eq!(asking(&[]).step(), finished());
    assert_eq!(asking(&[ACR_PASSWORD]).step(), finished());
    assert_eq!(asking(&["urn:x", ACR_PASSWORD]).step(), finished());
    let refused = asking(&["urn:x"]).refused();
    assert_eq!(*refused, rules::ACR_MET);
    assert_eq!(refused.code, ErrorCode::UnmetAuthenticationRequirements);
    let nobody = Given {
        session: None,
        ..asking(&["urn:x"])
    };
    assert_eq!(nobody.step(), Step::LogIn);
}
