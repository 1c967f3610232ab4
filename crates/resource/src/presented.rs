//! How a token arrives: in one Authorization header, never in the query or a form (RFC 6750 §2.1, RFC 9449 §7.1).

use http::header::{AUTHORIZATION, HeaderMap};

use crate::rejected::{Refused, Rejected};

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    Bearer,
    Dpop,
}

/// The token of a request, and the proof that came with it.
#[derive(Copy, Clone, Debug)]
pub struct Presented<'a> {
    pub scheme: Scheme,
    pub token: &'a str,
    pub proof: Option<&'a str>,
}

impl<'a> Presented<'a> {
    /// Reads the headers. A scheme that is not about tokens counts as no token.
    pub fn read(headers: &'a HeaderMap) -> Result<Self, Refused> {
        let refused = |why, scheme| Refused { why, scheme };
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let value = values
            .next()
            .ok_or_else(|| refused(Rejected::NoToken, None))?;
        if values.next().is_some() {
            return Err(refused(Rejected::Request, None));
        }
        let value = value.to_str().unwrap_or_default();
        let (name, token) = value.split_once(' ').unwrap_or((value, ""));
        let scheme = if name.eq_ignore_ascii_case("bearer") {
            Scheme::Bearer
        } else if name.eq_ignore_ascii_case("dpop") {
            Scheme::Dpop
        } else {
            return Err(refused(Rejected::NoToken, None));
        };
        let token = token.trim_matches(' ');
        if !is_token68(token) {
            return Err(refused(Rejected::Request, Some(scheme)));
        }
        Ok(Self {
            scheme,
            token,
            proof: proof(headers).map_err(|why| refused(why, Some(scheme)))?,
        })
    }
}

fn proof(headers: &HeaderMap) -> Result<Option<&str>, Rejected> {
    let mut values = headers.get_all("dpop").iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    match (value.to_str(), values.next()) {
        (Ok(text), None) => Ok(Some(text)),
        (Ok(_) | Err(_), _) => Err(Rejected::ProofRepeated),
    }
}

/// RFC 9110 §11.2.
fn is_token68(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    !body.is_empty() && body.bytes().all(fits)
}
