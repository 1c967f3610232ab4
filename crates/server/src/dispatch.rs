//! The way of a request: judged, routed to its tenant and endpoint, answered, observed.

use crate::ambient::Ambient;
use crate::app::App;
use crate::demo;
use crate::endpoints::{self, Answer};
use crate::http::exchange::Exchange;
use crate::http::reply::{self, Reply};
use crate::http::routes::{self, Cors, Endpoint, Listener, Route};
use crate::login;
use crate::observe::Finished;
use crate::tenancy::TenantState;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use jeton_protocol::refusal::{ErrorCode, Trail};
use jeton_token::row_id::RowId;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

/// A request as the connection hands it over, its body read whole.
#[derive(Debug)]
pub struct Incoming {
    pub parts: Parts,
    pub body: bytes::Bytes,
    pub peer: IpAddr,
    pub management: bool,
}

/// The home page of a tenant: what a path means that ends no route.
static HOME: Route = Route {
    path: "",
    methods: &[Method::GET, Method::HEAD],
    endpoint: Endpoint::Home,
    envelope: crate::http::denied::Envelope::Page,
    cors: Cors::None,
    listener: Listener::Public,
    own_form: false,
    label: "/",
};

#[expect(
    clippy::disallowed_methods,
    reason = "how long a request took is measured here, for the metrics"
)]
pub async fn answer(app: &App, incoming: Incoming) -> Reply {
    let started = Instant::now();
    let mut ambient = app.ambient();
    let found = locate(app, &incoming).await;
    let (tenant, route) = match found {
        Ok(found) => found,
        Err(reply) => return reply,
    };
    let exchange = exchange(app, incoming, tenant, route, &mut ambient);
    let mut trail = app.observe.trail();
    let reply = reply_to(app, &exchange, route, (&mut ambient, &mut trail)).await;
    let took = started.elapsed();
    app.metrics
        .observe_request(route.label, reply.status().as_u16(), took);
    if app.observe.traces()
        && !matches!(
            route.endpoint,
            Endpoint::TraceList | Endpoint::TraceDetail | Endpoint::Asset
        )
    {
        app.observe.finish(Finished {
            exchange: &exchange,
            route,
            id: exchange.id,
            at: ambient.now,
            took,
            status: reply.status().as_u16(),
            location: reply
                .headers()
                .get(header::LOCATION)
                .and_then(|value| value.to_str().ok()),
            passed: trail.passed(),
        });
    }
    ambient.end();
    reply
}

/// Which tenant and route a request is for. Host and path are only looked up; nothing is ever built from them (SEC-190).
async fn locate(
    app: &App,
    incoming: &Incoming,
) -> Result<(Arc<TenantState>, &'static Route), Reply> {
    let path = incoming.parts.uri.path();
    let (tenant_path, route) = match app.settings.alias(path).or_else(|| routes::find(path)) {
        Some(found) => found,
        None => (path.strip_suffix('/').unwrap_or(path), &HOME),
    };
    if !reachable(app, route, incoming.management) {
        return Err(plain(StatusCode::NOT_FOUND, "There is nothing here.\n"));
    }
    if matches!(route.listener, Listener::Anywhere | Listener::Management) {
        return app.default_state().await.map(|state| (state, route));
    }
    let Some(authority) = authority(&incoming.parts) else {
        return Err(plain(
            StatusCode::BAD_REQUEST,
            "The request needs exactly one Host.\n",
        ));
    };
    match app.tenancy.find(app, authority, tenant_path).await {
        Ok(Some(state)) => Ok((state, route)),
        Ok(None) => Err(not_here(app, authority)),
        Err(fault) => {
            tracing::error!(event = "fault", %fault, "the tenant could not be loaded");
            Err(plain(
                StatusCode::SERVICE_UNAVAILABLE,
                "The server could not answer.\n",
            ))
        }
    }
}

/// 421 for a host that is not ours, 404 for a path that is nobody's.
fn not_here(app: &App, authority: &str) -> Reply {
    if app.settings.issuer.authority() == authority || app.tenancy.knows_authority(authority) {
        plain(StatusCode::NOT_FOUND, "There is nothing here.\n")
    } else {
        plain(
            StatusCode::MISDIRECTED_REQUEST,
            "This server has no issuer at this host name. Use the issuer's address exactly as configured.\n",
        )
    }
}

