//! As much of a browser as an authorization request needs: cookies, redirects, one form.

use super::page::{Form, InputKind};
use super::request;
use super::response::{Connection, Response};
use super::target::{PATIENCE, Target};
use super::trouble::Trouble;
use tokio::time::timeout;
use url::Url;

/// More redirects and pages than a sign-in can take.
const MOST_STEPS: usize = 12;

/// The verifier and challenge of RFC 7636 appendix B: the load needs them valid, not secret.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Every cookie of one host, whatever its attributes: a load generator has no page to keep them from.
#[derive(Clone, Debug, Default)]
pub struct Cookies(Vec<(String, String)>);

impl Cookies {
    fn keep(&mut self, set_cookie: &str) {
        let mut parts = set_cookie.split(';');
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let expired = parts.any(|part| part.trim().eq_ignore_ascii_case("max-age=0"));
        self.0.retain(|(known, _)| known != name.trim());
        if !expired && !value.is_empty() {
            self.0
                .push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }

    fn header(&self) -> Option<String> {
        let pairs: Vec<String> = self.0.iter().map(|(n, v)| format!("{n}={v}")).collect();
        (!pairs.is_empty()).then(|| format!("Cookie: {}", pairs.join("; ")))
    }
}

/// What is asked of the authorization endpoint, and by whom.
#[derive(Clone, Debug)]
pub struct Visit {
    pub start: Url,
    redirect_uri: String,
    username: String,
    password: String,
}

impl Visit {
    /// An authorization request; a `silent` one may show no page (OpenID Connect Core §3.1.2.1).
    pub fn new(target: &Target, client: &str, scope: &str, silent: bool) -> Result<Self, Trouble> {
        let fixture = target.fixture();
        let mut start = target.endpoints()?.authorize.clone();
        start
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", client)
            .append_pair("redirect_uri", &fixture.redirect_uri)
            .append_pair("scope", scope)
            .append_pair("state", "bench-state")
            .append_pair("code_challenge", CHALLENGE)
            .append_pair("code_challenge_method", "S256");
        if scope.split(' ').any(|value| value == "openid") {
            start.query_pairs_mut().append_pair("nonce", "bench-nonce");
        }
        if silent {
            start.query_pairs_mut().append_pair("prompt", "none");
        }
        Ok(Self {
            start,
            redirect_uri: fixture.redirect_uri.clone(),
            username: fixture.username.clone(),
            password: fixture.password.clone(),
        })
    }

    /// Follows the request to its end, signing in where that is asked for, and returns the code.
    pub async fn code(
        &self,
        connection: &mut Connection,
        cookies: &mut Cookies,
    ) -> Result<String, Trouble> {
        let mut url = self.start.clone();
        let mut form: Option<Form> = None;
        let mut signed_in = false;
        for _ in 0..MOST_STEPS {
            let request = ask(&url, cookies, form.take().as_ref());
            let response = timeout(PATIENCE, connection.exchange(&request))
                .await
                .map_err(|_| Trouble::new(format!("{} does not answer", url.path())))??;
            for set in response.headers("set-cookie") {
                cookies.keep(set);
            }
            let location = response.headers("location").next();
            match (response.status, location) {
                (300..=399, Some(location)) if location.starts_with(&self.redirect_uri) => {
                    return code_in(location);
                }
                (300..=399, Some(location)) => url = self.within(&url, location)?,
                (200, None) => {
                    let mut shown = self.form(&response, &url)?;
                    if is_sign_in(&shown) && std::mem::replace(&mut signed_in, true) {
                        return Err(Trouble::new("the server refuses the username or password"));
                    }
                    url = self.within(&url, &shown.action)?;
                    self.fill_in(&mut shown);
                    form = Some(shown);
                }
                (_, _) => {
                    return Err(Trouble::new(response.summary()).during(url.path()));
                }
            }
        }
        Err(Trouble::new(format!(
            "no code after {MOST_STEPS} pages and redirects, the last to {}",
            url.path()
        )))
    }

    fn form(&self, response: &Response<'_>, url: &Url) -> Result<Form, Trouble> {
        std::str::from_utf8(response.body)
            .ok()
            .and_then(Form::first_of)
            .ok_or_else(|| {
                Trouble::new(format!("a page without a form: {}", response.summary()))
                    .during(url.path())
            })
    }

    /// The next place, which has to be at the same server.
    fn within(&self, url: &Url, reference: &str) -> Result<Url, Trouble> {
        let next = url
            .join(reference)
            .map_err(|error| Trouble::new(format!("{reference}: {error}")))?;
        if next.origin() == self.start.origin() {
            Ok(next)
        } else {
            Err(Trouble::new(format!("{} leads away to {next}", url.path())))
        }
    }

    fn fill_in(&self, form: &mut Form) {
        for (name, kind) in &form.asked {
            let value = match kind {
                InputKind::Text => &self.username,
                InputKind::Password => &self.password,
            };
            form.fields.push((name.clone(), value.clone()));
        }
    }
}

fn is_sign_in(form: &Form) -> bool {
    form.asked
        .iter()
        .any(|(_, kind)| *kind == InputKind::Password)
}

fn ask(url: &Url, cookies: &Cookies, form: Option<&Form>) -> Vec<u8> {
    let mut headers: Vec<String> = cookies.header().into_iter().collect();
    match form {
        None => request::get(url, &headers),
        Some(form) => {
            headers.push(format!("Origin: {}", url.origin().ascii_serialization()));
            let fields: Vec<(&str, &str)> = form
                .fields
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            request::post(url, &headers, &fields)
        }
    }
}

fn code_in(location: &str) -> Result<String, Trouble> {
    let url = Url::parse(location).map_err(|error| Trouble::new(error.to_string()))?;
    let parameter = |wanted: &str| {
        url.query_pairs()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    };
    parameter("code").ok_or_else(|| {
        let error = parameter("error").unwrap_or_else(|| "no code".to_owned());
        let description = parameter("error_description").unwrap_or_default();
        Trouble::new(format!("authorization refused: {error} {description}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_cookie_replaces_an_earlier_one_and_an_expired_one_goes() {
        let mut cookies = Cookies::default();
        for set in [
            "a=1; Path=/; HttpOnly",
            "b=2==; Secure",
            "a=3",
            "c=4; Max-Age=60",
            "c=; Path=/",
            "d=5",
            "d=6; max-age=0",
        ] {
            cookies.keep(set);
        }
        assert_eq!(cookies.header().as_deref(), Some("Cookie: b=2==; a=3"));
        assert_eq!(Cookies::default().header(), None);
    }

    #[test]
    fn the_code_is_read_and_a_refusal_is_told() {
        assert_eq!(
            code_in("http://127.0.0.1/cb?state=s&code=a%2Fb").unwrap(),
            "a/b"
        );
        let refused = code_in("http://127.0.0.1/cb?error=login_required").unwrap_err();
        assert!(refused.to_string().contains("login_required"));
    }
}
