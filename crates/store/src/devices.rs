//! Devices that wait for a person to enter their code and answer (RFC 8628). Approval makes the grant of the same id, with its
//! code pending: from then on the device code is a code like any other, and `grants.rs` spends it.

use std::time::Duration;

use jeton_protocol::device::{Device, DeviceId, INTERVAL, SLOWER, SLOWEST, WaitingDevice};
use jeton_protocol::interaction::InteractionId;
use jeton_protocol::session::SessionId;
use jeton_protocol::tenant::TenantId;
use jeton_protocol::user::UserId;
use jeton_token::timestamp::Timestamp;

use crate::Store;
use crate::audit::{self, Occasion};
use crate::error::StoreError;
use crate::grants::{self, Approval, Approved};
use crate::sql::{Row, Tx, record, values};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    Opened,
    /// Another device waits with this user code: draw another.
    CodeTaken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    Denied,
    /// Answered or expired before, or entered by another session.
    AlreadyAnswered,
}

/// Who says no, and in which interaction at which version.
#[derive(Clone, Debug, PartialEq)]
pub struct Denial {
    pub session: SessionId,
    pub interaction: InteractionId,
    pub version: u32,
    pub occasion: Occasion,
}

impl Store {
    /// Stores a device under the first of its code's digests, if no device is known by any of them.
    pub async fn open_device(
        &self,
        tenant: &TenantId,
        device: Device,
        digests: Vec<[u8; 32]>,
    ) -> Result<Opened, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| open(tx, &tenant, &device, &digests))
            .await
    }

    /// An answered or expired one is found too, until it is swept.
    pub async fn device(
        &self,
        tenant: &TenantId,
        id: DeviceId,
    ) -> Result<Option<WaitingDevice>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| {
            let row = tx.one(
                "SELECT record, poll_interval, approved_at, denied_at FROM devices WHERE tenant_id = $1 AND id = $2",
                values![tenant.as_str(), id],
            )?;
            row.as_ref().map(waiting).transpose()
        })
        .await
    }

    /// The device whose code this session has entered, while it waits.
    pub async fn claimed_device(
        &self,
        tenant: &TenantId,
        (id, session): (DeviceId, SessionId),
        now: Timestamp,
    ) -> Result<Option<Device>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| {
            let row = tx.one(
                "SELECT record FROM devices WHERE tenant_id = $1 AND id = $2 AND session_id = $3 \
                 AND approved_at IS NULL AND denied_at IS NULL AND expires_at > $4",
                values![tenant.as_str(), id, session, now],
            )?;
            row.map(|row| row.record(0)).transpose()
        })
        .await
    }

    /// Takes the waiting device with this code for the session of whoever entered it. The same user may do so again, in
    /// another browser; nobody else can any more (SEC-039, SEC-155).
    pub async fn claim_device(
        &self,
        tenant: &TenantId,
        digests: Vec<[u8; 32]>,
        (session, user): (SessionId, UserId),
        now: Timestamp,
    ) -> Result<Option<DeviceId>, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            for digest in &digests {
                let row = tx.one(
                    "UPDATE devices SET session_id = $3, user_id = $4 WHERE tenant_id = $1 AND user_code = $2 \
                     AND approved_at IS NULL AND denied_at IS NULL AND expires_at > $5 \
                     AND (user_id IS NULL OR user_id = $4) RETURNING id",
                    values![tenant.as_str(), digest, session, user, now],
                )?;
                if let Some(row) = row {
                    return row.id(0).map(Some);
                }
            }
            Ok(None)
        })
        .await
    }

    /// Answers the device that has the id of the grant with that grant, and does everything else an approval does; or nothing.
    pub async fn approve_device(
        &self,
        tenant: &TenantId,
        approval: Approval,
    ) -> Result<Approved, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| approve(tx, &tenant, &approval)).await
    }

    /// Answers the device with no, and closes the interaction.
    pub async fn deny_device(
        &self,
        tenant: &TenantId,
        id: DeviceId,
        denial: Denial,
    ) -> Result<Denied, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| deny(tx, &tenant, id, &denial)).await
    }

    /// Makes a device that polled too soon wait longer from now on, up to a minute; then nothing is written any more.
    pub async fn slow_device(&self, tenant: &TenantId, id: DeviceId) -> Result<(), StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            tx.run(
                "UPDATE devices SET poll_interval = poll_interval + $3 \
                 WHERE tenant_id = $1 AND id = $2 AND poll_interval < $4",
                values![tenant.as_str(), id, millis(SLOWER), millis(SLOWEST)],
            )
            .map(drop)
        })
        .await
    }
}

