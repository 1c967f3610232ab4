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
}

impl Cookie {
    fn stem(self) -> &'static str {
        match self {
            Self::Browser => "jeton-browser",
            Self::Session => "jeton-session",
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

    /// The cookie's value. One that is sent twice was planted by somebody, so it counts as absent (SEC-041, SEC-118).
    pub fn read(self, exchange: &Exchange) -> Option<&str> {
        let name = self.name(&exchange.tenant.tenant);
        let mut found = None;
        for value in exchange.headers.get_all(header::COOKIE) {
            for pair in value.to_str().ok()?.split(';') {
                let Some((key, value)) = pair.trim().split_once('=') else {
                    continue;
                };
                if key == name {
                    if found.is_some() {
                        return None;
                    }
                    found = Some(value);
                }
            }
        }
        found.filter(|value| !value.is_empty())
    }

    /// `Lax`: the authorization request is a navigation from another site.
    pub fn set(self, tenant: &Tenant, value: &str) -> HeaderValue {
        self.write(tenant, value, "")
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
