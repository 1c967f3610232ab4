//! Polling with a device code (RFC 8628 §3.4, §3.5). A poll that finds nothing new reads one row and writes none, but for the
//! DPoP proof it may carry.

use super::authorization_code::add_user_claims;
use crate::ambient::Ambient;
use crate::app::App;
use crate::http::denied::Denied;
use crate::http::exchange::Exchange;
use jeton_protocol::caller::Caller;
use jeton_protocol::device::{DeviceId, WaitingDevice};
use jeton_protocol::grant::{Grant, PendingGrant};
use jeton_protocol::grants::device_code::{
    self as rules, DEVICE_CODE_KNOWN, DEVICE_CODE_UNSPENT, DeviceCodeRequest, DeviceDecision,
    Polled,
};
use jeton_protocol::issue::{self, TokenResponse};
use jeton_protocol::refusal::{Refusal, Trail};
use jeton_store::grants::{Redeemed, Redemption};
use jeton_token::handle::HandleKind;
use jeton_token::timestamp::Timestamp;

pub async fn poll(
    app: &App,
    exchange: &Exchange,
    caller: &Caller,
    request: &DeviceCodeRequest,
    (ambient, trail): (&mut Ambient, &mut Trail),
) -> Result<TokenResponse, Denied> {
    let state = &exchange.tenant;
    let tenant = &state.tenant;
    let now = ambient.now;

    // Load.
    let (id, device, pending) = find(app, exchange, request).await?;
    trail.pass(&DEVICE_CODE_KNOWN);

    // Decide.
    let is_cut = match &pending {
        Some(pending) => app.is_grant_cut(exchange, &pending.grant, now).await?,
        None => false,
    };
    let polled = Polled {
        device: device.as_ref(),
        grant: pending.as_ref().map(|pending| (pending, is_cut)),
        too_soon: too_soon(app, exchange, caller, device.as_ref(), now),
    };
    let decision = rules::decide(polled, (caller, tenant), now, trail)?;

    // Mint.
    let (response, refresh_expires_at) = match decision {
        DeviceDecision::TooFast => return Err(slow_down(app, exchange, device.as_ref()).await),
        DeviceDecision::Replayed => (None, None),
        DeviceDecision::Issue(mut issuance) => {
            if let Some(pending) = &pending {
                add_user_claims(app, exchange, pending, &mut issuance).await?;
            }
            let response =
                issue::mint(&issuance, tenant, &state.ring(), &mut ambient.entropy, now)?;
            let idle = now.plus(tenant.policy.lifetimes.refresh_idle);
            (
                Some(response),
                issuance.issues_refresh_token().then_some(idle),
            )
        }
    };

    // Commit.
    let bound = pending.as_ref().zip(caller.refresh_key());
    let redemption = Redemption {
        grant: id,
        refresh_expires_at,
        bound: bound.map(|(pending, key)| Grant {
            binding: Some(key),
            ..pending.grant.clone()
        }),
        occasion: exchange.occasion(caller.client().id.as_str(), ambient),
    };
    let redeemed = app.store.redeem_code(state.id(), redemption).await?;
    match (redeemed, response) {
        (Redeemed::Issued, Some(response)) => {
            trail.pass(&DEVICE_CODE_UNSPENT);
            Ok(response)
        }
        (Redeemed::Gone, _) => Err(rules::unknown("a device code whose grant is gone").into()),
        (Redeemed::Replayed, _) | (Redeemed::Issued, None) => Err(Refusal::new(
            &DEVICE_CODE_UNSPENT,
            "the first use",
            "another use; the grant is revoked",
        )
        .into()),
    }
}

type Found = (DeviceId, Option<WaitingDevice>, Option<PendingGrant>);

/// What the code names. The grant is looked for once the device has been approved, or its row is gone.
async fn find(
    app: &App,
    exchange: &Exchange,
    request: &DeviceCodeRequest,
) -> Result<Found, Denied> {
    let state = &exchange.tenant;
    let handle = state
        .open_handle(app, HandleKind::DeviceCode, &request.device_code)
        .await;
    let id = handle
        .map_err(|error| rules::unknown(error.to_string()))?
        .row;
    let device = app.store.device(state.id(), id).await?;
    let unanswered = device
        .as_ref()
        .is_some_and(|device| device.approved_at.is_none());
    let pending = if unanswered {
        None
    } else {
        app.store.pending_grant(state.id(), id).await?
    };
    Ok((id, device, pending))
}

/// Only the polls of the device's own client count, and only while there is something to wait for.
fn too_soon(
    app: &App,
    exchange: &Exchange,
    caller: &Caller,
    device: Option<&WaitingDevice>,
    now: Timestamp,
) -> bool {
    let own =
        |device: &&WaitingDevice| device.device.client == caller.client().id && device.waits(now);
    device
        .filter(own)
        .is_some_and(|device| app.throttle.polls_too_soon(exchange, device, now))
}

/// Makes the interval longer for good, as long as it can grow, and says so.
async fn slow_down(app: &App, exchange: &Exchange, device: Option<&WaitingDevice>) -> Denied {
    let Some(device) = device else {
        return rules::unknown("a device that is gone").into();
    };
    if device.slowed() > device.interval
        && let Err(error) = app
            .store
            .slow_device(exchange.tenant.id(), device.device.id)
            .await
    {
        return error.into();
    }
    rules::too_fast(device).into()
}
