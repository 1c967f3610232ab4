//! The operations that can be measured, and what a right answer to each looks like.

use clap::ValueEnum;
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// The metadata document
    Discovery,
    /// The public keys
    Jwks,
    /// Client credentials for an opaque access token
    ClientCredentialsOpaque,
    /// Client credentials for an access token signed with EdDSA
    ClientCredentialsEddsa,
    /// Client credentials for an access token signed with ES256
    ClientCredentialsEs256,
    /// Client credentials for an access token signed with RS256
    ClientCredentialsRs256,
    /// Introspection of an opaque access token
    Introspection,
    /// Refresh of an opaque access token, with rotation
    RefreshRotating,
    /// Refresh of an ES256 access token, without rotation
    Refresh,
    /// Userinfo with an opaque access token
    Userinfo,
    /// Redemption of an authorization code for an ES256 access token and an ES256 ID token
    Code,
    /// Revocation of an opaque access token
    Revocation,
}

impl Operation {
    pub fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }

    /// What the body of a right answer contains, next to status 200.
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Discovery => "\"issuer\"",
            Self::Jwks => "\"keys\"",
            Self::ClientCredentialsOpaque
            | Self::ClientCredentialsEddsa
            | Self::ClientCredentialsEs256
            | Self::ClientCredentialsRs256
            | Self::Refresh => "\"access_token\"",
            Self::Introspection => "\"active\":true",
            Self::RefreshRotating => "\"refresh_token\"",
            Self::Userinfo => "\"sub\"",
            Self::Code => "\"id_token\"",
            Self::Revocation => "",
        }
    }

    /// Whether each input can be used only once, so that inputs have to be made before they are measured.
    pub const fn spends_its_input(self) -> bool {
        match self {
            Self::Code | Self::Revocation => true,
            Self::Discovery
            | Self::Jwks
            | Self::ClientCredentialsOpaque
            | Self::ClientCredentialsEddsa
            | Self::ClientCredentialsEs256
            | Self::ClientCredentialsRs256
            | Self::Introspection
            | Self::RefreshRotating
            | Self::Refresh
            | Self::Userinfo => false,
        }
    }
}
