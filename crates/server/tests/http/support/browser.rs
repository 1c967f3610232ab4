//! A browser without eyes: keeps cookies, follows redirects on the server's own origin, fills in forms as they are.

use super::TestServer;
use super::ask::{Answer, Ask, Fields};
use http::Method;
use std::collections::BTreeMap;

#[derive(Clone)]
pub struct Browser {
    pub server: TestServer,
    pub cookies: BTreeMap<String, String>,
    /// Every answer since the last look, the redirects too.
    pub seen: Vec<Answer>,
}

/// A form as a page shows it.
#[derive(Clone, Debug)]
pub struct Form {
    pub action: String,
    pub hidden: Fields,
    /// Boxes that are checked unless the person unchecks them.
    pub boxes: Vec<String>,
}

impl Browser {
    pub fn new(server: &TestServer) -> Self {
        Self {
            server: server.clone(),
            cookies: BTreeMap::new(),
            seen: Vec::new(),
        }
    }

    /// One request with the cookies, nothing followed.
    pub async fn step(&mut self, ask: Ask) -> Answer {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let ask = if cookies.is_empty() {
            ask
        } else {
            ask.header("cookie", &cookies.join("; "))
        };
        let answer = self.server.send(ask).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let text = cookie.to_str().unwrap();
            let (name, rest) = text.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if text.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        self.seen.push(answer.clone());
        answer
    }

    /// Goes on until there is a page, or a way to somewhere else.
    pub async fn go(&mut self, ask: Ask) -> Answer {
        let mut answer = self.step(ask).await;
        for _ in 0..10 {
            match answer.location() {
                Some(path) if path.starts_with('/') => {
                    let url = format!("{}{path}", self.server.origin());
                    answer = self.step(Ask::new(Method::GET, &url)).await;
                }
                Some(_) | None => return answer,
            }
        }
        panic!("the redirects go round: {:?}", answer.location());
    }

    pub async fn authorize(&mut self, fields: &Fields) -> Answer {
        self.go(self.server.get("/authorize").query(fields)).await
    }

    /// Sends the form of a page with what the person typed or pressed.
    pub async fn submit(&mut self, page: &Answer, typed: &[(&str, &str)]) -> Answer {
        let ask = self.filled(page, typed);
        self.go(ask).await
    }

    pub fn filled(&self, page: &Answer, typed: &[(&str, &str)]) -> Ask {
        let form = form(page);
        let mut fields = form.hidden;
        for (name, value) in typed {
            fields = fields.and(name, value);
        }
        let url = format!("{}{}", self.server.origin(), form.action);
        Ask::new(Method::POST, &url)
            .form(&fields)
            .header("origin", self.server.origin())
    }

    pub async fn sign_in(&mut self, page: &Answer, user: &str) -> Answer {
        let password = TestServer::password(user);
        self.submit(
            page,
            &[
                ("username", user),
                ("password", &password),
                ("sign-in", "yes"),
            ],
        )
        .await
    }

    /// Presses the button that approves, with every box as it was shown.
    pub async fn approve(&mut self, page: &Answer) -> Answer {
        let boxes = form(page).boxes;
        let mut typed: Vec<(&str, &str)> =
            boxes.iter().map(|name| (name.as_str(), "yes")).collect();
        typed.push(("approve", "yes"));
        self.submit(page, &typed).await
    }

    /// Signs in and approves whatever is asked, and ends where the client is answered.
    pub async fn complete(&mut self, fields: &Fields, user: &str) -> Answer {
        let mut answer = self.authorize(fields).await;
        for _ in 0..3 {
            if asks_password(&answer) {
                answer = self.sign_in(&answer, user).await;
            } else if asks_consent(&answer) {
                answer = self.approve(&answer).await;
            }
        }
        answer
    }
}

pub fn asks_password(answer: &Answer) -> bool {
    answer.is_page() && answer.body.contains("name=\"password\"")
}

pub fn asks_consent(answer: &Answer) -> bool {
    answer.is_page() && answer.body.contains("name=\"approve\"")
}

pub fn form(page: &Answer) -> Form {
    let start = page
        .body
        .find("<form")
        .unwrap_or_else(|| panic!("no form: {} {}", page.status, page.body));
    let end = page.body[start..].find("</form>").unwrap() + start;
    let html = &page.body[start..end];
    let mut hidden = Fields::default();
    let mut boxes = Vec::new();
    for input in html.split("<input").skip(1) {
        let input = input.split('>').next().unwrap();
        let name = attribute(input, "name").unwrap_or_default();
        match attribute(input, "type").as_deref() {
            Some("hidden") => {
                hidden = hidden.and(&name, &attribute(input, "value").unwrap_or_default())
            }
            Some("checkbox") => boxes.push(name),
            Some(_) | None => {}
        }
    }
    Form {
        action: attribute(html, "action").unwrap(),
        hidden,
        boxes,
    }
}

fn attribute(html: &str, name: &str) -> Option<String> {
    let found = html.split_once(&format!(" {name}=\""))?.1;
    Some(unescape(found.split('"').next()?))
}

fn unescape(text: &str) -> String {
    let pairs = [
        ("&#x2f;", "/"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ];
    pairs
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
