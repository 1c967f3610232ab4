//! What a poll is answered (§3.5), and in which order it is asked.

use crate::common::{
    CLIENT, NOW, caller_of, client, form, id, params, pending, scope, seconds, tenant,
};
use jeton_protocol::client::{Client, GrantType};
use jeton_protocol::device::{Device, INTERVAL, WaitingDevice};
use jeton_protocol::grant::{CodeBinding, Grant, GrantState, PendingGrant};
use jeton_protocol::grants::device_code::{self as rules, DeviceDecision, Polled};
use jeton_protocol::grants::{self, GrantRequest};
use jeton_protocol::refusal::{ErrorCode, Refusal, Rule, Trail};
use jeton_protocol::standing;
use jeton_token::timestamp::Timestamp;

fn device() -> WaitingDevice {
    let started = NOW.minus(seconds(60));
    WaitingDevice {
        device: Device {
            id: crate::common::row(1),
            client: id(CLIENT),
            scope: scope("openid read"),
            address: "192.0.2.1".to_owned(),
            created_at: started,
            expires_at: started.plus(seconds(600)),
        },
        interval: INTERVAL,
        approved_at: None,
        denied_at: None,
    }
}

/// As an approval makes it: nothing of a redirect.
fn approved() -> PendingGrant {
    let before = pending();
    PendingGrant {
        grant: Grant {
            code: CodeBinding::default(),
            ..before.grant
        },
        code_expires_at: device().device.expires_at,
        ..before
    }
}

fn waiting(device: &WaitingDevice) -> Polled<'_> {
    Polled {
        device: Some(device),
        grant: None,
        too_soon: false,
    }
}

fn of(grant: &PendingGrant) -> Polled<'_> {
    Polled {
        device: None,
        grant: Some((grant, false)),
        too_soon: false,
    }
}

fn decide_at(
    now: Timestamp,
    polled: Polled<'_>,
    caller: Client,
) -> Result<DeviceDecision, Refusal> {
    let caller = caller_of(caller);
    rules::decide(polled, (&caller, &tenant()), now, &mut Trail::off())
}

#[track_caller]
fn refused(polled: Polled<'_>, rule: &Rule, code: ErrorCode) {
    let refusal = decide_at(NOW, polled, client()).unwrap_err();
    assert_eq!((refusal.rule, refusal.code()), (rule, code));
}

fn other() -> Client {
    Client {
        id: id("other"),
        ..client()
    }
}

#[test]
fn the_request_needs_a_device_code_and_a_client_registered_for_the_grant() {
    // SEC-460
    let parse = |client: Client, code: &str| {
        let body = form(&[
            ("grant_type", GrantType::DeviceCode.name()),
            ("device_code", code),
        ]);
        GrantRequest::parse(&params(&body), &caller_of(client), &mut Trail::off())
    };
    assert!(matches!(
        parse(client(), "jtd_x"),
        Ok(GrantRequest::DeviceCode(request)) if request.device_code == "jtd_x"
    ));
    let missing = parse(client(), "").unwrap_err();
    assert_eq!(missing.rule, &rules::DEVICE_CODE_SENT);
    let unregistered = Client {
        grant_types: vec![GrantType::AuthorizationCode],
        ..client()
    };
    let refused = parse(unregistered, "jtd_x").unwrap_err();
    assert_eq!(refused.rule, &grants::GRANT_TYPE_REGISTERED);
}

#[test]
fn a_device_waits_until_it_is_answered() {
    // SEC-154
    refused(
        waiting(&device()),
        &rules::DEVICE_ANSWERED,
        ErrorCode::AuthorizationPending,
    );
}

#[test]
fn a_poll_that_comes_too_soon_slows_the_device_down() {
    // SEC-154
    let device = device();
    let hasty = Polled {
        too_soon: true,
        ..waiting(&device)
    };
    let decision = decide_at(NOW, hasty, client()).unwrap();
    assert!(matches!(decision, DeviceDecision::TooFast));
    assert_eq!(rules::too_fast(&device).code(), ErrorCode::SlowDown);
}

