//! What is known of a key, and the macro that declares keys so that nothing can drift.

use super::value::Shape;

/// A key of the configuration, as declared in `raw.rs`.
#[derive(Debug)]
pub struct Key {
    /// The full name, such as `listen.address`; `NAME` stands for a part the operator chooses.
    pub name: &'static str,
    /// The default as one would write it in an environment variable.
    pub default: Option<&'static str>,
    /// The smallest and largest value allowed.
    pub range: Option<(&'static str, &'static str)>,
    /// The text for operators, one line a source line.
    pub doc: &'static str,
    /// The type in words and as JSON Schema.
    pub shape: fn() -> Shape,
    /// The default as TOML, or `not set`.
    pub shown_default: fn() -> String,
    /// Whether a credential of this name is used by its path.
    pub is_a_file: bool,
}

impl Key {
    /// The environment variable that sets this key; a key with a free part has none.
    pub fn variable(&self) -> Option<String> {
        let free = self.name.contains("NAME");
        (!free).then(|| format!("JETON_{}", self.name.replace('.', "__").to_uppercase()))
    }

    /// The text for operators as lines without the blank that starts a doc comment.
    pub fn doc_lines(&self) -> impl Iterator<Item = &'static str> {
        self.doc
            .lines()
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
    }
}

/// A table of keys, in the order of the reference.
#[derive(Debug)]
pub struct Table {
    /// What stands before the names of its keys: empty, or ending in a dot.
    pub prefix: &'static str,
    /// The text for operators.
    pub doc: &'static str,
    /// The keys.
    pub keys: &'static [Key],
}

/// Declares a table: the struct, its keys for the reference, and the function that reads it.
///
/// The doc comment of a field is the text operators read. A field is written
/// `name: Type = "default", "lowest" ..= "highest";` where default and limits may be missing.
macro_rules! table {
    (
        $(#[doc = $about:literal])*
        $Table:ident at $prefix:literal {
            $(
                $(#[doc = $doc:literal])*
                $field:ident : $type:ty $(= $default:literal)? $(, $low:literal ..= $high:literal)? ;
            )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $Table {
            $( $(#[doc = $doc])* pub $field: $type, )*
        }

        impl $Table {
            /// The table as the reference shows it.
            pub const TABLE: $crate::config::Table = $crate::config::Table {
                prefix: $prefix,
                doc: concat!($($about, "\n"),*),
                keys: Self::KEYS,
            };

            const KEYS: &'static [$crate::config::Key] = &[$(
                $crate::config::Key {
                    name: concat!($prefix, stringify!($field)),
                    default: crate::config::key::optional!($($default)?),
                    range: crate::config::key::optional!($(($low, $high))?),
                    doc: concat!($($doc, "\n"),*),
                    shape: <$type as crate::config::value::Setting>::shape,
                    shown_default: || {
                        let default: Option<&str> =
                            crate::config::key::optional!($($default)?);
                        crate::config::given::shown_default::<$type>(default)
                    },
                    is_a_file: <$type as crate::config::value::Setting>::IS_A_FILE,
                },
            )*];

            /// Reads every key below `prefix`, so that all problems are found, not the first.
            pub(super) fn read(
                given: &mut crate::config::given::Given,
                prefix: &str,
            ) -> Option<Self> {
                let mut keys = Self::KEYS.iter();
                $(
                    let $field: Option<$type> = keys
                        .next()
                        .and_then(|key| given.read(key, &format!("{prefix}{}", stringify!($field))));
                )*
                Some(Self { $($field: $field?),* })
            }
        }
    };
}

macro_rules! optional {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

pub(super) use {optional, table};
