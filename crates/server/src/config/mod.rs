//! Configuration: from `jeton.toml`, the environment and flags to one typed, checked `Config`.
//!
//! Nothing else in Jeton reads the environment or `jeton.toml`; nothing here opens a database, a
//! certificate or a socket. A key is declared once, in `raw.rs`: its type, default, limits and
//! text. The reference in `docs/config.md`, the schema, the file `jeton init` writes and
//! `jeton config explain` are all made from that declaration.

mod choices;
mod gather;
mod given;
mod key;
mod kinds;
mod problem;
mod raw;
mod reference;
mod resolved;
mod source;
mod value;

pub use choices::{LogFormat, LogLevel};
pub use gather::Sources;
pub use given::Explained;
pub use key::{Key, Table};
pub use kinds::{DatabaseUrl, HostPort, ResourceUri, UrlPath};
pub use problem::ConfigProblem;
pub(crate) use problem::did_you_mean;
pub use raw::{Audit, Database, Limits, Listen, Log, Outbound, Passwords, Paths, Rotation, TABLES};
pub use reference::{explain, key, reference, schema, template};
pub use resolved::{Config, TlsFiles};
pub use source::Source;
pub(crate) use value::{duration, duration_text};
