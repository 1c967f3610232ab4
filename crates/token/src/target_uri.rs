//! Where a request goes, in the one spelling that makes two URIs comparable. (RFC 3986 §6.2.2, §6.2.3)

/// An `http` or `https` URI without query and fragment, in normal form: scheme and host in lower case, no default port,
/// unreserved characters not encoded, no dot segments. `None` for anything else, user information included.
pub fn normalized(uri: &str) -> Option<String> {
    let text = uri.split(['?', '#']).next()?;
    let (scheme, rest) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" => "443",
        "http" => "80",
        _ => return None,
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = host_and_port(authority)?;
    let mut out = format!("{scheme}://{}", unencoded(host)?.to_ascii_lowercase());
    let significant = port.trim_start_matches('0');
    if !port.is_empty() && significant != default_port {
        out.push(':');
        out.push_str(if significant.is_empty() {
            "0"
        } else {
            significant
        });
    }
    push_path(&unencoded(path)?, &mut out);
    Some(out)
}

/// The port is empty when there is none.
fn host_and_port(authority: &str) -> Option<(&str, &str)> {
    let end_of_host = match authority.strip_prefix('[') {
        Some(rest) => rest.find(']')?.checked_add(2)?,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at_checked(end_of_host)?;
    let port = match port {
        "" => "",
        _ => port.strip_prefix(':')?,
    };
    let sound =
        !host.is_empty() && !host.contains(['@', '%']) && port.bytes().all(|b| b.is_ascii_digit());
    sound.then_some((host, port))
}

/// Decodes what needs no encoding and writes the rest in upper case; only characters a URI may have. (RFC 3986 §2)
fn unencoded(text: &str) -> Option<String> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            if !byte.is_ascii_graphic() || b"\"<>\\^`{|}".contains(&byte) {
                return None;
            }
            out.push(char::from(byte));
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        let decoded = u8::try_from(high * 16 + low).ok()?;
        if decoded.is_ascii_alphanumeric() || b"-._~".contains(&decoded) {
            out.push(char::from(decoded));
        } else {
            let hex = |digit: u32| HEX.get(digit as usize).copied().map(char::from);
            out.extend(['%', hex(high)?, hex(low)?]);
        }
    }
    Some(out)
}

/// Appends the path without `.` and `..`; an empty one is `/`. (RFC 3986 §5.2.4)
fn push_path(path: &str, out: &mut String) {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let mut kept: Vec<&str> = Vec::with_capacity(segments.len());
    for (place, segment) in segments.iter().enumerate() {
        let is_last = place + 1 == segments.len();
        match *segment {
            "." | ".." => {
                if *segment == ".." {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    if kept.is_empty() {
        out.push('/');
    }
    for segment in kept {
        out.push('/');
        out.push_str(segment);
    }
}
