//! The device authorization grant at the token endpoint (RFC 8628 §3.4, §3.5).

use crate::caller::Caller;
use crate::device::WaitingDevice;
use crate::grant::PendingGrant;
use crate::issue::Issuance;
use crate::params::Params;
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;
use crate::standing;
use crate::tenant::Tenant;
use jeton_token::timestamp::Timestamp;

rules! {
    DEVICE_CODE_SENT = InvalidRequest, "device_code_missing", "RFC 8628 §3.4", {
        promise: "The request carries the device code",
        told: "device_code is missing",
        fix: "Send the device_code from the device authorization response"
    };
    DEVICE_CODE_KNOWN = InvalidGrant, "device_code_unknown", "RFC 8628 §3.5, RFC 6749 §5.2", {
        promise: "The device code is one this issuer gave out, and its grant stands",
        told: "The device code is not valid",
        fix: "Send the device_code unchanged, to the issuer it came from"
    };
    DEVICE_CODE_OF_CLIENT = InvalidGrant, "device_code_of_another_client", "RFC 8628 §3.4, RFC 6749 §5.2", {
        promise: "The device code belongs to the client that polls with it",
        told: "The device code is not valid",
        fix: "Poll as the client that started the device; if you did, somebody substituted the code"
    };
    DEVICE_APPROVED = AccessDenied, "device_denied", "RFC 8628 §3.5", {
        promise: "The user did not refuse the device",
        told: "The user denied the request",
        fix: "Nothing to repair: the user said no. Stop polling; start anew only when they do"
    };
    DEVICE_CODE_FRESH = ExpiredToken, "device_code_expired", "RFC 8628 §3.5", {
        promise: "The device code has not expired",
        told: "The device code has expired",
        fix: "Stop polling and start anew when the user asks for it; lifetimes.device_code says how long a code lives"
    };
    POLLED_SLOWLY = SlowDown, "device_polled_too_fast", "RFC 8628 §3.5", {
        promise: "The device waits for its interval between two polls",
        told: "Polling too fast; wait five seconds longer between polls from now on",
        fix: "Wait for interval between polls, and add five seconds to it after every slow_down"
    };
    DEVICE_ANSWERED = AuthorizationPending, "device_pending", "RFC 8628 §3.5", {
        promise: "The user has answered",
        told: "The user has not answered yet",
        fix: "Nothing to repair: poll again after interval"
    };
    DEVICE_CODE_UNSPENT = InvalidGrant, "device_code_spent", "RFC 6749 §4.1.2, RFC 9700 §4.5", {
        promise: "The device code has not yielded tokens before",
        told: "The device code has been used before",
        fix: "Stop polling after the first success. The second use ended every token of the first; if you did not send both, somebody else has the code"
    };
}

#[derive(Debug)]
pub struct DeviceCodeRequest {
    pub device_code: String,
}

impl DeviceCodeRequest {
    pub(super) fn parse(params: &Params<'_>, trail: &mut Trail) -> Result<Self, Refusal> {
        let sent = trail.demand(&DEVICE_CODE_SENT, params.one("device_code"), || {
            Noted::new("device_code", "absent")
        })?;
        Ok(Self {
            device_code: sent.to_owned(),
        })
    }
}

/// What the polling found. The grant is there once the user has approved; the row of the device may be swept by then.
#[derive(Clone, Copy, Debug)]
pub struct Polled<'a> {
    pub device: Option<&'a WaitingDevice>,
    /// With whether a cut covers it.
    pub grant: Option<(&'a PendingGrant, bool)>,
    /// The poll before this one was less than an interval ago.
    pub too_soon: bool,
}

/// What becomes of a poll that could not be answered by a refusal alone.
#[derive(Debug)]
pub enum DeviceDecision {
    Issue(Box<Issuance>),
    /// The code was spent when it was read: the write that revokes is next, and nothing is minted.
    Replayed,
    /// The interval has to grow before this is said.
    TooFast,
}

/// Decides what a poll is answered. Whose code it is comes first, as with codes: a stranger learns nothing, and spends
/// nothing. A second use revokes, as with codes too: whoever polls on after a success either lost the answer, and with it
/// the tokens, or is somebody else.
pub fn decide(
    polled: Polled<'_>,
    (caller, tenant): (&Caller, &Tenant),
    now: Timestamp,
    trail: &mut Trail,
) -> Result<DeviceDecision, Refusal> {
    let owner = match (polled.grant, polled.device) {
        (Some((pending, _)), _) => &pending.grant.client,
        (None, Some(device)) => &device.device.client,
        (None, None) => return Err(expired("a code that was swept away")),
    };
    trail.require(&DEVICE_CODE_OF_CLIENT, *owner == caller.client().id, || {
        Noted::new(owner.to_string(), caller.client().id.to_string())
    })?;
    match (polled.grant, polled.device) {
        (Some((pending, is_cut)), _) => {
            of_approved((pending, is_cut), (caller, tenant), now, trail)
        }
        (None, Some(device)) => of_waiting(device, polled.too_soon, now, trail),
        (None, None) => Err(expired("a code that was swept away")),
    }
}

fn of_approved(
    (pending, is_cut): (&PendingGrant, bool),
    (caller, tenant): (&Caller, &Tenant),
    now: Timestamp,
    trail: &mut Trail,
) -> Result<DeviceDecision, Refusal> {
    if pending.redeemed_at.is_some() {
        return Ok(DeviceDecision::Replayed);
    }
    check_fresh(pending.code_expires_at, now, trail)?;
    let standing = standing::of_grant(&pending.grant, &pending.state, is_cut, now, trail)?;
    let issuance = Issuance::of_code(&pending.grant, caller, tenant, standing);
    Ok(DeviceDecision::Issue(Box::new(issuance)))
}

fn of_waiting(
    device: &WaitingDevice,
    too_soon: bool,
    now: Timestamp,
    trail: &mut Trail,
) -> Result<DeviceDecision, Refusal> {
    trail.require(&DEVICE_APPROVED, device.denied_at.is_none(), || {
        Noted::new("an approval", "a refusal by the user")
    })?;
    check_fresh(device.device.expires_at, now, trail)?;
    if too_soon {
        return Ok(DeviceDecision::TooFast);
    }
    Err(Refusal::new(&DEVICE_ANSWERED, "an answer", "none yet"))
}

fn check_fresh(expires_at: Timestamp, now: Timestamp, trail: &mut Trail) -> Result<(), Refusal> {
    trail.require(&DEVICE_CODE_FRESH, now < expires_at, || {
        let late = now.since(expires_at);
        Noted::new(
            "before the code's end",
            format!("{} ms after it", late.as_millis()),
        )
    })
}

fn expired(found: &'static str) -> Refusal {
    Refusal::new(&DEVICE_CODE_FRESH, "before the code's end", found)
}

/// The refusal for a text that is no device code of this issuer.
pub fn unknown(found: impl Into<std::borrow::Cow<'static, str>>) -> Refusal {
    Refusal::new(&DEVICE_CODE_KNOWN, "a device code of this issuer", found)
}

/// The refusal of a poll that came too soon.
pub fn too_fast(device: &WaitingDevice) -> Refusal {
    let interval = device.interval.as_secs();
    Refusal::new(
        &POLLED_SLOWLY,
        format!("at least {interval} s between polls"),
        "less",
    )
}
