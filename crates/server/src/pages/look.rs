//! How the tenant looks.

use serde::Serialize;

/// The name and face every page of a tenant carries.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Look<'a> {
    /// What the tenant calls itself.
    pub name: &'a str,
    /// The host a person should see in the address bar.
    pub host: &'a str,
    /// Path on this server of an image that replaces the drawn token.
    pub logo: Option<&'a str>,
    /// Path on this server of a stylesheet that sets custom properties such as `--accent`.
    pub stylesheet: Option<&'a str>,
}

impl Default for Look<'_> {
    fn default() -> Self {
        Self {
            name: "Jeton",
            host: "",
            logo: None,
            stylesheet: None,
        }
    }
}
