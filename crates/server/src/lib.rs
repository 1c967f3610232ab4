//! Jeton: an OAuth 2.x and OpenID Connect authorization server in one binary.
//!
//! This crate is the server around the rules: HTTP, pages, configuration, commands. The rules are in `jeton-protocol`, SQL is
//! in `jeton-store`, keys and tokens are in `jeton-token`.

pub mod access_token;
pub mod ambient;
pub mod app;
pub mod audit;
pub mod bench;
pub mod caller;
pub mod command;
pub mod config;
pub mod demo;
pub mod dispatch;
pub mod endpoints;
pub mod grants;
pub mod http;
pub mod kept;
pub mod keys;
pub mod login;
pub mod logo;
pub mod observe;
pub mod outbound;
pub mod pages;
pub mod passwords;
pub mod remote_keys;
pub mod rules;
pub mod sender;
pub mod start;
pub mod tenancy;
pub mod throttle;
