//! The device authorization endpoint (RFC 8628 §3.1).

use super::{Answer, nothing_in_query};
use crate::ambient::Ambient;
use crate::app::App;
use crate::caller::caller;
use crate::http::denied::{Denied, FEW_DEVICE_STARTS};
use crate::http::exchange::Exchange;
use crate::http::reply;
use http::StatusCode;
use jeton_protocol::device::{
    self as rules, Device, DeviceAuthorizationResponse, INTERVAL, UserCode,
};
use jeton_protocol::metadata::path;
use jeton_protocol::refusal::Trail;
use jeton_store::StoreError;
use jeton_store::devices::Opened;
use jeton_token::handle::HandleKind;
use jeton_token::row_id::RowId;

pub async fn device_authorization(
    app: &App,
    exchange: &Exchange,
    ambient: &mut Ambient,
    trail: &mut Trail,
) -> Answer {
    nothing_in_query(exchange, trail)?;
    let params = exchange.form()?;
    let caller = caller(app, exchange, &params, ambient, trail).await?;
    let client = &caller.client().id;
    let tenant = &exchange.tenant.tenant;
    let scope = rules::requested(&params, &caller, tenant, trail)?;
    if let Some(reached) = app
        .throttle
        .admit_device(exchange, client.as_str(), ambient.now)
    {
        return Err(Denied::Throttled(&FEW_DEVICE_STARTS, reached));
    }
    let lifetime = tenant.policy.lifetimes.device_code;
    let device = Device {
        id: RowId::new(ambient.now, &mut ambient.entropy),
        client: client.clone(),
        scope,
        address: exchange.address.to_string(),
        created_at: ambient.now,
        expires_at: ambient.now.plus(lifetime),
    };
    let ring = exchange.tenant.ring();
    let device_code = ring
        .handles
        .seal(tenant.id.as_str(), HandleKind::DeviceCode, device.id, 0);
    let user_code = open(app, exchange, device, ambient).await?;
    let verification_uri = tenant.issuer.join(path::DEVICE);
    let response = DeviceAuthorizationResponse {
        device_code,
        verification_uri_complete: format!("{verification_uri}?user_code={user_code}"),
        verification_uri,
        user_code: user_code.to_string(),
        expires_in: lifetime.as_secs(),
        interval: INTERVAL.as_secs(),
    };
    Ok(reply::json_no_store(StatusCode::OK, &response))
}

/// A code that is taken is more than a million times less likely than one that is free, so a few draws are enough for ever.
const DRAWS: usize = 8;

async fn open(
    app: &App,
    exchange: &Exchange,
    device: Device,
    ambient: &mut Ambient,
) -> Result<UserCode, StoreError> {
    let tenant = exchange.tenant.id();
    for _ in 0..DRAWS {
        let code = UserCode::draw(&mut ambient.entropy);
        let digests = code.digests(tenant, &exchange.tenant.ring().handles);
        let opened = app
            .store
            .open_device(tenant, device.clone(), digests)
            .await?;
        if opened == Opened::Opened {
            return Ok(code);
        }
    }
    Err(StoreError::Busy)
}
