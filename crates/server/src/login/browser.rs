//! The browser an interaction belongs to: its cookie, its session, and the forms it may post (SEC-014, SEC-050, SEC-404).

use crate::ambient::Ambient;
use crate::app::App;
use crate::http::cookies::Cookie;
use crate::http::denied::Denied;
use crate::http::exchange::Exchange;
use http::{HeaderName, HeaderValue};
use jeton_protocol::authorize::request::AuthorizationRequest;
use jeton_protocol::interaction::Interaction;
use jeton_protocol::refusal::{Noted, Refusal, Trail};
use jeton_protocol::rules;
use jeton_protocol::session::{Session, SessionId};
use jeton_token::base64url;
use jeton_token::handle::HandleKind;
use jeton_token::row_id::RowId;
use jeton_token::secret::sha256;
use jeton_token::timestamp::Timestamp;

rules! {
    INTERACTION_KNOWN = InvalidRequest, "interaction_unknown", "SEC-R05", {
        promise: "The interaction is one this issuer began and that has not ended",
        told: "This sign-in has ended or expired",
        fix: "Start again at the application; an interaction lives for half an hour and is answered once"
    };
    INTERACTION_OF_BROWSER = InvalidRequest, "interaction_of_another_browser", "SEC-014, RFC 9700 §4.7", {
        promise: "The interaction belongs to the browser that continues it",
        told: "This sign-in was begun in another browser",
        fix: "Start again at the application, in the browser you want to sign in with; cookies must be allowed"
    };
    NOT_FRAMED = InvalidRequest, "in_a_frame", "RFC 9700 §4.16, SEC-114", {
        promise: "The authorization request fills its window: it is not in a frame",
        told: "The sign-in does not work inside another page",
        fix: "Redirect the whole window to the authorization endpoint; refresh tokens renew a session without a frame"
    };
    FORM_OF_OURS = InvalidRequest, "form_from_elsewhere", "RFC 6749 §10.12, SEC-200", {
        promise: "The form was shown to this browser by this server",
        told: "The form did not come from a page of this server",
        fix: "Open the page again and send its form; a proxy must keep the Origin and Cookie headers"
    };
}

const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// An interaction in the hands of the browser it belongs to.
#[derive(Debug)]
pub struct Visit {
    pub interaction: Interaction,
    /// What the browser calls the interaction.
    pub handle: String,
    pub session: Option<Session>,
    pub generation: u32,
    /// Whether the store has the interaction. One that needs nobody is never stored.
    pub stored: bool,
}

impl Visit {
    /// Loads the interaction `handle` names, if it is this browser's and still open.
    pub async fn load(
        app: &App,
        exchange: &Exchange,
        handle: Option<&str>,
        now: Timestamp,
        trail: &mut Trail,
    ) -> Result<Self, Denied> {
        let tenant = exchange.tenant.id();
        let unknown =
            |found: &'static str| Refusal::new(&INTERACTION_KNOWN, "an open interaction", found);
        let text = handle.ok_or_else(|| unknown("none"))?;
        let opened = exchange
            .tenant
            .open_handle(app, HandleKind::Interaction, text)
            .await;
        let opened = opened.map_err(|_| unknown("a handle this issuer did not make"))?;
        let found = app.store.interaction(tenant, opened.row).await?;
        let interaction = found.ok_or_else(|| unknown("one that was swept away"))?;
        let browser = browser_of(app, exchange).await;
        let own = browser.is_some_and(|browser| digest(browser) == interaction.browser);
        trail.require(&INTERACTION_OF_BROWSER, own, || {
            Noted::new(
                "the browser that began",
                if browser.is_some() {
                    "another browser"
                } else {
                    "no cookie"
                },
            )
        })?;
        let open = interaction.closed_at.is_none() && now < interaction.expires_at;
        trail.require(&INTERACTION_KNOWN, open, || {
            Noted::new("an open interaction", "an ended or expired one")
        })?;
        let visit = Self::begin(app, exchange, (interaction, text.to_owned()), now).await?;
        Ok(Self {
            stored: true,
            ..visit
        })
    }

    /// A new interaction, not stored yet.
    pub async fn begin(
        app: &App,
        exchange: &Exchange,
        (interaction, handle): (Interaction, String),
        now: Timestamp,
    ) -> Result<Self, Denied> {
        let found = session(app, exchange, now).await?;
        let (session, generation) = match found {
            Some((session, generation)) => (Some(session), generation),
            None => (None, 0),
        };
        Ok(Self {
            interaction,
            handle,
            session,
            generation,
            stored: false,
        })
    }

    /// The authorization request it is about; a page of one has nothing to do with any other interaction.
    pub fn authorization(&self) -> Result<&AuthorizationRequest, Refusal> {
        let found = self.interaction.authorization();
        found.ok_or_else(|| {
            let found = "an interaction about something else";
            Refusal::new(&INTERACTION_KNOWN, "an authorization request", found)
        })
    }

    /// The token a form of this interaction carries; one that speaks for a user also names the session it was shown to.
    pub fn csrf(&self, exchange: &Exchange, session: Option<SessionId>) -> String {
        let ring = exchange.tenant.ring();
        base64url::encode(
            &ring
                .handles
                .mac("form", &self.csrf_parts(exchange, &session_bytes(session))),
        )
    }

