//! A code whose grant has no challenge: no request leads to one, so it is put into the store.

use crate::support::{CHALLENGE, TestServer, clients};
use jeton_protocol::client::ClientId;
use jeton_protocol::grant::{CodeBinding, Grant};
use jeton_protocol::interaction::{Interaction, Progress};
use jeton_protocol::scope::Scope;
use jeton_protocol::session::Session;
use jeton_protocol::user::UserId;
use jeton_store::grants::{Approval, Approved};
use jeton_token::handle::HandleKind;
use jeton_token::row_id::RowId;
use serde_json::json;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

pub async fn code(server: &TestServer, client: &str) -> String {
    let (store, tenant) = (&server.app.store, server.tenant());
    let interaction = interaction(server, client);
    let grant = grant(server, client, server.user("alice").await.id);
    let (id, opened) = (grant.id, interaction.id);
    let occasion = server.occasion();
    store
        .open_session(&tenant, session(&grant), occasion)
        .await
        .unwrap();
    store.open_interaction(&tenant, interaction).await.unwrap();
    let approval = Approval {
        interaction: Some(opened),
        pushed: None,
        version: 0,
        grant,
        code_expires_at: server.now().plus(MINUTE),
        consent: None,
        occasion: server.occasion(),
    };
    assert_eq!(
        store.approve(&tenant, approval).await,
        Ok(Approved::Approved)
    );
    let ring = server.state().await.ring();
    ring.handles.seal(tenant.as_str(), HandleKind::Code, id, 0)
}

fn interaction(server: &TestServer, client: &str) -> Interaction {
    let mut ambient = server.app.ambient();
    let request = json!({
        "client_id": client, "target": { "redirect_uri": clients::redirect_uri(client), "state": null },
        "scope": "openid", "code_challenge": CHALLENGE, "nonce": null, "prompt": [], "max_age": null,
        "login_hint": null, "ui_locales": null, "claims": null, "hinted_subject": null
    });
    Interaction {
        id: RowId::new(ambient.now, &mut ambient.entropy),
        request: serde_json::from_value(request).unwrap(),
        browser: [0; 32],
        progress: Progress::default(),
        pushed: None,
        created_at: ambient.now,
        expires_at: ambient.now.plus(MINUTE),
        closed_at: None,
    }
}

fn session(grant: &Grant) -> Session {
    Session {
        id: grant.session,
        user: grant.user,
        auth_time: grant.auth_time,
        amr: Vec::new(),
        acr: grant.acr.clone(),
        created_at: grant.created_at,
        last_seen_at: grant.created_at,
        expires_at: grant.expires_at,
        ended_at: None,
    }
}

fn grant(server: &TestServer, client: &str, user: UserId) -> Grant {
    let mut ambient = server.app.ambient();
    let now = ambient.now;
    Grant {
        id: RowId::new(now, &mut ambient.entropy),
        client: ClientId::parse(client).unwrap(),
        user,
        session: RowId::new(now, &mut ambient.entropy),
        subject: user.to_string(),
        scope: Scope::parse("openid").unwrap(),
        audience: vec![server.issuer.clone()],
        auth_time: now,
        acr: String::new(),
        amr: Vec::new(),
        offline: true,
        binding: None,
        claims: None,
        code: CodeBinding {
            key: None,
            redirect_uri: clients::redirect_uri(client).to_owned(),
            redirect_uri_sent: true,
            code_challenge: None,
            nonce: None,
        },
        created_at: now,
        expires_at: now.plus(Duration::from_secs(3600)),
    }
}
