//! The promises of the store, each kept on SQLite and on PostgreSQL.

#[macro_use]
mod support;

mod approval;
pub mod audit;
mod audit_tamper;
mod audit_verbs;
mod changes;
mod codes;
mod cuts;
mod devices;
mod faults;
mod floor;
mod interactions;
mod keys;
mod migrations;
mod model;
mod people;
mod pushed_requests;
mod races;
mod refresh;
mod schema;
mod sessions;
mod sweep;
mod throttle;
mod tls;
