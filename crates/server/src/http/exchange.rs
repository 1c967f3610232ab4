//! One request, read whole and judged fit to be looked at.

use crate::ambient::Ambient;
use crate::tenancy::TenantState;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Uri, header};
use jeton_protocol::params::Params;
use jeton_protocol::refusal::Refusal;
use jeton_store::audit::Occasion;
use jeton_token::row_id::RowId;
use std::net::IpAddr;
use std::sync::Arc;

/// What an endpoint gets to see.
#[derive(Debug)]
pub struct Exchange {
    pub id: RowId,
    pub method: Method,
    pub tenant: Arc<TenantState>,
    /// The path below the tenant's own.
    pub path: String,
    pub query: Option<String>,
    /// As it was sent.
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The client's address; behind a declared proxy, the one the proxy saw (SEC-191).
    pub address: IpAddr,
}

impl Exchange {
    /// A header's value, when it is there once and is text.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?;
        if values.next().is_some() {
            return None;
        }
        value.to_str().ok()
    }

    /// The address of the request as the client knows it: the issuer's origin and the path, which no proxy may rewrite.
    pub fn url(&self) -> String {
        format!("{}{}", self.tenant.tenant.issuer.origin(), self.uri.path())
    }

    pub fn authorization(&self) -> Option<&str> {
        self.header(&header::AUTHORIZATION)
    }

    /// What a store verb needs to leave its trace in the audit log.
    pub fn occasion(&self, actor: &str, ambient: &mut Ambient) -> Occasion {
        ambient.occasion(actor, self.id.to_string())
    }

    pub fn form(&self) -> Result<Params<'_>, Refusal> {
        Params::from_form(self.header(&header::CONTENT_TYPE), &self.body)
    }

    /// The parameters of a GET or POST, with repeats kept (RFC 6749 §3.1).
    pub fn unjudged_params(&self) -> Result<Params<'_>, Refusal> {
        if self.method == Method::POST {
            Params::unjudged_form(self.header(&header::CONTENT_TYPE), &self.body)
        } else {
            Params::unjudged_query(self.query.as_deref())
        }
    }

    /// The parameters of a page of ours: of the form that was sent, or of the address.
    pub fn params(&self) -> Result<Params<'_>, Refusal> {
        if self.method == Method::POST {
            self.form()
        } else {
            self.query_params()
        }
    }

    pub fn query_params(&self) -> Result<Params<'_>, Refusal> {
        Params::from_query(self.query.as_deref())
    }
}
