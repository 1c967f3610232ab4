//! The bytes of requests.

use super::fixture::BenchClient;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

/// A GET; each of `headers` is a whole line without its end.
pub fn get(url: &Url, headers: &[String]) -> Vec<u8> {
    let mut text = start("GET", url);
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// A POST of a form.
pub fn post(url: &Url, headers: &[String], fields: &[(&str, &str)]) -> Vec<u8> {
    let body = Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut text = start("POST", url);
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    text.push_str("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ");
    text.push_str(&body.len().to_string());
    text.push_str("\r\n\r\n");
    text.push_str(&body);
    text.into_bytes()
}

/// A POST of a form by a client: with `client_secret_basic`, or `client_id` for a public one (RFC 6749 §2.3.1, §3.2.1).
pub fn post_as(client: &BenchClient, url: &Url, fields: &[(&str, &str)]) -> Vec<u8> {
    match &client.secret {
        Some(secret) => post(url, &[basic(&client.id, secret)], fields),
        None => {
            let mut fields = fields.to_vec();
            fields.push(("client_id", &client.id));
            post(url, &[], &fields)
        }
    }
}

pub fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}")
}

fn basic(id: &str, secret: &str) -> String {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encoded(id), encoded(secret));
    format!("Authorization: Basic {}", STANDARD.encode(pair))
}

fn start(method: &str, url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    let query = url
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    format!(
        "{method} {}{query} HTTP/1.1\r\nHost: {host}{port}\r\n",
        url.path()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confidential_client_authenticates_by_header_and_a_public_one_names_itself() {
        let url = Url::parse("http://localhost:8080/t/token?a=b").unwrap();
        let client = |secret: Option<&str>| BenchClient {
            id: "a b".to_owned(),
            secret: secret.map(str::to_owned),
        };
        let sent = post_as(&client(Some("s:1")), &url, &[("k", "é")]);
        assert_eq!(
            String::from_utf8(sent).unwrap(),
            "POST /t/token?a=b HTTP/1.1\r\nHost: localhost:8080\r\nAuthorization: Basic YStiOnMlM0Ex\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 8\r\n\r\nk=%C3%A9"
        );
        let sent = String::from_utf8(post_as(&client(None), &url, &[("k", "v")])).unwrap();
        assert!(sent.ends_with("Content-Length: 17\r\n\r\nk=v&client_id=a+b"));
        assert!(!sent.contains("Authorization"));
    }

    #[test]
    fn a_get_ends_after_its_headers() {
        let url = Url::parse("http://example.org/").unwrap();
        assert_eq!(
            get(&url, &[bearer("t")]),
            b"GET / HTTP/1.1\r\nHost: example.org\r\nAuthorization: Bearer t\r\n\r\n"
        );
    }
}
