//! Asking the issuer what a token is, and remembering the answer for moments (RFC 7662).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Request, Uri};
use jeton_token::json;
use jeton_token::secret::{Secret, sha256};
use jeton_token::timestamp::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

use crate::access::Access;
use crate::fetch::{BadAddress, Fetch, Unavailable, secure};
use crate::memory::{Key, Memory};
use crate::rejected::Rejected;

/// How long an answer is believed unless said otherwise: so much later a revocation may be seen.
pub const KEPT: Duration = Duration::from_secs(10);
/// No answer is believed for longer than this.
pub const KEPT_AT_MOST: Duration = Duration::from_secs(30);
/// A token that is not active stays so; this only spares the issuer repetitions.
const INACTIVE_KEPT: Duration = Duration::from_secs(2);
const MOST: usize = 10_000;
/// Longer tokens are not sent on.
const LONGEST_TOKEN: usize = 16 * 1024;
const LONGEST_ANSWER: usize = 64 * 1024;

/// Client of an introspection endpoint. Issuer, audience and end of what it says are judged by the
/// [`Verifier`](crate::Verifier), also when it is remembered.
#[derive(Debug)]
pub struct Introspector {
    endpoint: Uri,
    authorization: HeaderValue,
    fetch: Fetch,
    kept: Duration,
    answers: Mutex<Answers>,
}

/// Apart, so that nonsense cannot push out what is good.
#[derive(Debug)]
struct Answers {
    active: Memory<Arc<Access>>,
    inactive: Memory<()>,
}

impl Introspector {
    /// `credentials` are the id and the secret of this resource server as a client of the issuer, sent by HTTP Basic.
    pub fn new(
        endpoint: &str,
        credentials: (&str, &Secret),
        fetch: Fetch,
    ) -> Result<Self, BadAddress> {
        Ok(Self {
            endpoint: secure(endpoint)?,
            authorization: basic(credentials).ok_or(BadAddress)?,
            fetch,
            kept: KEPT,
            answers: Mutex::new(Answers::new(MOST)),
        })
    }

    /// Believes an answer for `kept`, 30 seconds at most, and remembers `most` of them. Zero asks each time.
    #[must_use]
    pub fn keeping(mut self, kept: Duration, most: usize) -> Self {
        self.kept = kept.min(KEPT_AT_MOST);
        self.answers = Mutex::new(Answers::new(most));
        self
    }

    /// What the issuer says of the token now, or said a moment ago.
    pub async fn introspect(&self, token: &str, now: Timestamp) -> Result<Access, Rejected> {
        if token.len() > LONGEST_TOKEN {
            return Err(Rejected::Inactive);
        }
        let key = sha256(token.as_bytes());
        if let Some(known) = self.remembered(&key, now) {
            return known.map(|access| (*access).clone());
        }
        let found = self.ask(token).await?;
        let mut answers = self.answers();
        match found {
            Some(access) => {
                let until = now.plus(self.kept).min(access.expires_at);
                let kept = Arc::new(access.clone());
                answers.active.keep(key, kept, (now, until));
                Ok(access)
            }
            None => {
                let until = now.plus(self.kept.min(INACTIVE_KEPT));
                answers.inactive.keep(key, (), (now, until));
                Err(Rejected::Inactive)
            }
        }
    }

    fn remembered(&self, key: &Key, now: Timestamp) -> Option<Result<Arc<Access>, Rejected>> {
        let answers = self.answers();
        let active = answers
            .active
            .find(key, now)
            .map(|access| Ok(Arc::clone(access)));
        active.or_else(|| {
            let inactive = answers.inactive.find(key, now);
            inactive.map(|()| Err(Rejected::Inactive))
        })
    }

    async fn ask(&self, token: &str) -> Result<Option<Access>, Rejected> {
        let body = format!("token={}&token_type_hint=access_token", encoded(token));
        let request = Request::post(self.endpoint.clone())
            .header(AUTHORIZATION, self.authorization.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .body(Bytes::from(body))
            .map_err(|_| Unavailable::Address(BadAddress))?;
        let answer = self.fetch.send(request).await?;
        let members = json::parse_object(answer.body(), LONGEST_ANSWER)
            .map_err(|_| Unavailable::Introspection)?;
        match members.get("active").and_then(Value::as_bool) {
            Some(false) => Ok(None),
            // A refresh token has no audience: it must not pass for an access token.
            Some(true) => Access::read(members, &["exp", "aud", "sub", "client_id"])
                .map(Some)
                .map_err(Rejected::Claims),
            None => Err(Unavailable::Introspection.into()),
        }
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answers {
    fn new(most: usize) -> Self {
        Self {
            active: Memory::new(most),
            inactive: Memory::new(most),
        }
    }
}

/// Id and secret are form-encoded before they are joined. (RFC 6749 §2.3.1)
fn basic((id, secret): (&str, &Secret)) -> Option<HeaderValue> {
    let secret = std::str::from_utf8(secret.expose()).ok()?;
    let pair = Zeroizing::new(format!("{}:{}", encoded(id), encoded(secret)));
    let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
    let mut value = HeaderValue::try_from(text.as_str()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
