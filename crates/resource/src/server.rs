//! One resource server: what it believes, where it learns that, and what a request has to bring.

use http::request::Parts;
use jeton_token::jws::Jws;
use jeton_token::timestamp::Timestamp;

use crate::access::{Access, Requirement};
use crate::introspect::Introspector;
use crate::key_cache::KeyCache;
use crate::presented::Presented;
use crate::proofs::{ClientCertificate, Proofs, Sent};
use crate::rejected::{Refused, Rejected};
use crate::verifier::Verifier;

/// Everything a request is checked with. One for an API, shared by its routes.
#[derive(Debug)]
pub struct ResourceServer {
    verifier: Verifier,
    base_url: String,
    keys: Option<KeyCache>,
    introspector: Option<Introspector>,
    proofs: Proofs,
}

impl ResourceServer {
    /// `base_url` is what clients put before the path of a request, such as `https://api.example.org`; DPoP proofs name it.
    /// Nothing is taken from the `Host` header.
    pub fn new(verifier: Verifier, base_url: impl Into<String>) -> Self {
        let base_url = base_url.into();
        Self {
            verifier,
            base_url: base_url.trim_end_matches('/').to_owned(),
            keys: None,
            introspector: None,
            proofs: Proofs::default(),
        }
    }

    /// Checks JWTs here.
    #[must_use]
    pub fn with_keys(mut self, keys: KeyCache) -> Self {
        self.keys = Some(keys);
        self
    }

    /// Asks the issuer about tokens that are no JWTs; about all, without keys.
    #[must_use]
    pub fn with_introspection(mut self, introspector: Introspector) -> Self {
        self.introspector = Some(introspector);
        self
    }

    #[must_use]
    pub fn with_proofs(mut self, proofs: Proofs) -> Self {
        self.proofs = proofs;
        self
    }

    pub fn keys(&self) -> Option<&KeyCache> {
        self.keys.as_ref()
    }

    /// The nonce to send along with the answer, where proofs need one.
    pub fn next_nonce(&self, now: Timestamp) -> Option<String> {
        self.proofs.next_nonce(now)
    }

    /// Who sends this request, if they may: token, holder and requirement, in this order.
    pub async fn admit(
        &self,
        parts: &Parts,
        requirement: &Requirement,
        now: Timestamp,
    ) -> Result<Access, Refused> {
        let presented = Presented::read(&parts.headers)?;
        let refused = |why| Refused {
            why,
            scheme: Some(presented.scheme),
        };
        let access = self.believe(presented.token, now).await.map_err(refused)?;
        let url = format!("{}{}", self.base_url, parts.uri.path());
        let sent = Sent {
            method: &parts.method,
            url: &url,
            certificate: parts.extensions.get::<ClientCertificate>().copied(),
        };
        self.proofs
            .prove_holder(&presented, &access, &sent, now)
            .and_then(|()| requirement.check(&access, now))
            .map_err(refused)?;
        Ok(access)
    }

    /// What a token says, whoever sends it.
    async fn believe(&self, token: &str, now: Timestamp) -> Result<Access, Rejected> {
        let local = self.keys.as_ref().map(|keys| (keys, Jws::parse(token)));
        match (local, &self.introspector) {
            (Some((keys, Ok(unverified))), _) => {
                self.verifier.could_be_meant(&unverified)?;
                let keys = keys.keys_for(unverified.header(), now).await?;
                self.verifier.open(&unverified, &keys, now)
            }
            (Some((_, Err(problem))), None) => Err(Rejected::Malformed(problem)),
            (Some((_, Err(_))) | None, Some(introspector)) => {
                let access = introspector.introspect(token, now).await?;
                self.verifier.judge(&access, now)?;
                Ok(access)
            }
            (None, None) => Err(Rejected::Signature),
        }
    }
}
