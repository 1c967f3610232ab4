//! When a JWT that a client or a trusted issuer made is good (RFC 7519 §4.1.4 to §4.1.6): one judgement for assertions and
//! request objects. Which of the times must be there, and which rule says so, is for those who ask.

use crate::refusal::{Noted, Refusal};
use jeton_token::jwt::Claims;
use jeton_token::timestamp::Timestamp;
use std::time::Duration;

/// How far the clock of whoever made it may be off.
pub(crate) const CLOCK_TOLERANCE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy)]
pub(crate) struct Times {
    pub(crate) exp: Option<Timestamp>,
    iat: Option<Timestamp>,
    nbf: Option<Timestamp>,
}

impl Times {
    /// A time that is there and no number is refused as `wrong_type` says.
    pub(crate) fn read(
        claims: &Claims,
        wrong_type: fn(&'static str) -> Refusal,
    ) -> Result<Self, Refusal> {
        let time = |name| claims.time(name).map_err(|_| wrong_type(name));
        Ok(Self {
            exp: time("exp")?,
            iat: time("iat")?,
            nbf: time("nbf")?,
        })
    }

    /// Not over, not over too late, and neither made nor good from a later time on; what is absent is no fault.
    pub(crate) fn fit(&self, now: Timestamp, longest: Duration) -> bool {
        let latest = now.plus(CLOCK_TOLERANCE);
        self.exp
            .is_none_or(|exp| exp.plus(CLOCK_TOLERANCE) > now && exp <= latest.plus(longest))
            && self.iat.is_none_or(|iat| iat <= latest)
            && self.nbf.is_none_or(|nbf| nbf <= latest)
    }

    /// Both values, for the operator.
    pub(crate) fn noted(&self, now: Timestamp, longest: &str) -> Noted {
        let ahead = |time: Option<Timestamp>| {
            time.map_or("absent".to_owned(), |time| {
                format!("{} s", time.seconds() - now.seconds())
            })
        };
        Noted::new(
            format!("exp within {longest} ahead, iat and nbf at most 10 s ahead"),
            format!(
                "from now: exp {}, iat {}, nbf {}",
                ahead(self.exp),
                ahead(self.iat),
                ahead(self.nbf)
            ),
        )
    }
}