#[test]
fn a_refusal_is_told_as_long_as_the_device_is_known() {
    // SEC-154
    let denied = WaitingDevice {
        denied_at: Some(NOW),
        ..device()
    };
    refused(
        waiting(&denied),
        &rules::DEVICE_APPROVED,
        ErrorCode::AccessDenied,
    );
    let hasty = Polled {
        too_soon: true,
        ..waiting(&denied)
    };
    refused(hasty, &rules::DEVICE_APPROVED, ErrorCode::AccessDenied);
    let late = denied.device.expires_at;
    let refusal = decide_at(late, waiting(&denied), client()).unwrap_err();
    assert_eq!(refusal.rule, &rules::DEVICE_APPROVED);
}

#[test]
fn an_expired_code_is_told_apart_whether_its_row_is_there_or_gone() {
    // SEC-154, SEC-461
    let device = device();
    let last = device.device.expires_at.minus(seconds(1));
    let pending = decide_at(last, waiting(&device), client()).unwrap_err();
    assert_eq!(pending.rule, &rules::DEVICE_ANSWERED);
    let expired = decide_at(device.device.expires_at, waiting(&device), client()).unwrap_err();
    assert_eq!(expired.rule, &rules::DEVICE_CODE_FRESH);
    assert_eq!(expired.code(), ErrorCode::ExpiredToken);
    let swept = Polled {
        device: None,
        grant: None,
        too_soon: false,
    };
    refused(swept, &rules::DEVICE_CODE_FRESH, ErrorCode::ExpiredToken);
    let late = decide_at(device.device.expires_at, of(&approved()), client()).unwrap_err();
    assert_eq!(late.rule, &rules::DEVICE_CODE_FRESH);
}

#[test]
fn an_approved_device_gets_tokens_however_soon_it_asks() {
    let (device, approved) = (device(), approved());
    let polled = Polled {
        device: Some(&device),
        grant: Some((&approved, false)),
        too_soon: true,
    };
    let DeviceDecision::Issue(issuance) = decide_at(NOW, polled, client()).unwrap() else {
        panic!("no tokens");
    };
    assert!(issuance.issues_refresh_token());
}

#[test]
fn another_client_learns_nothing_about_the_code_in_any_state() {
    // SEC-154
    let (waits, approved) = (device(), approved());
    let denied = WaitingDevice {
        denied_at: Some(NOW),
        ..device()
    };
    let spent = PendingGrant {
        redeemed_at: Some(NOW),
        ..approved.clone()
    };
    for polled in [waiting(&waits), waiting(&denied), of(&approved), of(&spent)] {
        let refusal = decide_at(NOW, polled, other()).unwrap_err();
        assert_eq!(refusal.rule, &rules::DEVICE_CODE_OF_CLIENT);
        assert_eq!(refusal.code(), ErrorCode::InvalidGrant);
        let unknown = rules::unknown("nothing");
        assert_eq!(refusal.rule.told, unknown.rule.told);
    }
}

#[test]
fn a_second_use_goes_on_to_the_write_that_revokes() {
    // SEC-300
    let spent = PendingGrant {
        redeemed_at: Some(NOW),
        ..approved()
    };
    let decision = decide_at(NOW, of(&spent), client()).unwrap();
    assert!(matches!(decision, DeviceDecision::Replayed));
}

#[test]
fn the_gate_is_asked_for_a_device_as_for_everybody() {
    let revoked = PendingGrant {
        state: GrantState {
            revoked_at: Some(NOW),
            ..GrantState::default()
        },
        ..approved()
    };
    let refusal = decide_at(NOW, of(&revoked), client()).unwrap_err();
    assert_eq!(refusal.rule, &standing::GRANT_STANDS);
    let fine = approved();
    let cut = Polled {
        grant: Some((&fine, true)),
        ..of(&fine)
    };
    let refusal = decide_at(NOW, cut, client()).unwrap_err();
    assert_eq!(refusal.rule, &standing::NOT_CUT);
}
