//! What clients may learn of a user, as options of the command line.

use jeton_protocol::claims::standard;
use jeton_protocol::redirect_uri;
use jeton_token::timestamp::Timestamp;
use serde_json::{Map, Value as Json, json};

use crate::command::Failure;
use crate::config::did_you_mean;

/// What clients may learn of the user. (OIDC Core §5.1)
#[derive(Debug, clap::Args)]
pub(super) struct Claims {
    /// The mail address; counts as not verified unless --email-verified is there too
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// The mail address is known to be the user's
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    email_verified: Option<bool>,
    /// The full name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The given name
    #[arg(long, value_name = "NAME")]
    given_name: Option<String>,
    /// The family name
    #[arg(long, value_name = "NAME")]
    family_name: Option<String>,
    /// The language, such as fr-CA
    #[arg(long, value_name = "TAG")]
    locale: Option<String>,
    /// Another claim of OpenID Connect Core §5.1, such as phone_number=+33123456789; may be repeated
    #[arg(long = "claim", value_name = "NAME=VALUE")]
    others: Vec<String>,
}

impl Claims {
    /// Sets the claims that were given; absent rather than empty. (OIDC Core §5.3.2)
    pub fn put(self, claims: &mut Map<String, Json>, now: Timestamp) -> Result<(), Failure> {
        if self.email.as_deref().is_some_and(|text| !is_address(text)) {
            let told = "--email: write an address, such as alice@example.org";
            return Err(Failure::usage(told));
        }
        if self.email.is_some() {
            claims.insert("email_verified".to_owned(), json!(false));
        }
        let texts = [
            ("email", self.email),
            ("name", self.name),
            ("given_name", self.given_name),
            ("family_name", self.family_name),
            ("locale", self.locale),
        ];
        for (claim, text) in texts {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                claims.insert(claim.to_owned(), json!(text));
            }
        }
        if let Some(verified) = self.email_verified {
            if !claims.contains_key("email") {
                return Err(Failure::usage("--email-verified: there is no --email"));
            }
            claims.insert("email_verified".to_owned(), json!(verified));
        }
        for other in &self.others {
            let (name, value) = claim(other)?;
            claims.insert(name.to_owned(), value);
        }
        claims.insert("updated_at".to_owned(), json!(now.seconds()));
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        let texts = [
            &self.email,
            &self.name,
            &self.given_name,
            &self.family_name,
            &self.locale,
        ];
        texts.iter().all(|text| text.is_none())
            && self.email_verified.is_none()
            && self.others.is_empty()
    }
}

/// The claim called `name`, if a user may have it and it is not kept by Jeton.
pub(super) fn claim_name(name: &str) -> Result<&str, Failure> {
    let settable = || standard().filter(|known| *known != "updated_at");
    if settable().any(|known| known == name) {
        return Ok(name);
    }
    let near = did_you_mean(name, settable());
    Err(Failure::usage(format!("unknown claim {name}{near}")))
}

/// A claim written as NAME=VALUE, of the type Core §5.1 gives it.
fn claim(written: &str) -> Result<(&str, Json), Failure> {
    let told = || Failure::usage(format!("--claim {written}: write NAME=VALUE"));
    let (name, text) = written
        .split_once('=')
        .filter(|(_, text)| !text.is_empty())
        .ok_or_else(told)?;
    let wrong = |told: &str| Failure::usage(format!("--claim {name} is {text:?}; {told}"));
    let value = match claim_name(name)? {
        "email_verified" | "phone_number_verified" => {
            json!(
                text.parse::<bool>()
                    .map_err(|_| wrong("write true or false"))?
            )
        }
        "address" => serde_json::from_str::<Map<String, Json>>(text)
            .map(Json::Object)
            .map_err(|_| wrong("write an object, such as {\"formatted\": \"…\"}"))?,
        "profile" | "picture" | "website" => {
            redirect_uri::check_page(text).map_err(|error| wrong(&error.to_string()))?;
            json!(text)
        }
        "email" if !is_address(text) => return Err(wrong("write an address")),
        _ => json!(text),
    };
    Ok((name, value))
}

fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(local, host)| !local.is_empty() && !host.is_empty())
        && !text.contains(char::is_whitespace)
}
