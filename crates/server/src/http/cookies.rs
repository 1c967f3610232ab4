//! Cookies: named for their tenant, for this host only, never readable by script (SEC-403).

use super::exchange::Exchange;
use http::{HeaderValue, header};
use jeton_protocol::tenant::{Tenant, TenantId};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// Knows the browser again between the steps of an interaction.
    Browser,
    /// The browser is signed in.
    Session,
    /// A user has signed in with this browser before: it keeps a budget of tries of its own (SEC-202).
    Known,
}

impl Cookie {
    fn stem(self) -> &'static str {
        match self {
            Self::Browser => "jeton-browser",
            Self::Session => "jeton-session",
            Self::Known => "jeton-known",
        }
    }

    /// `__Host-` needs https, which a loopback issuer in development does not have.
    fn name(self, tenant: &Tenant) -> String {
        let prefix = if tenant.issuer.is_https() {
            "__Host-"
        } else {
            ""
        };
        if tenant.id.as_str() == TenantId::DEFAULT {
            format!("{prefix}{}", self.stem())
        } else {
            format!("{prefix}{}-{}", self.stem(), tenant.id)
        }
    }

    /// The cookie's value. One that is sent twice was planted by somebody, so it counts as absent (SEC-041, SEC-118); other
    /// cookies may hold whatever bytes they like.
    pub fn read(self, exchange: &Exchange) -> Option<&str> {
        let name = self.name(&exchange.tenant.tenant);
        let mut found = None;
        for header in exchange.headers.get_all(header::COOKIE) {
            for pair in header.as_bytes().split(|byte| *byte == b';') {
                let pair = pair.trim_ascii();
                let Some(value) = pair
                    .strip_prefix(name.as_bytes())
                    .and_then(|rest| rest.strip_prefix(b"="))
                else {
                    continue;
                };
                if found.replace(value).is_some() {
                    return None;
                }
            }
        }
        found
            .and_then(|value| std::str::from_utf8(value).ok())
            .filter(|value| !value.is_empty())
    }

    /// `Lax`: the authorization request is a navigation from another site.
    pub fn set(self, tenant: &Tenant, value: &str) -> HeaderValue {
        self.write(
            tenant,
            value,
            if self == Self::Known {
                "; Max-Age=31536000"
            } else {
                ""
            },
        )
    }

    pub fn clear(self, tenant: &Tenant) -> HeaderValue {
        self.write(tenant, "", "; Max-Age=0")
    }

    fn write(self, tenant: &Tenant, value: &str, more: &str) -> HeaderValue {
        let secure = if tenant.issuer.is_https() {
            "; Secure"
        } else {
            ""
        };
        let text = format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{more}",
            self.name(tenant)
        );
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}
