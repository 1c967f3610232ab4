//! The pages of a device: entering its code, answering it, and after.

use serde::Serialize;

use super::{Look, ScopeLine};

#[derive(Debug, Clone, Serialize)]
pub struct UserCodePage<'a> {
    pub look: Look<'a>,
    pub action: &'a str,
    pub interaction: &'a str,
    pub csrf: &'a str,
    pub username: &'a str,
    /// Path where whoever is somebody else signs out.
    pub sign_out: &'a str,
    /// The code the address had: it fills the field in, and the person has to compare. (RFC 8628 §3.3.1)
    pub offered: Option<&'a str>,
    /// No device waits with the code that was typed.
    pub wrong: bool,
}

/// Nothing on it may have an id or take the focus by itself: a key that somebody holds down must not answer. (SEC-155)
#[derive(Debug, Clone, Serialize)]
pub struct DeviceConfirm<'a> {
    pub look: Look<'a>,
    /// `client_name`, or the client id when it has none.
    pub client: &'a str,
    pub action: &'a str,
    pub interaction: &'a str,
    pub csrf: &'a str,
    pub username: &'a str,
    pub scopes: Vec<ScopeLine<'a>>,
    pub resources: Vec<&'a str>,
    /// Where the device's request came from.
    pub address: &'a str,
    /// Whether this browser comes from there too.
    pub same_network: bool,
    /// When the device asked, with the name of the time zone.
    pub time: &'a str,
    /// How long ago that is.
    pub minutes: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct DeviceDone<'a> {
    pub look: Look<'a>,
    pub outcome: DeviceOutcome,
    pub client: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceOutcome {
    Approved,
    Denied,
    /// The person did not sign in.
    Left,
}
