//! Who sends a token: whether it is the one it is bound to (RFC 9449 §7, RFC 8705 §3). Whether the token itself is good is
//! for others.

use http::Method;
use jeton_token::base64url;
use jeton_token::confirmation::Confirmation;
use jeton_token::dpop::{Proof, Request};
use jeton_token::handle::{HandleKey, HandleKeys};
use jeton_token::secret::{Secret, sha256};
use jeton_token::timestamp::Timestamp;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::access::Access;
use crate::fetch::Unavailable;
use crate::memory::Memory;
use crate::presented::{Presented, Scheme};
use crate::rejected::Rejected;

/// How many proofs are remembered unless said otherwise: about ten megabytes.
const MOST: usize = 100_000;
/// Longer than any proof is accepted, by its time or by its nonce.
const REMEMBERED: Duration = Duration::from_secs(181);

const LABEL: &str = "resource dpop nonce";
const MINUTE: i64 = 60_000;

/// The SHA-256 thumbprint of the certificate a client proved in the TLS handshake (RFC 8705 §3.1). Whoever ends TLS puts it
/// into the extensions of the request. Never take it from a header that a client could have sent.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate(pub [u8; 32]);

/// The request a proof must be for.
#[derive(Copy, Clone, Debug)]
pub struct Sent<'a> {
    pub method: &'a Method,
    /// The address as clients know it, not as a proxy rewrote it.
    pub url: &'a str,
    pub certificate: Option<ClientCertificate>,
}

/// The memory of proofs that were used, and the nonces they have to carry, if any.
///
/// The memory is this process's own. Behind a load balancer a proof can be used once on each process, and once more after
/// a restart, within its minute; nonces keep proofs from being made long before, not from that.
#[derive(Debug)]
pub struct Proofs {
    spent: Mutex<Memory<()>>,
    nonces: Option<HandleKeys>,
}

impl Default for Proofs {
    fn default() -> Self {
        Self::remembering(MOST)
    }
}

impl Proofs {
    /// With another bound. When it is reached requests with proofs are answered 503 for up to three minutes: to forget a
    /// proof early would be to accept it twice.
    pub fn remembering(most: usize) -> Self {
        Self {
            spent: Mutex::new(Memory::new(most)),
            nonces: None,
        }
    }

    /// Has proofs carry a nonce of the last two minutes. Processes that share the secret (at least 32 bytes) accept each
    /// other's; `None` when it is too short. (RFC 9449 §9)
    pub fn with_nonces(mut self, secret: &Secret) -> Option<Self> {
        if secret.len() < 32 {
            return None;
        }
        let key = HandleKey::new(1, secret).ok()?;
        self.nonces = HandleKeys::new(key, Vec::new()).ok();
        self.nonces.is_some().then_some(self)
    }

    /// The nonce for the next proof, where one is needed.
    pub fn next_nonce(&self, now: Timestamp) -> Option<String> {
        let keys = self.nonces.as_ref()?;
        Some(nonce(keys, now.millis().div_euclid(MINUTE)))
    }

    /// Whether the request comes from the holder of the token's key. A proof is spent by this, once it has been found to be
    /// by that key.
    pub fn prove_holder(
        &self,
        presented: &Presented<'_>,
        access: &Access,
        sent: &Sent<'_>,
        now: Timestamp,
    ) -> Result<(), Rejected> {
        match (access.cnf, presented.scheme) {
            (None, Scheme::Bearer) => Ok(()),
            (Some(Confirmation::Certificate(bound_to)), Scheme::Bearer) => {
                if sent.certificate == Some(ClientCertificate(bound_to)) {
                    Ok(())
                } else {
                    Err(Rejected::Certificate)
                }
            }
            (Some(Confirmation::DpopKey(_)), Scheme::Bearer) => Err(Rejected::BoundAsBearer),
            (None | Some(Confirmation::Certificate(_)), Scheme::Dpop) => Err(Rejected::Unbound),
            (Some(Confirmation::DpopKey(bound_to)), Scheme::Dpop) => {
                let proof = self.verify(presented, sent, now)?;
                if proof.thumbprint != bound_to {
                    return Err(Rejected::ProofKey);
                }
                self.spend(&proof, now)
            }
        }
    }

    fn verify(
        &self,
        presented: &Presented<'_>,
        sent: &Sent<'_>,
        now: Timestamp,
    ) -> Result<Proof, Rejected> {
        let text = presented.proof.ok_or(Rejected::ProofMissing)?;
        let request = Request {
            method: sent.method.as_str(),
            url: sent.url,
            access_token: Some(presented.token),
        };
        let proof = Proof::verify(text, &request).map_err(Rejected::Proof)?;
        match &self.nonces {
            // Our own nonce says when the proof was made; the client's clock need not be right. (RFC 9449 §11.1)
            Some(keys) if proof.nonce.as_deref().is_some_and(|n| admits(keys, n, now)) => Ok(proof),
            Some(_) => Err(Rejected::ProofNonce),
            None if proof.is_timely(now) => Ok(proof),
            None => Err(Rejected::ProofTime),
        }
    }

    fn spend(&self, proof: &Proof, now: Timestamp) -> Result<(), Rejected> {
        let key = sha256(&[&proof.thumbprint[..], proof.jti.as_bytes()].concat());
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.forget(now);
        if spent.find(&key, now).is_some() {
            return Err(Rejected::ProofReplayed);
        }
        if spent.is_full() {
            return Err(Unavailable::NoRoom.into());
        }
        spent.keep(key, (), (now, now.plus(REMEMBERED)));
        Ok(())
    }
}

/// Of this minute, of the last, or of the next by a process whose clock is ahead.
fn admits(keys: &HandleKeys, sent: &str, now: Timestamp) -> bool {
    let minute = now.millis().div_euclid(MINUTE);
    let matches = |minute: i64| {
        base64url::decode(sent)
            .is_ok_and(|mac| keys.mac_matches(LABEL, &[&minute.to_be_bytes()], &mac))
    };
    (minute.saturating_sub(1)..=minute.saturating_add(1)).any(matches)
}

fn nonce(keys: &HandleKeys, minute: i64) -> String {
    base64url::encode(&keys.mac(LABEL, &[&minute.to_be_bytes()]))
}
