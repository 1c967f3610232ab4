//! HTTP: connections, the table of routes, what a request is and how a reply is written. No rule of the protocol lives here.

pub mod cookies;
pub mod denied;
pub mod exchange;
pub mod listener;
pub mod pace;
pub mod reply;
pub mod routes;
pub mod tls;
