//! One user, one spelling (SEC-044).

use unicode_normalization::UnicodeNormalization as _;

/// The form a user name is stored and compared in: compatibility-composed, lower case, without space around it.
pub fn username_key(typed: &str) -> String {
    typed
        .trim()
        .nfkc()
        .flat_map(char::to_lowercase)
        .nfkc()
        .collect()
}

/// Longer than any name; nobody's.
pub const LONGEST: usize = 255;
