//! Why nothing was fetched. For the log and for what a refusal notes; a caller is told the same whatever it was (SEC-220).

use std::net::IpAddr;
use thiserror::Error;

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OutboundError {
    #[error("the URL is not one to fetch: {0}")]
    Url(&'static str),
    #[error("{address} is {range}; outbound.allow can name the host and port")]
    Address {
        address: IpAddr,
        range: &'static str,
    },
    /// Nothing that is kept can give way.
    #[error("too many documents at once")]
    TooMany,
    #[error("the name has no address: {0}")]
    Name(String),
    #[error("no connection: {0}")]
    Connect(String),
    #[error("no trusted TLS connection: {0}")]
    Tls(String),
    #[error("the answer broke off: {0}")]
    Http(String),
    #[error("no whole answer in time")]
    TooSlow,
    #[error("the status is {0}, not 200")]
    Status(u16),
    #[error("the body is encoded as {0:?}, which was not asked for")]
    Encoding(String),
    #[error("the content type is {0:?}")]
    Type(String),
    #[error("the body has more than {0} bytes")]
    TooLong(usize),
    /// What came back whole and cannot be used.
    #[error("the document is not usable: {0}")]
    Unusable(String),
}

impl OutboundError {
    /// The word of the metrics.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Url(_) | Self::Address { .. } | Self::TooMany => "refused",
            Self::Name(_) | Self::Connect(_) | Self::Tls(_) | Self::Http(_) | Self::TooSlow => {
                "failed"
            }
            Self::Status(_)
            | Self::Encoding(_)
            | Self::Type(_)
            | Self::TooLong(_)
            | Self::Unusable(_) => "unusable",
        }
    }
}
