//! Where `error_uri` leads: what a rule asks for, why, and what to do (S40).

use super::Answer;
use crate::app::App;
use crate::http::exchange::Exchange;
use crate::http::reply;
use crate::login::{failure, view};
use crate::pages::{Page, RuleLine, RulePage};
use crate::rules;
use http::StatusCode;

pub fn error_page(app: &App, exchange: &Exchange) -> Answer {
    let cause = exchange.path.strip_prefix("/errors/").unwrap_or_default();
    let Some(rule) = rules::explained().find(|rule| rule.cause == cause) else {
        return Ok(failure::render(
            app,
            exchange,
            (StatusCode::NOT_FOUND, "not_found"),
            None,
        ));
    };
    let page = RulePage {
        look: view::look(&exchange.tenant.tenant),
        error: rule.code.name(),
        told: rule.told,
        rules: rules::like(rule)
            .map(|rule| RuleLine {
                cause: rule.cause,
                clause: rule.clause,
                promise: rule.promise,
                fix: rule.fix,
            })
            .collect(),
    };
    let html = app
        .pages
        .render(&Page::Rule(page), view::locale(exchange, None))?;
    Ok(reply::page(StatusCode::OK, html, None))
}
