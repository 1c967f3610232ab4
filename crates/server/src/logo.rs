//! The images of clients: fetched for them, told apart by their first bytes, and served from our own origin (P-102, SEC-156).

use crate::app::App;
use crate::http::exchange::Exchange;
use crate::outbound::Fetched;
use crate::outbound::remote::{Kind, Place};
use bytes::Bytes;
use jeton_protocol::client::Client;
use jeton_token::base64url;
use jeton_token::timestamp::Timestamp;
use std::time::Duration;

/// Where they are served: below this, the client's id as base64url.
pub const PATH: &str = "/logos/";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    pub bytes: Bytes,
    pub content_type: &'static str,
}

/// At most 64 MiB of them are kept.
pub static LOGO: Kind<Logo> = Kind {
    purpose: "logo",
    types: &["image/png", "image/jpeg", "image/webp", "image/gif"],
    limit: 256 * 1024,
    read: |fetched: &Fetched| {
        let content_type = image_type(&fetched.body).ok_or("no PNG, JPEG, WebP or GIF image")?;
        Ok(Logo {
            bytes: fetched.body.clone(),
            content_type,
        })
    },
    fresh: Duration::from_secs(24 * 60 * 60),
    fresh_within: Duration::from_secs(60 * 60)..=Duration::from_secs(24 * 60 * 60),
    oldest: Duration::from_secs(2 * 24 * 60 * 60),
    most: 256,
};

/// The path a page loads the client's image from, if it is here. If not, the next page may have it.
pub fn path(app: &App, exchange: &Exchange, client: &Client, now: Timestamp) -> Option<String> {
    let place = place(exchange, client)?;
    app.logos.at_hand(&app.door, place, now)?;
    let own = exchange.tenant.tenant.issuer.path();
    let id = base64url::encode(client.id.as_str().as_bytes());
    Some(format!("{own}{PATH}{id}"))
}

pub fn place<'a>(exchange: &'a Exchange, client: &'a Client) -> Option<Place<'a>> {
    Some(Place {
        tenant: exchange.tenant.id(),
        url: client.logo_uri.as_deref()?,
    })
}

/// What the bytes are, whatever they are called. An SVG is none of these: it could hold scripts.
fn image_type(bytes: &[u8]) -> Option<&'static str> {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    if starts(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if starts(b"\xff\xd8\xff") {
        Some("image/jpeg")
    } else if starts(b"GIF87a") || starts(b"GIF89a") {
        Some("image/gif")
    } else if starts(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some("image/webp")
    } else {
        None
    }
}
