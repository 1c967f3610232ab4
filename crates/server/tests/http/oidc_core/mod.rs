//! OpenID Connect Core 1.0, and RP-Initiated Logout 1.0.

mod claims;
mod id_token;
mod logout;
mod prompt;
mod userinfo;
