//! Who calls: one presented method, the client's record, the proof, and the spending of what may be used once.

use crate::ambient::Ambient;
use crate::app::App;
use crate::http::denied::{Denied, FEW_CLIENT_FAILURES, FEW_REQUESTS, Fault};
use crate::http::exchange::Exchange;
use crate::outbound::remote::Place;
use crate::throttle::Charged;
use jeton_protocol::client::{AuthenticationMethod, Client, KeptSecret};
use jeton_protocol::client_auth::assertion::ASSERTION_VERIFIES;
use jeton_protocol::client_auth::{self, AuthenticatedClient, OpenedSecret, Presented};
use jeton_protocol::params::Params;
use jeton_protocol::refusal::{ErrorCode, Trail};
use jeton_store::replay::{Claimed, OneTime, ReplayKind};
use jeton_token::secret::sha256;
use jeton_token::timestamp::Timestamp;
use std::sync::Arc;

pub async fn caller(
    app: &App,
    exchange: &Exchange,
    params: &Params<'_>,
    ambient: &Ambient,
    trail: &mut Trail,
) -> Result<AuthenticatedClient, Denied> {
    let header = exchange.authorization();
    let result = authenticate(app, exchange, params, ambient, trail).await;
    match result {
        Err(Denied::Refused(refusal)) if refusal.code() == ErrorCode::InvalidClient => {
            if header.is_some() {
                Err(Denied::RefusedWithChallenge(refusal))
            } else {
                Err(Denied::Refused(refusal))
            }
        }
        other => other,
    }
}

/// Refuses a client that asks more often than it may (SEC-465).
pub fn limit(
    app: &App,
    exchange: &Exchange,
    what: Charged,
    (caller, now): (&AuthenticatedClient, Timestamp),
) -> Result<(), Denied> {
    match app.throttle.admit(exchange, what, caller, now) {
        None => Ok(()),
        Some(reached) => Err(Denied::Throttled(&FEW_REQUESTS, reached)),
    }
}

async fn authenticate(
    app: &App,
    exchange: &Exchange,
    params: &Params<'_>,
    ambient: &Ambient,
    trail: &mut Trail,
) -> Result<AuthenticatedClient, Denied> {
    let presented = Presented::read(exchange.authorization(), params, trail)?;
    if let Some(reached) =
        app.throttle
            .client_is_throttled(exchange, presented.client_id(), ambient.now)
    {
        return Err(Denied::Throttled(&FEW_CLIENT_FAILURES, reached));
    }
    let proven = prove(app, exchange, &presented, ambient, trail).await;
    if matches!(&proven, Err(Denied::Refused(_))) {
        app.throttle
            .note_client_failure(exchange, presented.client_id(), ambient.now);
    }
    proven
}

async fn prove(
    app: &App,
    exchange: &Exchange,
    presented: &Presented<'_>,
    ambient: &Ambient,
    trail: &mut Trail,
) -> Result<AuthenticatedClient, Denied> {
    let id = presented.parsed_client_id()?;
    let tenant = &exchange.tenant;
    let Some(client) = tenant.client(app, &id).await? else {
        spend_the_same_time(presented);
        return Err(client_auth::unknown_client("no such client, or a disabled one").into());
    };
    let opened = open_secret(app, exchange, (&client, ambient.now), presented).await?;
    let at = (&tenant.tenant.issuer, ambient.now);
    let mark = trail.mark();
    let mut verified = client_auth::verify(presented, Arc::clone(&client), &opened, at, trail);
    if let Err(refusal) = &verified
        && refusal.rule == &ASSERTION_VERIFIES
        && let Some(newer) = newer_keys(app, exchange, (&client, &opened), ambient.now).await
    {
        trail.rewind(mark);
        verified = client_auth::verify(presented, Arc::clone(&client), &newer, at, trail);
    }
    let verified = verified?;
    let claimed = match &verified.replay {
        None => true,
        Some(replay) => {
            let one_time = OneTime {
                kind: ReplayKind::ClientAssertion,
                client: Some(client.id.clone()),
                value: replay.jti.clone(),
                expires_at: replay.until,
            };
            app.store
                .claim_once(tenant.id(), &one_time, ambient.now)
                .await?
                == Claimed::Claimed
        }
    };
    Ok(verified.spent(claimed, trail)?)
}

/// Reads what is kept of the client's secret, or of its keys elsewhere, as far as the presented method needs it.
async fn open_secret<'a>(
    app: &App,
    exchange: &Exchange,
    (client, now): (&'a Client, Timestamp),
    presented: &Presented<'_>,
) -> Result<OpenedSecret<'a>, Denied> {
    if let Some(url) = &client.jwks_uri
        && client.authentication == AuthenticationMethod::PrivateKeyJwt
        && matches!(presented, Presented::Assertion { .. })
    {
        let found = app
            .remote_keys
            .find(&app.door, key_place(exchange, url), now)
            .await;
        return Ok(match found {
            Ok(keys) => OpenedSecret::Keys(keys),
            Err(error) => OpenedSecret::NoKeys(error.to_string()),
        });
    }
    let needed = presented.secret().is_some()
        || client.authentication == AuthenticationMethod::ClientSecretJwt;
    match &client.secret {
        Some(KeptSecret::Digest(digest)) if needed => Ok(OpenedSecret::Digest(digest)),
        Some(KeptSecret::Hashed(hash)) if presented.secret().is_some() => {
            let secret = presented.secret().unwrap_or_default();
            Ok(OpenedSecret::Compared(
                app.passwords.matches_remembered(hash, secret).await?,
            ))
        }
        Some(KeptSecret::Sealed(sealed)) if needed => {
            let plain =
                app.kek
                    .open_client_secret(exchange.tenant.id(), client.id.as_str(), sealed);
            Ok(OpenedSecret::Plain(
                plain.map_err(|error| Fault::Keys(error.to_string()))?,
            ))
        }
        Some(_) | None => Ok(OpenedSecret::None),
    }
}

/// The keys at the client's `jwks_uri`, if those that were tried are not the ones of now (Core §10.1.1, P-198).
async fn newer_keys(
    app: &App,
    exchange: &Exchange,
    (client, opened): (&Client, &OpenedSecret<'_>),
    now: Timestamp,
) -> Option<OpenedSecret<'static>> {
    let (Some(url), OpenedSecret::Keys(seen)) = (&client.jwks_uri, opened) else {
        return None;
    };
    let newer = app
        .remote_keys
        .newer(&app.door, key_place(exchange, url), (seen, now));
    newer.await.map(OpenedSecret::Keys)
}

pub fn key_place<'a>(exchange: &'a Exchange, url: &'a str) -> Place<'a> {
    Place {
        tenant: exchange.tenant.id(),
        url,
    }
}

/// An unknown client costs what a wrong secret costs (SEC-127).
fn spend_the_same_time(presented: &Presented<'_>) {
    std::hint::black_box(sha256(presented.secret().unwrap_or_default()));
}
