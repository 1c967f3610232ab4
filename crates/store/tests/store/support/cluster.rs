//! A PostgreSQL for the tests: the one `JETON_TEST_POSTGRES` names, or a private one that ends with this process.
//!
//! Without any, the cases that need one fail. They are never skipped.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use postgres::{Client, NoTls};

/// Makes an empty schema and returns the address that leads into it.
pub fn schema(name: &str) -> String {
    let server = server();
    let name = name.to_owned();
    let (url, create) = (server.url.clone(), format!("CREATE SCHEMA {name}"));
    // The client brings its own runtime, which must not meet the one of the case.
    std::thread::spawn(move || {
        Client::connect(&url, NoTls)
            .unwrap()
            .batch_execute(&create)
            .unwrap()
    })
    .join()
    .unwrap();
    within(&server.url, &name)
}

fn within(url: &str, schema: &str) -> String {
    let sign = if url.contains('?') { '&' } else { '?' };
    format!("{url}{sign}options=-csearch_path%3D{schema}")
}

pub struct Server {
    url: String,
    /// The keeper stops the server when this end of its input closes, which also happens when this process dies.
    _keeper: Option<Mutex<Child>>,
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| match named() {
        Some(url) => Server { url, _keeper: None },
        None => private("shared", &[]).0,
    })
}

#[expect(clippy::disallowed_methods, reason = "tests have no configuration")]
fn named() -> Option<String> {
    std::env::var("JETON_TEST_POSTGRES")
        .ok()
        .filter(|url| !url.is_empty())
}

/// Starts a server of our own in a folder of its own.
pub fn private(name: &str, settings: &[String]) -> (Server, PrivateServer) {
    const KEEPER: &str = r#"
        set -e
        umask 077
        programs=$1
        folder=$2
        shift 2
        mkdir "$folder"
        trap 'rm -rf "$folder"' EXIT
        "$programs/initdb" -D "$folder/data" -U jeton -A trust -E UTF8 --locale=C >"$folder/log" 2>&1
        run() {
            "$programs/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c max_connections=400 \
                -c fsync=on -c shared_buffers=64MB "$@" >>"$folder/log" 2>&1 &
            server=$!
        }
        run "$@"
        while read -r order; do
            case $order in
            crash)
                "$programs/pg_ctl" -D "$folder/data" stop -m immediate >>"$folder/log" 2>&1 || true
                wait $server || true
                run "$@"
                ;;
            esac
        done
        kill -INT $server
        wait $server || true
    "#;
    let programs = programs();
    let folder = std::env::temp_dir().join(format!("jeton-pg-{}-{name}", std::process::id()));
    let mut command = as_somebody();
    let keeper = command
        .args(["sh", "-c", KEEPER, "keeper"])
        .arg(&programs)
        .arg(&folder)
        .args(settings)
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell to keep PostgreSQL");
    let host = folder.to_str().unwrap().replace('/', "%2F");
    let port = settings
        .iter()
        .find_map(|setting| setting.strip_prefix("port="))
        .unwrap_or("5432");
    let url = format!("postgresql://jeton@{host}:{port}/postgres");
    wait_for(&url, &folder);
    let orders = PrivateServer {
        url: url.clone(),
        folder,
    };
    (
        Server {
            url,
            _keeper: Some(Mutex::new(keeper)),
        },
        orders,
    )
}

/// How to speak to a server of our own.
#[allow(dead_code, reason = "of the two test programs one crashes servers")]
pub struct PrivateServer {
    pub url: String,
    pub folder: PathBuf,
}

impl Server {
    /// Stops the server without letting it tidy up, and starts it again.
    #[allow(dead_code, reason = "of the two test programs one crashes servers")]
    pub fn crash(&self, private: &PrivateServer) {
        use std::io::Write;
        let keeper = self._keeper.as_ref().expect("a private server");
        let mut keeper = keeper.lock().unwrap();
        keeper
            .stdin
            .as_mut()
            .unwrap()
            .write_all(b"crash\n")
            .unwrap();
        drop(keeper);
        std::thread::sleep(Duration::from_millis(200));
        wait_for(&private.url, &private.folder);
    }
}

fn wait_for(url: &str, folder: &Path) {
    let mut error = String::new();
    for _ in 0..600 {
        let url = url.to_owned();
        match std::thread::spawn(move || Client::connect(&url, NoTls).map(drop))
            .join()
            .unwrap()
        {
            Ok(()) => return,
            Err(last) => error = last.to_string(),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
    panic!("PostgreSQL did not start: {error}\n{log}");
}

/// A command that runs its arguments as somebody PostgreSQL accepts; it refuses to run as root.
pub fn as_somebody() -> Command {
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

/// The folder with `initdb`.
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
        .find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
        .expect("PostgreSQL is needed: install it, or name a server in JETON_TEST_POSTGRES")
}
