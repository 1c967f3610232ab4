//! The simplest HTTP there is: one request a connection.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Where a server is.
#[derive(Clone, Copy)]
pub struct Wire(pub SocketAddr);

pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}

/// Cookies, without their attributes.
#[derive(Clone, Default)]
pub struct Jar(BTreeMap<String, String>);

impl Wire {
    pub fn issuer(self) -> String {
        format!("http://{}", self.0)
    }

    pub fn get(self, path: &str, jar: &Jar) -> Option<Answer> {
        self.send(&format!("GET {path}"), &jar.header(), "")
    }

    pub fn bearer(self, path: &str, token: &str) -> Option<Answer> {
        let header = format!("Authorization: Bearer {token}\r\n");
        self.send(&format!("GET {path}"), &header, "")
    }

    /// A form of a client that proves itself by HTTP Basic, with characters that need no encoding.
    pub fn basic(self, path: &str, (id, secret): (&str, &str), body: &str) -> Option<Answer> {
        use base64::Engine as _;
        let proof = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
        let header = format!(
            "Authorization: Basic {proof}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
            body.len()
        );
        self.send(&format!("POST {path}"), &header, body)
    }

    pub fn post(self, path: &str, body: &str, jar: &Jar) -> Option<Answer> {
        let header = format!(
            "{}Origin: {}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
            jar.header(),
            self.issuer(),
            body.len()
        );
        self.send(&format!("POST {path}"), &header, body)
    }

    /// The whole answer, or nothing when the server went away before it was whole.
    fn send(self, line: &str, headers: &str, body: &str) -> Option<Answer> {
        let mut stream = TcpStream::connect(self.0).ok()?;
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .ok()?;
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n{body}",
            self.0
        );
        stream.write_all(request.as_bytes()).ok()?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let answer = Answer {
            status: head.split(' ').nth(1)?.parse().ok()?,
            head: head.to_owned(),
            body: body.to_owned(),
        };
        let length: usize = answer.header("content-length")?.parse().ok()?;
        (answer.body.len() == length).then_some(answer)
    }
}

impl Answer {
    fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let lines = self
            .head
            .split("\r\n")
            .filter_map(|line| line.split_once(": "));
        lines
            .filter(move |(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    /// Head and body, as they came.
    pub fn whole(&self) -> String {
        format!("{}\n{}", self.head, self.body)
    }

    pub fn location(&self) -> Option<&str> {
        self.header("location")
    }

    /// The value of a hidden field of the page.
    pub fn hidden(&self, name: &str) -> &str {
        let start = format!("name=\"{name}\" value=\"");
        let value = self.body.split_once(&start).expect(&self.body).1;
        value.split('"').next().unwrap()
    }

    /// A text member of a JSON answer.
    pub fn text(&self, name: &str) -> String {
        let json: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        json[name].as_str().expect(&self.body).to_owned()
    }
}

impl Jar {
    pub fn keep(&mut self, answer: &Answer) {
        for cookie in answer.headers("set-cookie") {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.0.insert(name.to_owned(), value.to_owned());
        }
    }

    pub fn values(&self) -> impl Iterator<Item = &String> {
        self.0.values()
    }

    fn header(&self) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        let pairs: Vec<String> = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        format!("Cookie: {}\r\n", pairs.join("; "))
    }
}
