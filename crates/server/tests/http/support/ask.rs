//! A request as a test writes it, and the answer as a test reads it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr};
use url::form_urlencoded;

/// Parameters in order; names may repeat.
#[derive(Clone, Debug, Default)]
pub struct Fields(pub Vec<(String, String)>);

impl Fields {
    pub fn of(fields: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self(fields.iter().map(own).collect())
    }

    /// Sets a parameter, replacing the one of that name.
    pub fn with(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    /// Adds a parameter, even if it is there already.
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    pub fn value(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn encoded(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.0)
            .finish()
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Fields {
    fn from(fields: [(&str, &str); N]) -> Self {
        Self::of(&fields)
    }
}

/// One request.
#[derive(Clone, Debug)]
pub struct Ask {
    pub method: Method,
    /// Absolute; its authority becomes the `Host` header.
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub peer: IpAddr,
    pub management: bool,
}

impl Ask {
    pub fn new(method: Method, url: &str) -> Self {
        Self {
            method,
            url: url.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            peer: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
            management: false,
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn query(mut self, fields: &Fields) -> Self {
        let sign = if self.url.contains('?') { '&' } else { '?' };
        self.url = format!("{}{sign}{}", self.url, fields.encoded());
        self
    }

    pub fn form(self, fields: &Fields) -> Self {
        self.raw(
            "application/x-www-form-urlencoded",
            fields.encoded().as_bytes(),
        )
    }

    pub fn raw(mut self, content_type: &str, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self.header("content-type", content_type)
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// `Authorization: Basic`, id and secret form-encoded before base64 (RFC 6749 §2.3.1).
    pub fn basic(self, id: &str, secret: &str) -> Self {
        let encode =
            |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        self.basic_raw(&format!("{}:{}", encode(id), encode(secret)))
    }

    pub fn basic_raw(self, text: &str) -> Self {
        self.header("authorization", &format!("Basic {}", STANDARD.encode(text)))
    }

    pub fn peer(self, peer: IpAddr) -> Self {
        Self { peer, ..self }
    }

    pub fn parts(&self) -> Parts {
        let rest = self
            .url
            .split_once("://")
            .map_or(self.url.as_str(), |(_, rest)| rest);
        let (host, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let target = if target.starts_with('/') {
            target.to_owned()
        } else {
            format!("/{target}")
        };
        let mut request = Request::builder().method(self.method.clone()).uri(target);
        if !self.headers.iter().any(|(name, _)| name == "host") {
            request = request.header("host", host);
        }
        for (name, value) in self
            .headers
            .iter()
            .filter(|(name, value)| name != "host" || !value.is_empty())
        {
            request = request.header(name.as_str(), value.as_str());
        }
        request.body(()).unwrap().into_parts().0
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        assert_eq!(
            self.header("content-type"),
            Some("application/json"),
            "{}",
            self.body
        );
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn location(&self) -> Option<&str> {
        self.header("location")
    }

    /// A parameter of the address the answer leads to.
    pub fn callback(&self, name: &str) -> Option<String> {
        let query = self.location()?.split_once(['?', '#'])?.1;
        let mut found = form_urlencoded::parse(query.as_bytes());
        found
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
    }

    /// The code of an authorization response.
    pub fn code(&self) -> String {
        self.callback("code").unwrap_or_else(|| {
            panic!(
                "no code: {} {:?} {}",
                self.status,
                self.location(),
                self.body
            )
        })
    }

    /// The `error` of a JSON body, or of the address it leads to.
    pub fn error(&self) -> String {
        match self.callback("error") {
            Some(error) => error,
            None => self.json()["error"]
                .as_str()
                .unwrap_or("no error")
                .to_owned(),
        }
    }

    pub fn is_page(&self) -> bool {
        self.header("content-type") == Some("text/html; charset=utf-8")
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(
            self.status.as_u16(),
            status,
            "{:?} {}",
            self.location(),
            self.body
        );
        self
    }

    /// A refusal in the envelope of RFC 6749 §5.2: its status and its error.
    #[track_caller]
    pub fn refused(&self, status: u16, error: &str) {
        assert_eq!(
            (self.status.as_u16(), self.error().as_str()),
            (status, error),
            "{}",
            self.body
        );
    }
}