fn plain(status: StatusCode, text: &str) -> Reply {
    reply::text(status, "text/plain; charset=utf-8", text.to_owned())
}

fn reachable(app: &App, route: &Route, management: bool) -> bool {
    match route.listener {
        Listener::Anywhere => true,
        Listener::Public => !management,
        Listener::Management => management || app.is_development(),
        Listener::Development => app.is_development(),
    }
}

/// `Host`, once, and the same as the target's when that names one (RFC 9112 §3.2).
fn authority(parts: &Parts) -> Option<&str> {
    let by_target = parts.uri.authority().map(http::uri::Authority::as_str);
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let by_host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host.to_str().ok()?),
        (None, None) => None,
        (_, Some(_)) => return None,
    };
    match (by_target, by_host) {
        (Some(target), Some(host)) => (target == host).then_some(host),
        (target, host) => target.or(host),
    }
}

fn exchange(
    app: &App,
    incoming: Incoming,
    tenant: Arc<TenantState>,
    route: &'static Route,
    ambient: &mut Ambient,
) -> Exchange {
    let address = crate::http::listener::client_address(
        &incoming.parts.headers,
        incoming.peer,
        &app.settings,
    );
    let full = incoming.parts.uri.path();
    let own = tenant.tenant.issuer.path().len();
    let path = if route.path.ends_with('/') {
        full.get(own..).unwrap_or(full)
    } else {
        route.path
    };
    Exchange {
        id: RowId::new(ambient.now, &mut ambient.entropy),
        method: incoming.parts.method,
        path: path.to_owned(),
        query: incoming.parts.uri.query().map(str::to_owned),
        uri: incoming.parts.uri,
        headers: incoming.parts.headers,
        body: incoming.body,
        tenant,
        address,
    }
}

async fn reply_to(
    app: &App,
    exchange: &Exchange,
    route: &'static Route,
    (ambient, trail): (&mut Ambient, &mut Trail),
) -> Reply {
    let mut reply = if exchange.method == Method::OPTIONS && route.cors != Cors::None {
        preflight()
    } else if !route.methods.contains(&exchange.method) {
        wrong_method(route)
    } else {
        let own = if route.own_form && exchange.method == Method::POST {
            login::browser::check_origin(exchange, trail)
        } else {
            Ok(())
        };
        let answer = match own {
            Ok(()) => call(app, exchange, route.endpoint, (ambient, trail)).await,
            Err(refusal) => Err(refusal.into()),
        };
        match answer {
            Ok(reply) => reply,
            Err(denied) => {
                app.observe
                    .note_denied(exchange, route, (&denied, ambient.now));
                if let Some(refusal) = denied.refusal() {
                    count(app, route, refusal.code(), refusal.rule.cause);
                }
                route.envelope.write(app, exchange, &denied)
            }
        }
    };
    match route.cors {
        Cors::None => {}
        Cors::Anyone => allow_anyone(&mut reply),
        Cors::Registered => allow_origin(app, exchange, &mut reply).await,
    }
    reply
}

fn count(app: &App, route: &Route, code: ErrorCode, cause: &'static str) {
    app.metrics.count_refusal(cause);
    if route.endpoint == Endpoint::Token {
        app.metrics.count_token_refusal(code.name());
    }
}