    /// Refuses a form that another site, another browser or another user's page had sent.
    pub fn check_form(
        &self,
        exchange: &Exchange,
        (csrf, session): (Option<&str>, Option<SessionId>),
        trail: &mut Trail,
    ) -> Result<(), Refusal> {
        let presented = csrf
            .and_then(|csrf| base64url::decode(csrf).ok())
            .unwrap_or_default();
        let ring = exchange.tenant.ring();
        let parts = session_bytes(session);
        let equal =
            ring.handles
                .mac_matches("form", &self.csrf_parts(exchange, &parts), &presented);
        trail.require(&FORM_OF_OURS, equal, || {
            Noted::new("the form's own token", "another one, or none")
        })
    }

    fn csrf_parts<'a>(&'a self, exchange: &'a Exchange, session: &'a [u8]) -> [&'a [u8]; 4] {
        let tenant = exchange.tenant.id().as_str().as_bytes();
        [
            tenant,
            self.handle.as_bytes(),
            &self.interaction.browser,
            session,
        ]
    }
}

/// Refuses a request that a browser sends for a frame: nothing could be seen of what is given away there.
pub fn check_not_framed(exchange: &Exchange, trail: &mut Trail) -> Result<(), Refusal> {
    let framed = exchange.header(&SEC_FETCH_DEST).is_some_and(|dest| {
        matches!(
            dest,
            "iframe" | "frame" | "embed" | "object" | "fencedframe"
        )
    });
    trail.require(&NOT_FRAMED, !framed, || {
        Noted::new("a window of its own", "a frame")
    })
}

/// Whether a browser says that another site sent it here, in which case it kept our cookies to itself.
pub fn is_from_elsewhere(exchange: &Exchange) -> bool {
    exchange
        .header(&SEC_FETCH_SITE)
        .is_some_and(|site| matches!(site, "cross-site" | "same-site"))
}

fn session_bytes(session: Option<SessionId>) -> Vec<u8> {
    session
        .map(|session| session.bytes().to_vec())
        .unwrap_or_default()
}

/// Our own pages post to us from our own origin; browsers say so (SEC-404).
pub fn check_origin(exchange: &Exchange, trail: &mut Trail) -> Result<(), Refusal> {
    let site = exchange.header(&SEC_FETCH_SITE);
    let origin = exchange.header(&http::header::ORIGIN);
    let issuer = &exchange.tenant.tenant.issuer;
    let own = issuer
        .as_str()
        .strip_suffix(issuer.path())
        .unwrap_or(issuer.as_str());
    let ours = match (site, origin) {
        (Some(site), _) => site == "same-origin",
        // Our pages say `no-referrer`, so an older browser hides their origin; the form's own token still tells.
        (None, Some("null") | None) => true,
        (None, Some(origin)) => origin == own,
    };
    trail.require(&FORM_OF_OURS, ours, || {
        Noted::new("a form of this origin", "a form of another site")
    })
}

/// The browser's own number, if it has one that this server made.
pub async fn browser_of(app: &App, exchange: &Exchange) -> Option<RowId> {
    let text = Cookie::Browser.read(exchange)?;
    let opened = exchange
        .tenant
        .open_handle(app, HandleKind::Browser, text)
        .await;
    opened.ok().map(|handle| handle.row)
}

/// The browser's number, and the cookie to set when it is new.
pub async fn known_browser(
    app: &App,
    exchange: &Exchange,
    ambient: &mut Ambient,
) -> (RowId, Option<HeaderValue>) {
    if let Some(known) = browser_of(app, exchange).await {
        return (known, None);
    }
    let id = RowId::new(ambient.now, &mut ambient.entropy);
    let tenant = &exchange.tenant.tenant;
    let text = exchange
        .tenant
        .ring()
        .handles
        .seal(tenant.id.as_str(), HandleKind::Browser, id, 0);
    (id, Some(Cookie::Browser.set(tenant, &text)))
}

pub fn digest(browser: RowId) -> [u8; 32] {
    sha256(&browser.bytes())
}

/// The browser's live session with its generation: not ended, not idle for too long, not beyond its end.
pub async fn session(
    app: &App,
    exchange: &Exchange,
    now: Timestamp,
) -> Result<Option<(Session, u32)>, Denied> {
    let Some(text) = Cookie::Session.read(exchange) else {
        return Ok(None);
    };
    let tenant = exchange.tenant.id();
    let opened = exchange
        .tenant
        .open_handle(app, HandleKind::Session, text)
        .await;
    let Ok(handle) = opened else {
        return Ok(None);
    };
    let Some(found) = app.store.session(tenant, handle.row).await? else {
        return Ok(None);
    };
    let session = found.session;
    let idle_end = session
        .last_seen_at
        .plus(exchange.tenant.tenant.policy.lifetimes.session_idle);
    let live = found.generation == handle.generation
        && session.ended_at.is_none()
        && now < session.expires_at
        && now < idle_end;
    if !live {
        return Ok(None);
    }
    app.store.touch_session(tenant, &session, now).await?;
    Ok(Some((session, found.generation)))
}
