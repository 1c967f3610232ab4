//! The table of routes. A route that is not declared here, with all its policies, does not exist.

use super::denied::Envelope;
use http::Method;
use jeton_protocol::metadata::path;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    Authorize,
    Continue,
    SignIn,
    Consent,
    DeviceAuthorization,
    Device,
    DeviceUserCode,
    DeviceConfirm,
    PushedRequest,
    Token,
    Introspect,
    Revoke,
    Userinfo,
    Jwks,
    Metadata,
    EndSession,
    Home,
    ErrorPage,
    Asset,
    Logo,
    Livez,
    Readyz,
    Startupz,
    Metrics,
    AdminLink,
    DemoApi,
    TraceList,
    TraceDetail,
}

/// Which scripts of other origins may call (SEC-198).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cors {
    None,
    Anyone,
    /// The origins registered with the client.
    Registered,
}

/// Where it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    Public,
    /// Everywhere, whatever host name was used: probes know addresses only.
    Anywhere,
    /// On the management address only (SEC-253); `jeton dev` has it on its one address.
    Management,
    /// Only in `jeton dev`.
    Development,
}

#[derive(Debug)]
pub struct Route {
    pub path: &'static str,
    pub methods: &'static [Method],
    pub endpoint: Endpoint,
    pub envelope: Envelope,
    pub cors: Cors,
    pub listener: Listener,
    /// A state-changing form of ours: must come from our own pages (SEC-404).
    pub own_form: bool,
    pub label: &'static str,
}

const GET: &[Method] = &[Method::GET, Method::HEAD];
const POST: &[Method] = &[Method::POST];
const BOTH: &[Method] = &[Method::GET, Method::HEAD, Method::POST];

const fn route(
    path: &'static str,
    methods: &'static [Method],
    endpoint: Endpoint,
    envelope: Envelope,
) -> Route {
    Route {
        path,
        methods,
        endpoint,
        envelope,
        cors: Cors::None,
        listener: Listener::Public,
        own_form: false,
        label: path,
    }
}

const fn cors(cors: Cors, route: Route) -> Route {
    Route { cors, ..route }
}

const fn own_form(route: Route) -> Route {
    Route {
        own_form: true,
        ..route
    }
}

const fn on(listener: Listener, route: Route) -> Route {
    Route { listener, ..route }
}

use Endpoint as E;
use Envelope::{Bearer, Page, Token};

/// A path that ends in `/` stands for everything below it.
pub static ROUTES: &[Route] = &[
    cors(Cors::Registered, route(path::TOKEN, POST, E::Token, Token)),
    cors(
        Cors::Registered,
        route(path::PUSHED_REQUEST, POST, E::PushedRequest, Token),
    ),
    cors(
        Cors::None,
        route(path::INTROSPECT, POST, E::Introspect, Token),
    ),
    cors(
        Cors::Registered,
        route(path::REVOKE, POST, E::Revoke, Token),
    ),
    cors(
        Cors::Registered,
        route(path::USERINFO, BOTH, E::Userinfo, Bearer),
    ),
    cors(Cors::Anyone, route(path::JWKS, GET, E::Jwks, Token)),
    cors(
        Cors::Anyone,
        route(path::OPENID_CONFIGURATION, GET, E::Metadata, Token),
    ),
    cors(
        Cors::Anyone,
        route(path::OAUTH_SERVER, GET, E::Metadata, Token),
    ),
    route(
        path::DEVICE_AUTHORIZATION,
        POST,
        E::DeviceAuthorization,
        Token,
    ),
    route(path::DEVICE, GET, E::Device, Page),
    own_form(route("/device/code", BOTH, E::DeviceUserCode, Page)),
    own_form(route("/device/confirm", BOTH, E::DeviceConfirm, Page)),
    route(path::AUTHORIZE, BOTH, E::Authorize, Page),
    route("/continue", GET, E::Continue, Page),
    own_form(route("/sign-in", BOTH, E::SignIn, Page)),
    own_form(route("/consent", BOTH, E::Consent, Page)),
    route(path::END_SESSION, BOTH, E::EndSession, Page),
    route("", GET, E::Home, Page),
    route("/", GET, E::Home, Page),
    route("/errors/", GET, E::ErrorPage, Page),
    route("/assets/", GET, E::Asset, Page),
    route(crate::logo::PATH, GET, E::Logo, Page),
    route("/favicon.ico", GET, E::Asset, Page),
    on(Listener::Anywhere, route("/livez", GET, E::Livez, Token)),
    on(Listener::Anywhere, route("/readyz", GET, E::Readyz, Token)),
    on(
        Listener::Anywhere,
        route("/startupz", GET, E::Startupz, Token),
    ),
    on(
        Listener::Management,
        route("/metrics", GET, E::Metrics, Token),
    ),
    own_form(route("/admin/link", BOTH, E::AdminLink, Page)),
    on(
        Listener::Development,
        cors(Cors::Anyone, route("/demo/api", GET, E::DemoApi, Bearer)),
    ),
    on(
        Listener::Development,
        route("/dev/trace", GET, E::TraceList, Page),
    ),
    on(
        Listener::Development,
        route("/dev/trace/", GET, E::TraceDetail, Page),
    ),
];

/// Finds the route whose path ends `path`; what comes before it is the tenant's own path.
///
/// The two well-known documents are also found with the tenant's path behind them (RFC 8414 §3.1).
pub fn find(path: &str) -> Option<(&str, &'static Route)> {
    for route in ROUTES {
        if route.path.starts_with("/.well-known/")
            && let Some(tenant_path) = path.strip_prefix(route.path)
            && (tenant_path.is_empty() || tenant_path.starts_with('/'))
        {
            return Some((tenant_path, route));
        }
    }
    ROUTES
        .iter()
        .find_map(|route| split(path, route).map(|tenant_path| (tenant_path, route)))
}

fn split<'a>(path: &'a str, route: &Route) -> Option<&'a str> {
    if route.path.len() > 1 && route.path.ends_with('/') {
        let at = path.find(route.path)?;
        let below = path.get(at + route.path.len()..)?;
        return (!below.is_empty()).then(|| path.get(..at)).flatten();
    }
    match route.path {
        // The home page of the default tenant; a tenant's own is found when nothing else fits.
        "" | "/" => None,
        ends => path.strip_suffix(ends),
    }
}
