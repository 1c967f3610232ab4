//! Making the secret of a client, and `jeton client secret`.

use jeton_protocol::client::{AuthenticationMethod, Client, KeptSecret};
use jeton_protocol::tenant::TenantId;
use jeton_token::base64url;
use jeton_token::secret::{Secret, sha256};

use super::add::answer;
use super::{list, shown};
use crate::command::desk::{Desk, TenantOption, replaced};
use crate::command::{Answer, Failure};

/// The client that gets a new secret.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jeton client secret photos")]
pub struct Options {
    /// Its id
    id: String,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Replaces the secret; whoever has the old one is refused within a second.
pub(super) fn run(options: &Options, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let mut seen = list::find_seen(&tenant, &options.id, desk)?;
    let Some(secret) = give(&mut seen.record, &tenant, desk)? else {
        let method = seen.record.authentication.name();
        return Err(Failure::refused(format!(
            "{} has no secret: it uses {method}",
            seen.record.id
        )));
    };
    let occasion = desk.occasion();
    let outcome = desk.wait(desk.store.change_client(&tenant, seen.clone(), occasion))?;
    replaced(outcome, "client", seen.record.id.as_str())?;
    Ok(answer(shown(&seen.record), Some(&secret)))
}

/// Gives the client a new secret of 256 bits if its method uses one; what is kept cannot be turned
/// back, unless the method needs the secret itself. (SEC-411, SEC-412)
pub(super) fn give(
    client: &mut Client,
    tenant: &TenantId,
    desk: &mut Desk,
) -> Result<Option<String>, Failure> {
    use AuthenticationMethod as Method;
    let secret =
        |desk: &mut Desk| base64url::encode(Secret::random(&mut desk.ambient.entropy).expose());
    match client.authentication {
        Method::None | Method::PrivateKeyJwt => Ok(None),
        Method::ClientSecretBasic | Method::ClientSecretPost => {
            let secret = secret(desk);
            client.secret = Some(KeptSecret::Digest(sha256(secret.as_bytes())));
            Ok(Some(secret))
        }
        Method::ClientSecretJwt => {
            let secret = secret(desk);
            let kek = desk.kek()?;
            let plain = Secret::from_text(secret.clone());
            let entropy = &mut desk.ambient.entropy;
            let sealed = kek.seal_client_secret(tenant, &client.id, &plain, entropy);
            client.secret = Some(KeptSecret::Sealed(sealed.map_err(Failure::refused)?));
            Ok(Some(secret))
        }
    }
}
