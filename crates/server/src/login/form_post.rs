//! The authorization response as a form that the browser posts to the client (OAuth 2.0 Form Post Response Mode §2).

use super::view;
use crate::app::App;
use crate::endpoints::Answer;
use crate::http::exchange::Exchange;
use crate::http::reply;
use crate::pages::{FormPost, Page, PostedField};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jeton_protocol::redirect_uri::host_of;
use jeton_token::secret::sha256;
use std::sync::LazyLock;

/// Presses the button. The policy of the page allows this text and no other script.
const SCRIPT: &str = "document.forms[0].submit()";

static SCRIPT_HASH: LazyLock<String> = LazyLock::new(|| STANDARD.encode(sha256(SCRIPT.as_bytes())));

pub fn show(
    app: &App,
    exchange: &Exchange,
    action: &str,
    fields: &[(&'static str, String)],
) -> Answer {
    let page = FormPost {
        look: view::look(&exchange.tenant.tenant),
        action,
        host: host_of(action),
        fields: fields
            .iter()
            .map(|(name, value)| PostedField { name, value })
            .collect(),
        script: SCRIPT,
    };
    let html = app
        .pages
        .render(&Page::FormPost(page), view::locale(exchange, None))?;
    Ok(reply::posting_page(html, &SCRIPT_HASH))
}
