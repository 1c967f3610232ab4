//! What a person sees: sign-in, consent, failures, sign-out, the home page and the trace.
//!
//! A page is a plain struct of exactly what its template needs, in; one HTML text, out. Nothing here reads a request, a
//! clock or the store, and nothing here decides anything. Headers (CSP among them) belong to `http/`.

mod admin_link;
mod asking;
mod asset;
mod clause;
mod consent;
mod device;
mod failure;
mod form_post;
mod home;
mod locale;
mod look;
mod render;
mod rule;
mod sign_in;
mod sign_out;
mod text;
mod trace;

use serde::Serialize;

pub use admin_link::AdminLink;
pub use asking::{Asking, Destination, DestinationKind, Trust};
pub use asset::{Asset, asset};
pub use consent::{Consent, ScopeLine};
pub use device::{DeviceConfirm, DeviceDone, DeviceOutcome, UserCodePage};
pub use failure::{Explained, Failure, Onward};
pub use form_post::{FormPost, PostedField};
pub use home::{Demo, Home, HomeClient, HomeEndpoint};
pub use locale::Locale;
pub use look::Look;
pub use render::{PageError, Pages};
pub use rule::{RuleLine, RulePage};
pub use sign_in::{DemoUser, SignIn, SignInProblem, Why};
pub use sign_out::{SignOutQuestion, SignedOut};
pub use text::WebUrl;
pub use trace::{
    Outcome, Pair, Peer, TraceCheck, TraceDetail, TraceFlow, TraceList, TraceRefusal, TraceStep,
    Way,
};

/// Every page there is.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Page<'a> {
    SignIn(SignIn<'a>),
    Consent(Consent<'a>),
    UserCode(UserCodePage<'a>),
    DeviceConfirm(DeviceConfirm<'a>),
    DeviceDone(DeviceDone<'a>),
    Failure(Failure<'a>),
    FormPost(FormPost<'a>),
    SignedOut(SignedOut<'a>),
    SignOutQuestion(SignOutQuestion<'a>),
    Home(Home<'a>),
    TraceList(TraceList<'a>),
    TraceDetail(TraceDetail<'a>),
    Rule(RulePage<'a>),
    AdminLink(AdminLink<'a>),
}

impl Page<'_> {
    const fn template(&self) -> &'static str {
        match self {
            Self::SignIn(_) => "sign-in.html",
            Self::Consent(_) => "consent.html",
            Self::UserCode(_) => "user-code.html",
            Self::DeviceConfirm(_) => "device-confirm.html",
            Self::DeviceDone(_) => "device-done.html",
            Self::Failure(_) => "failure.html",
            Self::FormPost(_) => "form-post.html",
            Self::SignedOut(_) => "signed-out.html",
            Self::SignOutQuestion(_) => "sign-out.html",
            Self::Home(_) => "home.html",
            Self::TraceList(_) => "trace-list.html",
            Self::TraceDetail(_) => "trace-detail.html",
            Self::Rule(_) => "rule.html",
            Self::AdminLink(_) => "admin-link.html",
        }
    }
}
