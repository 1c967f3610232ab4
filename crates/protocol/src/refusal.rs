//! Rules, refusals and the trail of checks a request has passed.
//!
//! A [`Rule`] is declared once, beside the decision that enforces it. The same value explains a check that passed (in the
//! trace), a check that failed (in the log) and the clause it stands for (in `docs/specs.md`). Nothing a caller sent ever
//! reaches `told`: it is fixed text.

use std::borrow::Cow;
use std::fmt;

/// The error names of the OAuth registry that Jeton answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    UnsupportedResponseType,
    UnsupportedTokenType,
    InvalidScope,
    InvalidTarget,
    AccessDenied,
    LoginRequired,
    ConsentRequired,
    InteractionRequired,
    RequestNotSupported,
    RequestUriNotSupported,
    InvalidRequestObject,
    InvalidRequestUri,
    RegistrationNotSupported,
    UnmetAuthenticationRequirements,
    InvalidToken,
    InsufficientScope,
    /// RFC 8628 §3.5, with the two behind it.
    AuthorizationPending,
    SlowDown,
    ExpiredToken,
    InvalidDpopProof,
    UseDpopNonce,
    ServerError,
    TemporarilyUnavailable,
}

impl ErrorCode {
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AccessDenied => "access_denied",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::InteractionRequired => "interaction_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::InvalidRequestObject => "invalid_request_object",
            Self::InvalidRequestUri => "invalid_request_uri",
            Self::RegistrationNotSupported => "registration_not_supported",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::ExpiredToken => "expired_token",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseDpopNonce => "use_dpop_nonce",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }
}

/// One rule of a specification, as Jeton enforces it.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable name for logs, metrics and tests; never reused for another rule.
    pub cause: &'static str,
    pub code: ErrorCode,
    /// The section that asks for it, such as `RFC 7636 §4.6`.
    pub clause: &'static str,
    /// What holds when the check passes, in one sentence.
    pub promise: &'static str,
    /// What the caller reads in `error_description`. Characters as RFC 6749 §5.2 allows.
    pub told: &'static str,
    /// What the operator or the client's developer should do about it.
    pub fix: &'static str,
}

/// What the rule wanted and what the request had. For the operator only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noted {
    pub expected: Cow<'static, str>,
    pub found: Cow<'static, str>,
}

impl Noted {
    pub fn new(
        expected: impl Into<Cow<'static, str>>,
        found: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            expected: expected.into(),
            found: found.into(),
        }
    }
}

/// The rules say no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub rule: &'static Rule,
    pub noted: Box<Noted>,
}

impl Refusal {
    pub fn new(
        rule: &'static Rule,
        expected: impl Into<Cow<'static, str>>,
        found: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            rule,
            noted: Box::new(Noted::new(expected, found)),
        }
    }

    pub fn code(&self) -> ErrorCode {
        self.rule.code
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} ({})",
            self.rule.code.name(),
            self.rule.cause,
            self.rule.clause
        )
    }
}

/// The checks one request has passed, in order. Recording is off unless somebody watches.
#[derive(Debug, Default)]
pub struct Trail {
    passed: Option<Vec<&'static Rule>>,
}

impl Trail {
    /// A trail nobody reads: passing a check costs one comparison.
    pub const fn off() -> Self {
        Self { passed: None }
    }

    pub fn watched() -> Self {
        Self {
            passed: Some(Vec::with_capacity(16)),
        }
    }

    /// Goes on when `holds`, refuses otherwise. `noted` is asked for both values only then.
    pub fn require(
        &mut self,
        rule: &'static Rule,
        holds: bool,
        noted: impl FnOnce() -> Noted,
    ) -> Result<(), Refusal> {
        if holds {
            self.pass(rule);
            Ok(())
        } else {
            Err(Refusal {
                rule,
                noted: Box::new(noted()),
            })
        }
    }

    /// Takes the value out of `found`, or refuses.
    pub fn demand<T>(
        &mut self,
        rule: &'static Rule,
        found: Option<T>,
        noted: impl FnOnce() -> Noted,
    ) -> Result<T, Refusal> {
        match found {
            Some(value) => {
                self.pass(rule);
                Ok(value)
            }
            None => Err(Refusal {
                rule,
                noted: Box::new(noted()),
            }),
        }
    }

    /// Notes a rule whose check was made elsewhere, such as inside a write.
    pub fn pass(&mut self, rule: &'static Rule) {
        if let Some(passed) = &mut self.passed {
            passed.push(rule);
        }
    }

    /// How many checks were passed so far.
    pub fn mark(&self) -> usize {
        self.passed().len()
    }

    /// Forgets what was passed since the mark, because it will be asked again.
    pub fn rewind(&mut self, mark: usize) {
        if let Some(passed) = &mut self.passed {
            passed.truncate(mark);
        }
    }

    pub fn passed(&self) -> &[&'static Rule] {
        self.passed.as_deref().unwrap_or_default()
    }
}

/// Declares rules as constants and lists them all as `RULES`, so that none is left out of `docs/specs.md`.
#[macro_export]
macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $code:ident, $cause:literal, $clause:literal, {
        promise: $promise:literal, told: $told:literal, fix: $fix:literal $(,)?
    };)+) => {
        $($(#[$doc])* pub static $name: $crate::refusal::Rule = $crate::refusal::Rule {
            cause: $cause,
            code: $crate::refusal::ErrorCode::$code,
            clause: $clause,
            promise: $promise,
            told: $told,
            fix: $fix,
        };)+
        pub static RULES: &[&$crate::refusal::Rule] = &[$(&$name),+];
    };
}