fn open(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    device: &Device,
    digests: &[[u8; 32]],
) -> Result<Opened, StoreError> {
    let Some((current, older)) = digests.split_first() else {
        return Err(StoreError::failed("a user code without a digest"));
    };
    for digest in older {
        let known = tx.one(
            "SELECT id FROM devices WHERE tenant_id = $1 AND user_code = $2",
            values![tenant.as_str(), digest],
        )?;
        if known.is_some() {
            return Ok(Opened::CodeTaken);
        }
    }
    let count = tx.run(
        "INSERT INTO devices (tenant_id, id, user_code, poll_interval, expires_at, record) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, user_code) DO NOTHING",
        values![
            tenant.as_str(),
            device.id,
            current,
            millis(INTERVAL),
            device.expires_at,
            record(device)?
        ],
    )?;
    Ok(if count == 1 {
        Opened::Opened
    } else {
        Opened::CodeTaken
    })
}

fn waiting(row: &Row) -> Result<WaitingDevice, StoreError> {
    Ok(WaitingDevice {
        device: row.record(0)?,
        interval: Duration::from_millis(u64::try_from(row.int(1)?).unwrap_or_default()),
        approved_at: row.maybe_time(2)?,
        denied_at: row.maybe_time(3)?,
    })
}

fn approve(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    approval: &Approval,
) -> Result<Approved, StoreError> {
    let (grant, now) = (&approval.grant, approval.occasion.now);
    let answered = tx.run(
        "UPDATE devices SET approved_at = $4 WHERE tenant_id = $1 AND id = $2 AND session_id = $3 \
         AND approved_at IS NULL AND denied_at IS NULL AND expires_at > $4",
        values![tenant.as_str(), grant.id, grant.session, now],
    )?;
    if answered == 0 {
        return Ok(Approved::AlreadyClosed);
    }
    let approved = grants::approve(tx, tenant, approval)?;
    if approved != Approved::Approved {
        // The session ended meanwhile, or the page was answered: the device goes on waiting.
        tx.run(
            "UPDATE devices SET approved_at = NULL WHERE tenant_id = $1 AND id = $2",
            values![tenant.as_str(), grant.id],
        )?;
    }
    Ok(approved)
}

fn deny(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    id: DeviceId,
    denial: &Denial,
) -> Result<Denied, StoreError> {
    let now = denial.occasion.now;
    let answered = tx.run(
        "UPDATE devices SET denied_at = $4 WHERE tenant_id = $1 AND id = $2 AND session_id = $3 \
         AND approved_at IS NULL AND denied_at IS NULL AND expires_at > $4",
        values![tenant.as_str(), id, denial.session, now],
    )?;
    if answered == 0 {
        return Ok(Denied::AlreadyAnswered);
    }
    // A no counts whatever became of the page meanwhile.
    tx.run(
        "UPDATE interactions SET closed_at = $4 WHERE tenant_id = $1 AND id = $2 AND version = $3 AND closed_at IS NULL",
        values![tenant.as_str(), denial.interaction, denial.version, now],
    )?;
    audit::note(
        tx,
        tenant,
        "device.denied",
        &id.to_string(),
        &denial.occasion,
    )?;
    Ok(Denied::Denied)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
