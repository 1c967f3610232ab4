//! Replies, and the headers each kind always has (SEC-197, SEC-402).

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use serde::Serialize;

pub type Reply = Response<Full<Bytes>>;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const JWT: HeaderValue = HeaderValue::from_static("application/jwt");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");
const DENY: HeaderValue = HeaderValue::from_static("DENY");
const PERMISSIONS: HeaderValue = HeaderValue::from_static(
    "publickey-credentials-get=(self), camera=(), geolocation=(), microphone=(), payment=()",
);
const METADATA_LIFE: HeaderValue = HeaderValue::from_static("public, max-age=300");
const IMAGE_LIFE: HeaderValue = HeaderValue::from_static("public, max-age=3600");
const SANDBOX: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");
const ANY_ORIGIN: HeaderValue = HeaderValue::from_static("*");

fn bare(status: StatusCode, content_type: HeaderValue, body: Bytes) -> Reply {
    let mut reply = Response::new(Full::new(body));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.reserve(6);
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    reply
}

/// JSON that nobody may keep (RFC 6749 §5.1).
pub fn json_no_store(status: StatusCode, value: &impl Serialize) -> Reply {
    let mut buffer = Vec::with_capacity(1024);
    if serde_json::to_writer(&mut buffer, value).is_err() {
        return empty(StatusCode::INTERNAL_SERVER_ERROR);
    }
    let mut reply = bare(status, JSON, Bytes::from(buffer));
    reply.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
    reply.headers_mut().insert(header::PRAGMA, NO_CACHE);
    reply
}

/// A JWT that nobody may keep (Core §5.3.2).
pub fn jwt_no_store(token: String) -> Reply {
    let mut reply = bare(StatusCode::OK, JWT, Bytes::from(token));
    reply.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
    reply.headers_mut().insert(header::PRAGMA, NO_CACHE);
    reply
}

/// A public document that scripts of any origin may read: metadata and keys (SEC-198). At most five minutes old (SEC-417).
pub fn public_json(body: Bytes) -> Reply {
    let mut reply = bare(StatusCode::OK, JSON, body);
    reply
        .headers_mut()
        .insert(header::CACHE_CONTROL, METADATA_LIFE);
    reply
        .headers_mut()
        .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY_ORIGIN);
    reply
}

pub fn text(status: StatusCode, content_type: &'static str, body: String) -> Reply {
    let mut reply = bare(
        status,
        HeaderValue::from_static(content_type),
        Bytes::from(body),
    );
    reply.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
    reply
}

pub fn asset(content_type: &'static str, bytes: &'static [u8], immutable: bool) -> Reply {
    let mut reply = bare(
        StatusCode::OK,
        HeaderValue::from_static(content_type),
        Bytes::from_static(bytes),
    );
    let life = if immutable {
        "public, max-age=31536000, immutable"
    } else {
        "public, max-age=3600"
    };
    reply
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static(life));
    reply
}

/// An image somebody else made: never a page, whatever is in it (P-102).
pub fn foreign_image(content_type: &'static str, bytes: Bytes) -> Reply {
    let mut reply = bare(
        StatusCode::OK,
        HeaderValue::from_static(content_type),
        bytes,
    );
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, SANDBOX);
    headers.insert("cross-origin-resource-policy", SAME_ORIGIN);
    headers.insert(header::CACHE_CONTROL, IMAGE_LIFE);
    reply
}

pub fn empty(status: StatusCode) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::new()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
    reply
}

/// A page: no script, no frame, nothing from elsewhere. `form_action` names the one foreign origin a form may end at, since
/// browsers apply the rule to the redirect that answers it (SEC-400, SEC-401).
pub fn page(status: StatusCode, html: String, form_action: Option<&str>) -> Reply {
    let to = form_action
        .map(|origin| format!(" {origin}"))
        .unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'{to}; frame-ancestors 'none'; \
         base-uri 'none'; require-trusted-types-for 'script'"
    );
    html_reply(status, html, policy)
}

/// A page whose form goes to another origin, sent by the one script whose hash is named or by its button
/// (OAuth 2.0 Form Post Response Mode §2, SEC-111). No `form-action`: browsers apply it also to where the client redirects to
/// after the POST, which is not for us to limit; the action is ours and no other script runs.
pub fn posting_page(html: String, script_hash: &str) -> Reply {
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'sha256-{script_hash}'; \
         frame-ancestors 'none'; base-uri 'none'"
    );
    html_reply(StatusCode::OK, html, policy)
}

/// A page of a development server that refreshes itself by a script of ours.
pub fn scripted_page(html: String) -> Reply {
    let policy = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; \
                  form-action 'none'; frame-ancestors 'none'; base-uri 'none'";
    html_reply(StatusCode::OK, html, policy.to_owned())
}

fn html_reply(status: StatusCode, html: String, policy: String) -> Reply {
    let mut reply = bare(status, HTML, Bytes::from(html));
    let headers = reply.headers_mut();
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::CACHE_CONTROL, NO_STORE);
    headers.insert(header::REFERRER_POLICY, NO_REFERRER);
    headers.insert(header::X_FRAME_OPTIONS, DENY);
    headers.insert("cross-origin-opener-policy", SAME_ORIGIN);
    headers.insert("cross-origin-resource-policy", SAME_ORIGIN);
    headers.insert("permissions-policy", PERMISSIONS);
    reply
}

/// Always 303: what was posted here is not posted again there (SEC-107, P-374).
pub fn see_other(location: &str) -> Reply {
    let mut reply = empty(StatusCode::SEE_OTHER);
    if let Ok(location) = HeaderValue::try_from(location) {
        reply.headers_mut().insert(header::LOCATION, location);
        reply
            .headers_mut()
            .insert(header::REFERRER_POLICY, NO_REFERRER);
    }
    reply
}
