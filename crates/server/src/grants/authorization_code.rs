//! Redeeming a code (RFC 6749 §4.1.3).

use crate::ambient::Ambient;
use crate::app::App;
use crate::http::denied::Denied;
use crate::http::exchange::Exchange;
use jeton_protocol::caller::Caller;
use jeton_protocol::grant::{Grant, PendingGrant};
use jeton_protocol::grants::authorization_code::{
    self as rules, CODE_KNOWN, CODE_UNSPENT, CodeDecision, CodeRequest,
};
use jeton_protocol::issue::{self, Issuance, TokenResponse};
use jeton_protocol::refusal::{Refusal, Trail};
use jeton_store::grants::{Redeemed, Redemption};
use jeton_token::handle::HandleKind;

pub async fn redeem(
    app: &App,
    exchange: &Exchange,
    caller: &Caller,
    request: &CodeRequest,
    (ambient, trail): (&mut Ambient, &mut Trail),
) -> Result<TokenResponse, Denied> {
    let state = &exchange.tenant;
    let tenant = &state.tenant;

    // Load.
    let handle = state
        .open_handle(app, HandleKind::Code, &request.code)
        .await;
    let handle = handle.map_err(|error| unknown(error.to_string()))?;
    let pending = app.store.pending_grant(state.id(), handle.row).await?;
    let pending = pending.ok_or_else(|| unknown("a code whose grant is gone"))?;
    trail.pass(&CODE_KNOWN);

    // Decide.
    let is_cut = app
        .is_grant_cut(exchange, &pending.grant, ambient.now)
        .await?;
    let decision = rules::decide(
        (&pending, is_cut),
        request,
        (caller, tenant),
        ambient.now,
        trail,
    )?;

    // Mint.
    let ring = state.ring();
    let (response, refresh_expires_at) = match decision {
        CodeDecision::Replayed => (None, None),
        CodeDecision::Issue(mut issuance) => {
            add_user_claims(app, exchange, &pending, &mut issuance).await?;
            let response =
                issue::mint(&issuance, tenant, &ring, &mut ambient.entropy, ambient.now)?;
            let idle = ambient.now.plus(tenant.policy.lifetimes.refresh_idle);
            (
                Some(response),
                issuance.issues_refresh_token().then_some(idle),
            )
        }
    };

    // Commit.
    let occasion = exchange.occasion(caller.client().id.as_str(), ambient);
    let bound = caller.refresh_key().map(|key| Grant {
        binding: Some(key),
        ..pending.grant.clone()
    });
    let redemption = Redemption {
        grant: pending.grant.id,
        refresh_expires_at,
        bound,
        occasion,
    };
    let redeemed = app.store.redeem_code(state.id(), redemption).await?;
    match (redeemed, response) {
        (Redeemed::Issued, Some(response)) => {
            trail.pass(&CODE_UNSPENT);
            Ok(response)
        }
        (Redeemed::Gone, _) => Err(unknown("a code whose grant is gone").into()),
        (Redeemed::Replayed, _) | (Redeemed::Issued, None) => Err(Refusal::new(
            &CODE_UNSPENT,
            "the first use",
            "another use; the grant is revoked",
        )
        .into()),
    }
}

pub(super) async fn add_user_claims(
    app: &App,
    exchange: &Exchange,
    pending: &PendingGrant,
    issuance: &mut Issuance,
) -> Result<(), Denied> {
    if issuance.wants_user_claims()
        && let Some(user) = app
            .store
            .user(exchange.tenant.id(), pending.grant.user)
            .await?
    {
        let asked = pending
            .grant
            .claims
            .as_ref()
            .map(|claims| claims.id_token.as_slice())
            .unwrap_or_default();
        let nothing = jeton_protocol::scope::Scope::default();
        issuance.add_user_claims(jeton_protocol::claims::released(&user, &nothing, asked));
    }
    Ok(())
}

fn unknown(found: impl Into<std::borrow::Cow<'static, str>>) -> Refusal {
    Refusal::new(&CODE_KNOWN, "a code of this issuer", found)
}
