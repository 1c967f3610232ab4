//! The files pages load, under names that change with their content.

use std::sync::LazyLock;

/// A file to answer with.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    pub bytes: &'static [u8],
    pub content_type: &'static str,
    /// The path names this very content, so a browser may keep it for ever.
    pub immutable: bool,
}

/// The file at `path`: `/assets/jeton.<hash>.css` for ever, `/assets/jeton.css` as of now.
pub fn asset(path: &str) -> Option<Asset> {
    let file = path.strip_prefix("/assets/")?;
    FILES.iter().find_map(|known| {
        let immutable = known.hashed == file;
        (immutable || known.name == file).then_some(Asset {
            bytes: known.bytes,
            content_type: known.content_type,
            immutable,
        })
    })
}

/// The path under which pages load the file `name`.
pub(super) fn asset_url(name: &str) -> Option<String> {
    FILES
        .iter()
        .find(|known| known.name == name)
        .map(|known| format!("/assets/{}", known.hashed))
}

struct File {
    name: &'static str,
    hashed: String,
    bytes: &'static [u8],
    content_type: &'static str,
}

static FILES: LazyLock<[File; 4]> = LazyLock::new(|| {
    [
        file(
            "jeton.css",
            include_bytes!("../../assets/jeton.css"),
            "text/css; charset=utf-8",
        ),
        file(
            "trace.css",
            include_bytes!("../../assets/trace.css"),
            "text/css; charset=utf-8",
        ),
        file(
            "trace.js",
            include_bytes!("../../assets/trace.js"),
            "text/javascript; charset=utf-8",
        ),
        file(
            "favicon.svg",
            include_bytes!("../../assets/favicon.svg"),
            "image/svg+xml",
        ),
    ]
});

fn file(name: &'static str, bytes: &'static [u8], content_type: &'static str) -> File {
    let hashed = match name.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}.{:016x}.{extension}", fnv1a(bytes)),
        None => name.to_owned(),
    };
    File {
        name,
        hashed,
        bytes,
        content_type,
    }
}

/// FNV-1a: tells two versions of our own files apart. Nobody is kept out by it.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
