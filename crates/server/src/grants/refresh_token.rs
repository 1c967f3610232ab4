//! Refreshing (RFC 6749 §6): one read, and one write only for clients whose tokens rotate.

use crate::ambient::Ambient;
use crate::app::App;
use crate::http::denied::Denied;
use crate::http::exchange::Exchange;
use jeton_protocol::caller::Caller;
use jeton_protocol::grant::Grant;
use jeton_protocol::grants::refresh_token::{
    self as rules, REFRESH_TOKEN_KNOWN, REFRESH_TOKEN_NEWEST, RefreshRequest,
};
use jeton_protocol::issue::{self, TokenResponse};
use jeton_protocol::refusal::{Refusal, Trail};
use jeton_store::refresh::{Rotated, Rotation};
use jeton_token::handle::HandleKind;

pub async fn refresh(
    app: &App,
    exchange: &Exchange,
    caller: &Caller,
    request: &RefreshRequest,
    (ambient, trail): (&mut Ambient, &mut Trail),
) -> Result<TokenResponse, Denied> {
    let state = &exchange.tenant;
    let tenant = &state.tenant;

    // Load.
    let handle = state
        .open_handle(app, HandleKind::RefreshToken, &request.refresh_token)
        .await;
    let handle = handle.map_err(|error| unknown(error.to_string()))?;
    let refreshable = app.store.refreshable_grant(state.id(), handle.row).await?;
    let refreshable = refreshable.ok_or_else(|| unknown("a refresh token whose grant is gone"))?;
    trail.pass(&REFRESH_TOKEN_KNOWN);

    // Decide.
    let is_cut = app
        .is_grant_cut(exchange, &refreshable.grant, ambient.now)
        .await?;
    let facts = (&refreshable, handle.generation, is_cut);
    let issuance = rules::decide(facts, request, (caller, tenant), ambient.now, trail)?;

    let ring = state.ring();

    // Mint. The successor is derived from the presented token, so it is the same whoever of the racing requests commits.
    let mut response = issue::mint(&issuance, tenant, &ring, &mut ambient.entropy, ambient.now)?;
    if !issuance.issues_refresh_token() {
        return Ok(response);
    }

    // Commit.
    let lifetimes = &tenant.policy.lifetimes;
    let unbound = refreshable.grant.binding.is_none();
    let bound = caller.refresh_key().filter(|_| unbound).map(|key| Grant {
        binding: Some(key),
        ..refreshable.grant
    });
    let rotation = Rotation {
        grant: handle.row,
        presented: handle.generation,
        grace: lifetimes.refresh_grace,
        refresh_expires_at: ambient.now.plus(lifetimes.refresh_idle),
        bound,
        occasion: exchange.occasion(caller.client().id.as_str(), ambient),
    };
    match app.store.rotate_refresh_token(state.id(), rotation).await? {
        Rotated::Successor(generation) | Rotated::SameSuccessor(generation) => {
            trail.pass(&REFRESH_TOKEN_NEWEST);
            let successor = ring.handles.seal(
                tenant.id.as_str(),
                HandleKind::RefreshToken,
                handle.row,
                generation,
            );
            response.refresh_token = Some(successor);
            Ok(response)
        }
        Rotated::Gone => Err(unknown("a refresh token whose grant is gone").into()),
        Rotated::Reused => {
            let found = format!(
                "generation {} again; the grant is revoked",
                handle.generation
            );
            Err(Refusal::new(&REFRESH_TOKEN_NEWEST, "the newest generation", found).into())
        }
    }
}

fn unknown(found: impl Into<std::borrow::Cow<'static, str>>) -> Refusal {
    Refusal::new(
        &REFRESH_TOKEN_KNOWN,
        "a refresh token of this issuer",
        found,
    )
}
