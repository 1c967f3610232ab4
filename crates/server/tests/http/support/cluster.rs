//! A PostgreSQL for the tests: the one `JETON_TEST_POSTGRES` names, or a private one that ends with this process.
//!
//! Without any, the cases that need one fail. They are never skipped.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

/// Makes an empty schema and returns the address that leads into it.
pub fn schema() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("jeton_http_{}_{number}", std::process::id());
    let url = &server().url;
    assert!(
        ask(url, &format!("CREATE SCHEMA {name}")),
        "a schema of our own"
    );
    let sign = if url.contains('?') { '&' } else { '?' };
    format!("{url}{sign}options=-csearch_path%3D{name}")
}

struct Server {
    url: String,
    /// The keeper stops the server when this end of its input closes, which also happens when this process dies.
    _keeper: Option<Mutex<Child>>,
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| match named() {
        Some(url) => Server { url, _keeper: None },
        None => private(),
    })
}

#[expect(clippy::disallowed_methods, reason = "tests have no configuration")]
fn named() -> Option<String> {
    std::env::var("JETON_TEST_POSTGRES")
        .ok()
        .filter(|url| !url.is_empty())
}

fn private() -> Server {
    const KEEPER: &str = r#"
        set -e
        umask 077
        mkdir "$2"
        trap 'rm -rf "$2"' EXIT
        "$1/initdb" -D "$2/data" -U jeton -A trust -E UTF8 --locale=C >"$2/log" 2>&1
        "$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c max_connections=400 -c fsync=off \
            -c shared_buffers=64MB >>"$2/log" 2>&1 &
        server=$!
        cat >"$2/orders"
        kill -INT $server
        wait $server || true
    "#;
    let folder = std::env::temp_dir().join(format!("jeton-http-pg-{}", std::process::id()));
    let mut command = as_somebody();
    let keeper = command
        .args(["sh", "-c", KEEPER, "keeper"])
        .arg(programs())
        .arg(&folder)
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell to keep PostgreSQL");
    let host = folder.to_str().unwrap().replace('/', "%2F");
    let url = format!("postgresql://jeton@{host}/postgres");
    wait_for(&url, &folder);
    Server {
        url,
        _keeper: Some(Mutex::new(keeper)),
    }
}

fn wait_for(url: &str, folder: &Path) {
    for _ in 0..600 {
        if ask(url, "SELECT 1") {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
    panic!("PostgreSQL did not start:\n{log}");
}

fn ask(url: &str, sql: &str) -> bool {
    let mut command = as_somebody();
    let asked =
        command
            .arg(programs().join("psql"))
            .args(["-q", "-v", "ON_ERROR_STOP=1", url, "-c", sql]);
    asked
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// PostgreSQL refuses to run as root.
fn as_somebody() -> Command {
    let root = std::fs::metadata("/proc/self")
        .is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if !root {
        return Command::new("env");
    }
    let mut command = Command::new("setpriv");
    command.args([
        "--reuid=postgres",
        "--regid=postgres",
        "--clear-groups",
        "--",
    ]);
    command
}

/// The folder with `initdb` and `psql`.
fn programs() -> PathBuf {
    let mut folders: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|found| {
            found
                .flatten()
                .map(|entry| entry.path().join("bin"))
                .collect()
        })
        .unwrap_or_default();
    folders.sort();
    folders.reverse();
    #[expect(clippy::disallowed_methods, reason = "tests have no configuration")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    folders
        .into_iter()
        .find(|folder| folder.join("initdb").exists() && folder.join("psql").exists())
        .expect("PostgreSQL is needed: install it, or name a server in JETON_TEST_POSTGRES")
}
