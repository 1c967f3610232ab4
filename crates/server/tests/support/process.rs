//! The real binary in a folder of its own.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use jeton_token::base64url;
use jeton_token::entropy::Entropy;

use crate::wire::{Jar, Wire};

/// A configured installation; the folder goes with the last clone.
#[derive(Clone)]
pub struct Place {
    folder: Arc<Folder>,
    pub wire: Wire,
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

impl Place {
    pub fn new(database: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("jeton-kill-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = Self {
            folder: Arc::new(Folder(path)),
            wire: Wire(free.local_addr().unwrap()),
        };
        let text = format!(
            "issuer = \"{}\"\n[listen]\naddress = \"{}\"\n[database]\nurl = \"{database}\"\n\
             [keys]\nencryption_key_file = \"key\"\n[refresh]\ngrace = \"60s\"\n[limits]\ntoken_requests_per_client = 0\nclient_failures = 100000\n",
            place.wire.issuer(),
            place.wire.0
        );
        place.write("jeton.toml", &text);
        place.write("key", &base64url::encode(&Entropy::from_os().bytes::<32>()));
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(place.folder.0.join("key"), private).unwrap();
        place
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

    /// Runs a command, and returns what it printed.
    pub fn run(&self, line: &str) -> String {
        let output = self.command(line).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {told}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts the server and waits until it answers.
    pub fn serve(&self) -> Server {
        self.serve_with("")
    }

    /// As [`Self::serve`], with flags.
    pub fn serve_with(&self, flags: &str) -> Server {
        let log = std::fs::File::create(self.folder.0.join("log")).unwrap();
        let mut command = self.command(format!("serve {flags}").trim());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let mut server = Server(command.spawn().unwrap());
        for _ in 0..6000 {
            if self.wire.get("/jwks", &Jar::default()).is_some() {
                return server;
            }
            assert!(server.0.try_wait().unwrap().is_none(), "{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the server does not answer: {}", self.log());
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&self.read("log")).into_owned()
    }

    /// The bytes of a file, if it is there.
    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.0.join(name)).unwrap_or_default()
    }
}
