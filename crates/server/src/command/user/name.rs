//! User names as operators write them.

use crate::login::username::{LONGEST, username_key};

/// The one spelling a name is stored and looked up under, if the name can be one. (SEC-044)
pub(in crate::command) fn username(typed: &str) -> Result<String, &'static str> {
    let name = username_key(typed);
    let unfit = |letter: char| letter.is_control() || letter.is_whitespace();
    if name.is_empty() || name.len() > LONGEST {
        Err("a user name has 1 to 255 bytes")
    } else if name.contains(unfit) {
        Err("a user name has no blanks and no control characters")
    } else {
        Ok(name)
    }
}
