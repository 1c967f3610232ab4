//! What the operator says about going out, and what a test says in place of the domain name system.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Settings {
    /// `host:port` as URLs name them; what is listed may have any address and port.
    pub allow: Vec<String>,
    /// Ports beside 443.
    pub ports: Vec<u16>,
    /// PEM files of certificate authorities that are trusted beside the machine's own.
    pub authorities: Vec<PathBuf>,
    /// `jeton dev`: an allowed loopback address may be spoken to without TLS.
    pub plain_loopback: bool,
    pub names: Names,
    /// How long one fetch may take, everything together (SEC-223).
    pub patience: Duration,
    /// No failure is told sooner than this (SEC-220).
    pub shortest_failure: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            ports: Vec::new(),
            authorities: Vec::new(),
            plain_loopback: false,
            names: Names::System,
            patience: Duration::from_secs(5),
            shortest_failure: Duration::from_secs(1),
        }
    }
}

pub type Lookup = dyn Fn(&str) -> Vec<IpAddr> + Send + Sync;

/// Where addresses come from.
#[derive(Clone)]
pub enum Names {
    System,
    /// A test says which addresses a name has, each time it is asked.
    Told(Arc<Lookup>),
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Told(_) => "Told",
        })
    }
}
