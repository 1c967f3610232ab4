//! Who calls, and what they hold: a proven client with the key its request was proven to come from.

use crate::client::Client;
use crate::client_auth::AuthenticatedClient;
use jeton_token::confirmation::Confirmation;

/// The key whose holder sent this request. Made from a proof that was verified and spent; what is issued is bound to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding(Confirmation);

impl Binding {
    /// For the modules that prove possession; a token's own `cnf` proves nothing about who sends it.
    pub(crate) const fn proven(key: Confirmation) -> Self {
        Self(key)
    }

    pub const fn confirmation(self) -> Confirmation {
        self.0
    }
}

/// Whoever sends a token request.
#[derive(Clone, Debug)]
pub struct Caller {
    client: AuthenticatedClient,
    binding: Option<Binding>,
}

impl Caller {
    pub const fn new(client: AuthenticatedClient, binding: Option<Binding>) -> Self {
        Self { client, binding }
    }

    pub fn client(&self) -> &Client {
        self.client.client()
    }

    pub const fn authenticated(&self) -> &AuthenticatedClient {
        &self.client
    }

    pub fn is_public(&self) -> bool {
        self.client.is_public()
    }

    /// What tokens given to this caller are bound to.
    pub fn confirmation(&self) -> Option<Confirmation> {
        self.binding.map(Binding::confirmation)
    }

    /// What refresh tokens given to this caller are bound to. Those of a confidential client are bound to the client, which
    /// may change its key. (RFC 9449 §5)
    pub fn refresh_key(&self) -> Option<Confirmation> {
        self.confirmation().filter(|_| self.is_public())
    }

    /// Whether this caller holds `key`.
    pub fn holds(&self, key: Confirmation) -> bool {
        self.confirmation() == Some(key)
    }
}