async fn call(
    app: &App,
    exchange: &Exchange,
    endpoint: Endpoint,
    (ambient, trail): (&mut Ambient, &mut Trail),
) -> Answer {
    // The endpoints of pages are boxed: what they need while they wait is large, and every request would carry room for it.
    match endpoint {
        Endpoint::Token => endpoints::token::token(app, exchange, ambient, trail).await,
        Endpoint::PushedRequest => endpoints::par::par(app, exchange, ambient, trail).await,
        Endpoint::Introspect => {
            endpoints::introspect::introspect(app, exchange, ambient, trail).await
        }
        Endpoint::Revoke => endpoints::revoke::revoke(app, exchange, ambient, trail).await,
        Endpoint::Userinfo => endpoints::userinfo::userinfo(app, exchange, ambient, trail).await,
        Endpoint::Jwks => endpoints::jwks::jwks(exchange),
        Endpoint::Metadata => endpoints::discovery::metadata(exchange),
        Endpoint::Authorize => {
            Box::pin(endpoints::authorize::authorize(
                app, exchange, ambient, trail,
            ))
            .await
        }
        Endpoint::Continue => Box::pin(login::resume(app, exchange, ambient, trail)).await,
        Endpoint::SignIn => Box::pin(login::sign_in::sign_in(app, exchange, ambient, trail)).await,
        Endpoint::Consent => Box::pin(login::consent::consent(app, exchange, ambient, trail)).await,
        Endpoint::DeviceAuthorization => {
            endpoints::device_authorization::device_authorization(app, exchange, ambient, trail)
                .await
        }
        Endpoint::Device => Box::pin(login::device::device(app, exchange, ambient, trail)).await,
        Endpoint::DeviceUserCode => {
            Box::pin(login::device::user_code(app, exchange, ambient, trail)).await
        }
        Endpoint::DeviceConfirm => {
            Box::pin(login::device_confirm::confirm(
                app, exchange, ambient, trail,
            ))
            .await
        }
        Endpoint::EndSession => {
            Box::pin(endpoints::end_session::end_session(
                app, exchange, ambient, trail,
            ))
            .await
        }
        Endpoint::Home => endpoints::home::home(app, exchange),
        Endpoint::ErrorPage => endpoints::errors::error_page(app, exchange),
        Endpoint::Asset => Ok(asset(app, exchange)),
        Endpoint::Logo => endpoints::logo::logo(app, exchange, ambient.now).await,
        Endpoint::Livez | Endpoint::Startupz => endpoints::health::livez(),
        Endpoint::Readyz => endpoints::health::readyz(app, exchange, ambient.now).await,
        Endpoint::Metrics => endpoints::health::metrics(app),
        Endpoint::AdminLink => {
            Box::pin(login::admin_link::admin_link(app, exchange, ambient, trail)).await
        }
        Endpoint::DemoApi => Box::pin(demo::api::api(app, exchange, ambient, trail)).await,
        Endpoint::TraceList => demo::trace::list(app, exchange),
        Endpoint::TraceDetail => demo::trace::detail(app, exchange),
    }
}

fn asset(app: &App, exchange: &Exchange) -> Reply {
    match crate::pages::asset(&exchange.path) {
        Some(asset) => reply::asset(asset.content_type, asset.bytes, asset.immutable),
        None => login::failure::render(app, exchange, (StatusCode::NOT_FOUND, "not_found"), None),
    }
}

fn wrong_method(route: &Route) -> Reply {
    let mut reply = reply::empty(StatusCode::METHOD_NOT_ALLOWED);
    let allowed: Vec<&str> = route.methods.iter().map(Method::as_str).collect();
    if let Ok(allowed) = HeaderValue::try_from(allowed.join(", ")) {
        reply.headers_mut().insert(header::ALLOW, allowed);
    }
    reply
}

fn preflight() -> Reply {
    let mut reply = reply::empty(StatusCode::NO_CONTENT);
    let headers = reply.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST"),
    );
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("authorization, content-type, dpop"),
    );
    headers.insert(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("600"),
    );
    reply
}

fn allow_anyone(reply: &mut Reply) {
    reply.headers_mut().insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    expose_headers(reply);
}

/// What a client has to read of an answer beside its body (RFC 9449 §8).
fn expose_headers(reply: &mut Reply) {
    reply.headers_mut().insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("DPoP-Nonce, WWW-Authenticate, Retry-After"),
    );
}

/// Lets scripts of an origin that a client of the tenant registered read the answer (SEC-198). A preflight does not say which
/// client it is for, so any client's origin will do; the credentials in the request itself decide everything else.
async fn allow_origin(app: &App, exchange: &Exchange, reply: &mut Reply) {
    let Some(origin) = exchange.header(&header::ORIGIN) else {
        return;
    };
    reply
        .headers_mut()
        .append(header::VARY, HeaderValue::from_static("Origin"));
    let allowed = match exchange.tenant.allows_origin(app, origin).await {
        Ok(allowed) => allowed,
        Err(error) => {
            tracing::error!(event = "fault", %error, "the registered origins could not be read");
            false
        }
    };
    if allowed && let Ok(value) = HeaderValue::try_from(origin) {
        reply
            .headers_mut()
            .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
        expose_headers(reply);
    }
}
