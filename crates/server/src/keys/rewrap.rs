//! Sealing everything anew, when the key-encryption key is replaced. A server goes on meanwhile: it opens what either key sealed.

use super::kek::Under;
use super::{Kek, KeyError};
use jeton_protocol::client::{Client, ClientId, KeptSecret};
use jeton_protocol::tenant::TenantId;
use jeton_store::keys::Resealed;
use jeton_store::{Page, Store};
use jeton_token::entropy::Entropy;

/// What was found, and done.
#[derive(Debug, Default)]
pub struct Rewrapped {
    /// Sealed under the current key by this run.
    pub resealed: u64,
    /// What neither key opens, left as it is: tenant, kind and name.
    pub damaged: Vec<String>,
}

/// Seals every stored secret under the current key. Each step is a transaction of its own and replaces only what is still what
/// was read, so it may be interrupted anywhere and begun again; it ends when a whole pass has found nothing more to do.
pub async fn rewrap(
    store: &Store,
    kek: &Kek,
    entropy: &mut Entropy,
) -> Result<Rewrapped, KeyError> {
    let mut total = 0;
    loop {
        let mut pass = Rewrapped::default();
        let found = one_pass(store, kek, &mut pass, entropy).await?;
        total += pass.resealed;
        if found == 0 {
            return Ok(Rewrapped {
                resealed: total,
                ..pass
            });
        }
    }
}

/// How much was still sealed under the previous key.
async fn one_pass(
    store: &Store,
    kek: &Kek,
    pass: &mut Rewrapped,
    entropy: &mut Entropy,
) -> Result<usize, KeyError> {
    let mut found = 0;
    let mut page = Page {
        after: None,
        limit: BATCH,
    };
    loop {
        let tenants = store.tenants(page.clone()).await?;
        for tenant in &tenants {
            found += keys(store, kek, &tenant.tenant.id, (pass, entropy)).await?;
            found += client_secrets(store, kek, &tenant.tenant.id, (pass, entropy)).await?;
        }
        match tenants.last() {
            Some(last) if tenants.len() == BATCH as usize => {
                page.after = Some(last.tenant.id.clone());
            }
            Some(_) | None => return Ok(found),
        }
    }
}

/// How many rows one transaction changes, at most.
const BATCH: u32 = 100;

async fn keys(
    store: &Store,
    kek: &Kek,
    tenant: &TenantId,
    (pass, entropy): (&mut Rewrapped, &mut Entropy),
) -> Result<usize, KeyError> {
    let mut todo = Vec::new();
    for row in store.keys(tenant).await? {
        match kek.key_is_under(tenant, &row) {
            Under::Current => {}
            Under::Neither => pass
                .damaged
                .push(format!("tenant {tenant}, key {}", row.id)),
            Under::Previous(secret) => todo.push(Resealed {
                id: row.id,
                after: kek.seal_key(tenant, (row.purpose, row.id), &secret, entropy)?,
                before: row.sealed,
            }),
        }
    }
    for batch in todo.chunks(BATCH as usize) {
        pass.resealed += store.reseal_keys(tenant, batch.to_vec()).await?;
    }
    Ok(todo.len())
}

async fn client_secrets(
    store: &Store,
    kek: &Kek,
    tenant: &TenantId,
    (pass, entropy): (&mut Rewrapped, &mut Entropy),
) -> Result<usize, KeyError> {
    let mut found = 0;
    let mut page = Page {
        after: None,
        limit: BATCH,
    };
    loop {
        let clients = store.clients(tenant, page.clone()).await?;
        let mut todo = Vec::new();
        for (id, sealed) in clients.iter().filter_map(sealed_secret) {
            match kek.client_secret_is_under(tenant, id.as_str(), sealed) {
                Under::Current => {}
                Under::Neither => pass
                    .damaged
                    .push(format!("tenant {tenant}, secret of client {id}")),
                Under::Previous(secret) => todo.push(Resealed {
                    id: id.clone(),
                    before: sealed.clone(),
                    after: kek.seal_client_secret(tenant, id, &secret, entropy)?,
                }),
            }
        }
        found += todo.len();
        if !todo.is_empty() {
            pass.resealed += store.reseal_client_secrets(tenant, todo).await?;
        }
        match clients.last() {
            Some(last) if clients.len() == BATCH as usize => page.after = Some(last.id.clone()),
            Some(_) | None => return Ok(found),
        }
    }
}

fn sealed_secret(client: &Client) -> Option<(&ClientId, &String)> {
    match client.secret.as_ref()? {
        KeptSecret::Sealed(sealed) => Some((&client.id, sealed)),
        KeptSecret::Digest(_) | KeptSecret::Hashed(_) => None,
    }
}
