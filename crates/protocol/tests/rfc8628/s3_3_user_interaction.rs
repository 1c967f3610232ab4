//! What comes next at the verification page (§3.3): sign-in, code, answer, in this order.

use crate::common::{NOW, row, seconds, session};
use jeton_protocol::device::{DeviceStep, DeviceVisit, next_step};
use jeton_protocol::interaction::{InteractionRequest, Progress, SignedIn};
use jeton_protocol::refusal::Trail;
use jeton_protocol::session::Session;

fn step(visit: &DeviceVisit, session: Option<&Session>, progress: &Progress) -> DeviceStep {
    let who = (session, progress);
    next_step(visit, who, seconds(600), NOW, &mut Trail::off())
}

fn entered() -> DeviceVisit {
    DeviceVisit {
        offered: None,
        device: Some(row(9)),
    }
}

#[test]
fn nobody_enters_a_code_before_signing_in() {
    // SEC-153
    let (nothing, nobody) = (DeviceVisit::default(), Progress::default());
    assert_eq!(step(&nothing, None, &nobody), DeviceStep::LogIn);
    assert_eq!(
        step(&nothing, Some(&session()), &nobody),
        DeviceStep::AskUserCode
    );
    assert_eq!(
        step(&entered(), Some(&session()), &nobody),
        DeviceStep::Confirm(row(9))
    );
    assert_eq!(step(&entered(), None, &nobody), DeviceStep::LogIn);
}

#[test]
fn a_code_in_the_address_is_no_code_that_was_entered() {
    // SEC-152
    let offered = DeviceVisit {
        offered: Some("BCDF-GHJK".to_owned()),
        device: None,
    };
    assert_eq!(
        step(&offered, Some(&session()), &Progress::default()),
        DeviceStep::AskUserCode
    );
}

#[test]
fn a_sign_in_that_is_too_old_is_repeated_and_one_made_here_is_not() {
    // SEC-152
    let old = |age| Session {
        auth_time: NOW.minus(seconds(age)),
        ..session()
    };
    let nobody = Progress::default();
    assert_eq!(
        step(&entered(), Some(&old(600)), &nobody),
        DeviceStep::Confirm(row(9))
    );
    assert_eq!(
        step(&entered(), Some(&old(601)), &nobody),
        DeviceStep::LogIn
    );
    let here = |session| Progress {
        signed_in: Some(SignedIn {
            session,
            at: NOW.minus(seconds(601)),
        }),
        ..Progress::default()
    };
    assert_eq!(
        step(&entered(), Some(&old(601)), &here(session().id)),
        DeviceStep::Confirm(row(9))
    );
    assert_eq!(
        step(&entered(), Some(&old(601)), &here(row(8))),
        DeviceStep::LogIn
    );
}

#[test]
fn whoever_goes_away_from_the_sign_in_is_asked_nothing_more() {
    let gone = Progress {
        denied: true,
        ..Progress::default()
    };
    assert_eq!(step(&entered(), Some(&session()), &gone), DeviceStep::Leave);
}

#[test]
fn a_visit_is_stored_as_itself_and_never_read_out_of_something_else() {
    let visit = InteractionRequest::Device(entered());
    let text = serde_json::to_string(&visit).unwrap();
    assert_eq!(
        serde_json::from_str::<InteractionRequest>(&text).unwrap(),
        visit
    );
    let damaged = r#"{"client_id":"app","scope":"openid"}"#;
    assert!(serde_json::from_str::<InteractionRequest>(damaged).is_err());
}
