//! A PostgreSQL for the tests of commands: the same as for those over HTTP.

#[path = "../http/support/cluster.rs"]
mod http;

pub use http::schema;
