//! Starting a device (RFC 8628 §3.1, §3.2) and what happens at its verification page (§3.3). Polling is a grant:
//! `grants/device_code.rs`.

use crate::authorize::parameters::requested_scope;
use crate::authorize::step::{SIGNED_IN, signed_in_here};
use crate::client::{ClientId, GrantType};
use crate::client_auth::AuthenticatedClient;
use crate::interaction::Progress;
use crate::params::Params;
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;
use crate::scope::Scope;
use crate::session::Session;
use crate::tenant::{Tenant, TenantId};
use jeton_token::entropy::Entropy;
use jeton_token::handle::HandleKeys;
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

rules! {
    DEVICE_GRANT_REGISTERED = UnauthorizedClient, "device_grant_not_registered", "RFC 8628 §3.1, RFC 10027", {
        promise: "The client is registered for the device grant",
        told: "The client is not registered for the device authorization grant",
        fix: "Add urn:ietf:params:oauth:grant-type:device_code to the client's grant_types, if it runs where there is no browser"
    };
    USER_CODE_KNOWN = InvalidRequest, "user_code_unknown", "RFC 8628 §3.3", {
        promise: "The code that was typed belongs to a device that waits",
        told: "No device waits with this code",
        fix: "Type the code as the device shows it, within lifetimes.device_code; a code another user has entered counts as unknown"
    };
    DEVICE_WAITS = InvalidRequest, "device_not_waiting", "RFC 8628 §3.3, SEC-155", {
        promise: "The device waits for an answer, and from the session that entered its code",
        told: "The device no longer waits for this answer",
        fix: "Start again on the device; its request is answered once, within lifetimes.device_code, in the browser session its code was entered in"
    };
}

pub type DeviceId = RowId;

/// What a device asked for. Its id is also that of the grant it will have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Device {
    pub id: DeviceId,
    pub client: ClientId,
    pub scope: Scope,
    /// Where the request came from, for the person who is asked (RFC 10027).
    pub address: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A device as its polling finds it.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitingDevice {
    pub device: Device,
    /// The least time between two polls; grows with every one that comes too soon (RFC 8628 §3.5).
    pub interval: Duration,
    pub approved_at: Option<Timestamp>,
    pub denied_at: Option<Timestamp>,
}

impl WaitingDevice {
    pub fn waits(&self, now: Timestamp) -> bool {
        self.approved_at.is_none() && self.denied_at.is_none() && now < self.device.expires_at
    }

    /// The interval after a poll that came too soon.
    pub fn slowed(&self) -> Duration {
        if self.interval < SLOWEST {
            self.interval + SLOWER
        } else {
            self.interval
        }
    }
}

/// The `interval` a device is told (RFC 8628 §3.2).
pub const INTERVAL: Duration = Duration::from_secs(5);

/// How much longer a device has to wait after each poll that came too soon, and when that ends.
pub const SLOWER: Duration = Duration::from_secs(5);
pub const SLOWEST: Duration = Duration::from_secs(60);

/// The scope of a device authorization request, once its client has proven itself.
pub fn requested(
    params: &Params<'_>,
    caller: &AuthenticatedClient,
    tenant: &Tenant,
    trail: &mut Trail,
) -> Result<Scope, Refusal> {
    let client = caller.client();
    trail.require(
        &DEVICE_GRANT_REGISTERED,
        client.may_use(GrantType::DeviceCode),
        || {
            let registered: Vec<_> = client
                .grant_types
                .iter()
                .map(|known| known.name())
                .collect();
            Noted::new(GrantType::DeviceCode.name(), registered.join(", "))
        },
    )?;
    requested_scope(params, client, tenant, trail)
}

/// The answer (RFC 8628 §3.2).
#[derive(Debug, Serialize)]
pub struct DeviceAuthorizationResponse {
    pub device_code: String,
    pub user_code: String,
    pub verification_uri: String,
    pub verification_uri_complete: String,
    pub expires_in: u64,
    pub interval: u64,
}

/// Letters that are not mistaken for others and make no words (RFC 8628 §6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LENGTH: usize = 8;
const LONGEST_TYPED: usize = 64;

/// What a person carries from the device to the browser: 34 bits, so it is kept as a keyed hash and guessed only a few times
/// (SEC-152, SEC-413).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserCode(String);

impl UserCode {
    pub fn draw(entropy: &mut Entropy) -> Self {
        let mut code = String::with_capacity(LENGTH);
        while code.len() < LENGTH {
            let [byte] = entropy.bytes::<1>();
            // The bytes beyond the last whole alphabet would favour its first letters.
            let letter = LETTERS.get(usize::from(byte) % LETTERS.len());
            if let Some(letter) = letter.filter(|_| byte < 240) {
                code.push(char::from(*letter));
            }
        }
        Self(code)
    }

    /// Reads what somebody typed: case, dashes and spaces do not count.
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.len() > LONGEST_TYPED {
            return None;
        }
        let code: String = typed
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '\u{2010}'..='\u{2015}'))
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let fits = code.len() == LENGTH && code.bytes().all(|letter| LETTERS.contains(&letter));
        fits.then_some(Self(code))
    }

    /// What the code may be kept under, the newest key first.
    pub fn digests(&self, tenant: &TenantId, keys: &HandleKeys) -> Vec<[u8; 32]> {
        keys.macs(
            "user code",
            &[tenant.as_str().as_bytes(), self.0.as_bytes()],
        )
    }
}

impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = self.0.split_at(LENGTH / 2);
        write!(f, "{first}-{second}")
    }
}

/// A browser at the verification page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceVisit {
    /// The code the address had (`verification_uri_complete`). It only fills the field in.
    pub offered: Option<String>,
    /// The device whose code this session has entered.
    pub device: Option<DeviceId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceStep {
    LogIn,
    AskUserCode,
    Confirm(DeviceId),
    /// The person went away from the sign-in.
    Leave,
}

/// What comes next at the verification page. A person signs in before a code is looked at, so that guesses have a name; and
/// within the last `max_age`, so that a session somebody left open approves nothing (SEC-152).
pub fn next_step(
    visit: &DeviceVisit,
    (session, progress): (Option<&Session>, &Progress),
    max_age: Duration,
    now: Timestamp,
    trail: &mut Trail,
) -> DeviceStep {
    if progress.denied {
        return DeviceStep::Leave;
    }
    let recent = session.is_some_and(|session| {
        signed_in_here(progress, session) || now.since(session.auth_time) <= max_age
    });
    if !recent {
        return DeviceStep::LogIn;
    }
    trail.pass(&SIGNED_IN);
    visit
        .device
        .map_or(DeviceStep::AskUserCode, DeviceStep::Confirm)
}
