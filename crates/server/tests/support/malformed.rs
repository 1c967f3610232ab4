//! A good JSON object, made wrong in one thing each: texts that two readers could read as two different objects, or that only
//! a lenient reader reads at all (SEC-175).

/// Every way of getting `good` wrong, by name. `good` is an object without white space.
pub fn variants(good: &str) -> Vec<(&'static str, Vec<u8>)> {
    let mut all: Vec<(&'static str, Vec<u8>)> = structure(good)
        .into_iter()
        .chain(members(good))
        .chain(values(good))
        .map(|(name, text)| (name, text.into_bytes()))
        .collect();
    all.extend(encodings(good));
    all
}

fn inner(good: &str) -> &str {
    good.strip_prefix('{').unwrap().strip_suffix('}').unwrap()
}

/// Name and value of the first member, which is a text or the only member.
fn first(good: &str) -> (&str, &str) {
    let (name, rest) = inner(good).split_once(':').unwrap();
    let value = rest.split_once(",\"").map_or(rest, |(value, _)| value);
    (name.trim_matches('"'), value)
}

fn structure(good: &str) -> Vec<(&'static str, String)> {
    let inner = inner(good);
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    vec![
        ("nothing", String::new()),
        ("white space alone", " \n".to_owned()),
        ("null", "null".to_owned()),
        ("in an array", format!("[{good}]")),
        ("in a string", format!("{good:?}")),
        ("unclosed", format!("{{{inner}")),
        ("closed twice", format!("{good}}}")),
        ("another object behind it", format!("{good}{{}}")),
        ("a letter behind it", format!("{good}x")),
        ("NUL behind it", format!("{good}\0")),
        ("NUL before it", format!("\0{good}")),
        ("a comma at the end", format!("{{{inner},}}")),
        ("a comma at the start", format!("{{,{inner}}}")),
        ("two commas", format!("{{{inner},,\"x\":1}}")),
        ("a comment before it", format!("/* x */{good}")),
        ("a comment behind it", format!("{good}// x")),
        ("a comment inside", format!("{{{inner}/* x */}}")),
        ("a comment of a shell", format!("{good}\n# x")),
        ("a byte order mark", format!("\u{feff}{good}")),
        ("a space that JSON does not know", format!("\u{a0}{good}")),
        (
            "seventeen levels",
            format!("{{{inner},\"x\":{}}}", nested(16)),
        ),
        (
            "three thousand levels",
            format!("{{{inner},\"x\":{}}}", nested(3000)),
        ),
    ]
}

fn members(good: &str) -> Vec<(&'static str, String)> {
    let inner = inner(good);
    let (name, value) = first(good);
    let (start, rest) = name.split_at(1);
    let escaped = format!("\\u00{:02x}{rest}", start.as_bytes()[0]);
    let upper = format!("{}{rest}", start.to_ascii_uppercase());
    vec![
        ("a member twice", format!("{{{inner},\"{name}\":{value}}}")),
        (
            "a member twice, once escaped",
            format!("{{{inner},\"{escaped}\":{value}}}"),
        ),
        (
            "two members but for case",
            format!("{{{inner},\"{upper}\":{value}}}"),
        ),
        (
            "the capital one first",
            format!("{{\"{upper}\":{value},{inner}}}"),
        ),
        (
            "a member twice in a member",
            format!("{{{inner},\"x\":{{\"a\":1,\"a\":1}}}}"),
        ),
        (
            "a member twice in an array",
            format!("{{{inner},\"x\":[[{{\"a\":1,\"a\":2}}]]}}"),
        ),
        ("NUL in a name", format!("{{{inner},\"x\\u0000\":1}}")),
        ("a name without quotes", format!("{{{inner},x:1}}")),
        ("a name in single quotes", format!("{{{inner},'x':1}}")),
        ("a number as a name", format!("{{{inner},1:1}}")),
        (
            "half a surrogate pair in a name",
            format!("{{{inner},\"\\ud800\":1}}"),
        ),
    ]
}

fn values(good: &str) -> Vec<(&'static str, String)> {
    [
        ("not a number", "NaN"),
        ("without end", "-Infinity"),
        ("a number beyond all", "1e999"),
        ("a number of three hundred digits and a tail", "1e309"),
        ("a leading zero", "01"),
        ("a plus", "+1"),
        ("hexadecimal", "0x10"),
        ("no digit before the point", ".5"),
        ("no digit behind the point", "1."),
        ("half a surrogate pair", "\"\\ud800\""),
        ("the other half", "\"\\udc00x\""),
        ("an escape JSON does not know", "\"\\x41\""),
        ("a line break in a string", "\"a\nb\""),
        ("NUL in a string", "\"a\0b\""),
        ("single quotes", "'a'"),
        ("True", "True"),
        ("undefined", "undefined"),
    ]
    .into_iter()
    .map(|(name, value)| (name, format!("{{{},\"x\":{value}}}", inner(good))))
    .collect()
}

fn encodings(good: &str) -> Vec<(&'static str, Vec<u8>)> {
    let with = |bytes: &[u8]| {
        let start = format!("{{{},\"x\":\"", inner(good)).into_bytes();
        [start.as_slice(), bytes, b"\"}"].concat()
    };
    let wide = |order: fn(u16) -> [u8; 2]| good.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    vec![
        ("a byte that is no UTF-8", with(b"\xff")),
        ("Latin-1", with(b"caf\xe9")),
        ("an overlong NUL", with(b"\xc0\x80")),
        ("an overlong slash", with(b"\xe0\x80\xaf")),
        ("a surrogate in UTF-8", with(b"\xed\xa0\x80")),
        ("beyond Unicode", with(b"\xf4\x90\x80\x80")),
        ("half a character", with(b"\xe2\x82")),
        ("UTF-16, small end first", wide(u16::to_le_bytes)),
        ("UTF-16, big end first", wide(u16::to_be_bytes)),
    ]
}
