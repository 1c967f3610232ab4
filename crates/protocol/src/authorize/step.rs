//! What has to happen next in an interaction. `prompt`, `max_age` and `id_token_hint` are judged here and nowhere else.

use super::request::{AuthorizationRequest, Prompt};
use crate::client::Client;
use crate::consent::Consent;
use crate::interaction::Progress;
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;
use crate::scope::Scope;
use crate::session::Session;
use jeton_token::timestamp::Timestamp;
use std::time::Duration;

rules! {
    SIGNED_IN = LoginRequired, "login_required", "Core §3.1.2.6", {
        promise: "The user is signed in, recently enough for the request",
        told: "The user has to sign in",
        fix: "Send the request again without prompt=none, so that the user can sign in"
    };
    HINTED_USER = LoginRequired, "hinted_user_differs", "Core §3.1.2.1", {
        promise: "The user who signed in is the one of id_token_hint",
        told: "Another user is signed in than the one asked for",
        fix: "Leave id_token_hint out to accept any user, or have that user sign in"
    };
    CONSENTED = ConsentRequired, "consent_required", "Core §3.1.2.6", {
        promise: "The user has consented to this client and scope",
        told: "The user has to consent",
        fix: "Send the request again without prompt=none, so that the user can be asked"
    };
    ACR_MET = UnmetAuthenticationRequirements, "acr_unmet", "Core §5.5.1.1, OpenID Connect Core Unmet Authentication Requirements 1.0 §2", {
        promise: "The user has authenticated in one of the ways that the client calls essential",
        told: "The authentication that was asked for as essential is not available",
        fix: "Ask for an acr value that acr_values_supported in the metadata lists, or ask for it as voluntary"
    };
    APPROVED = AccessDenied, "access_denied", "RFC 6749 §4.1.2.1", {
        promise: "The user did not refuse",
        told: "The user or the authorization server denied the request",
        fix: "Nothing to repair: the user said no; ask again only when they start over"
    };
}

#[derive(Debug, PartialEq)]
pub enum Step {
    LogIn,
    /// Ask for these scope values; those already approved earlier are among them.
    AskConsent(Scope),
    /// Everything is settled: this is consented to, of the scope and of the values that named claims belong to.
    Finish(Scope),
    Refuse(Refusal),
}

/// What the dispatcher has loaded for the decision.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    pub request: &'a AuthorizationRequest,
    pub client: &'a Client,
    /// The browser's session, if it is live.
    pub session: Option<&'a Session>,
    pub consent: Option<&'a Consent>,
    pub progress: &'a Progress,
}

pub fn next_step(situation: Situation<'_>, now: Timestamp, trail: &mut Trail) -> Step {
    match decide(situation, now, trail) {
        Ok(step) => step,
        Err(refusal) => Step::Refuse(refusal),
    }
}

fn decide(situation: Situation<'_>, now: Timestamp, trail: &mut Trail) -> Result<Step, Refusal> {
    let Situation {
        request,
        client,
        session,
        consent,
        progress,
    } = situation;
    trail.require(&APPROVED, !progress.denied, || {
        Noted::new("an approval", "a refusal by the user")
    })?;
    let silent = request.prompts(Prompt::None);

    let Some(session) = session.filter(|session| is_recent_enough(request, progress, session, now))
    else {
        trail.require(&SIGNED_IN, !silent, || {
            Noted::new("a recent enough session", "none")
        })?;
        return Ok(Step::LogIn);
    };
    if let Some(subject) = &request.hinted_subject
        && *subject != session.user.to_string()
    {
        let has_tried = signed_in_here(progress, session);
        trail.require(&HINTED_USER, !silent && !has_tried, || {
            Noted::new("the user of id_token_hint", "another user")
        })?;
        return Ok(Step::LogIn);
    }
    trail.pass(&SIGNED_IN);

    check_acr(request, session, trail)?;

    let asked = request.to_consent();
    if let Some(approved) = progress
        .approved
        .as_ref()
        .filter(|approved| approved.session == session.id)
    {
        return Ok(Step::Finish(approved.scope.intersection(&asked)));
    }
    let remembered = is_assured(client, request)
        && consent.is_some_and(|consent| asked.is_subset_of(&consent.scope));
    if (client.first_party || remembered) && !request.prompts(Prompt::Consent) {
        trail.pass(&CONSENTED);
        return Ok(Step::Finish(asked));
    }
    trail.require(&CONSENTED, !silent, || {
        Noted::new(
            asked.to_string(),
            consent.map_or_else(|| "no consent".to_owned(), |c| c.scope.to_string()),
        )
    })?;
    Ok(Step::AskConsent(asked))
}

/// Whether the answer can only reach the client that was consented to. A public client behind a loopback or private-use URI
/// may be any program of the user's computer, so its user is asked each time (RFC 8252 §8.6, SEC-157).
fn is_assured(client: &Client, request: &AuthorizationRequest) -> bool {
    !client.is_public() || request.target.redirect_uri().starts_with("https://")
}

/// An `acr` asked for as essential has to be what was done (Core §5.5.1.1).
fn check_acr(
    request: &AuthorizationRequest,
    session: &Session,
    trail: &mut Trail,
) -> Result<(), Refusal> {
    let wanted = request
        .claims
        .as_ref()
        .map(|claims| claims.essential_acr.as_slice())
        .unwrap_or_default();
    trail.require(
        &ACR_MET,
        wanted.is_empty() || wanted.contains(&session.acr),
        || Noted::new(wanted.join(" or "), session.acr.clone()),
    )
}

pub(crate) fn signed_in_here(progress: &Progress, session: &Session) -> bool {
    progress
        .signed_in
        .as_ref()
        .is_some_and(|done| done.session == session.id)
}

/// A sign-in made for this very interaction is always recent enough, or `max_age=0` would never end.
fn is_recent_enough(
    request: &AuthorizationRequest,
    progress: &Progress,
    session: &Session,
    now: Timestamp,
) -> bool {
    if signed_in_here(progress, session) {
        return true;
    }
    let asks_anew = request.prompts(Prompt::Login) || request.prompts(Prompt::SelectAccount);
    let age = now.since(session.auth_time);
    !asks_anew
        && request
            .max_age
            .is_none_or(|most| age <= Duration::from_secs(most))
}
