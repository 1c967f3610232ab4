//! The real binary in a folder of its own, and the simplest HTTP there is to speak to it.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A configured installation; the folder goes with the last clone.
#[derive(Clone)]
pub struct Place {
    folder: Arc<Folder>,
    address: SocketAddr,
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub struct Server(Child);

impl Server {
    /// SIGKILL: nothing is finished, nothing is closed.
    pub fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}

/// Cookies, without their attributes.
#[derive(Clone, Default)]
pub struct Jar(BTreeMap<String, String>);

impl Place {
    pub fn new(database: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("jeton-kill-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = Self {
            folder: Arc::new(Folder(path)),
            address: free.local_addr().unwrap(),
        };
        let text = format!(
            "issuer = \"{}\"\n[listen]\naddress = \"{}\"\n[database]\nurl = \"{database}\"\n\
             [refresh]\ngrace = \"60s\"\n[limits]\ntoken_requests_per_client = 0\nclient_failures = 100000\n",
            place.issuer(),
            place.address
        );
        place.write("jeton.toml", &text);
        place
    }

    pub fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.0.join(name), text).unwrap();
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jeton"));
        command
            .current_dir(&self.folder.0)
            .env_clear()
            .args(line.split(' '))
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, line: &str) {
        let output = self.command(line).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {told}");
    }

    /// Starts the server and waits until it answers.
    pub fn serve(&self) -> Server {
        let log = std::fs::File::create(self.folder.0.join("log")).unwrap();
        let mut command = self.command("serve");
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let mut server = Server(command.spawn().unwrap());
        for _ in 0..6000 {
            if self.get("/jwks", &Jar::default()).is_some() {
                return server;
            }
            assert!(server.0.try_wait().unwrap().is_none(), "{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the server does not answer: {}", self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.0.join("log")).unwrap_or_default()
    }

    pub fn get(&self, path: &str, jar: &Jar) -> Option<Answer> {
        self.send(&format!("GET {path}"), &jar.header(), "")
    }

    pub fn bearer(&self, path: &str, token: &str) -> Option<Answer> {
        let header = format!("Authorization: Bearer {token}\r\n");
        self.send(&format!("GET {path}"), &header, "")
    }

    pub fn post(&self, path: &str, body: &str, jar: &Jar) -> Option<Answer> {
        let header = format!(
            "{}Origin: {}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
            jar.header(),
            self.issuer(),
            body.len()
        );
        self.send(&format!("POST {path}"), &header, body)
    }

    /// The whole answer, or nothing when the server went away before it was whole.
    fn send(&self, line: &str, headers: &str, body: &str) -> Option<Answer> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .ok()?;
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n{body}",
            self.address
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
