//! The table of contents: every path, what it needs, and who answers it.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

use super::access::{Access, Purpose, Scope};
use super::document::{self, base};
use super::door::let_in;
use super::every_call::within;
use super::idempotency::once;
use super::{
    Api, accounts, agents, ai_configurations, api_keys, audit, chat, mailboxes, messages, notices,
    openrouter, reference, reset_page, runs, security_tokens, usage,
};

/// One path with one method.
pub(super) struct Route {
    /// What it needs.
    pub(super) access: Access,
    /// Whether it makes something: then it may be named, and is carried out once (`Idempotency-Key`).
    pub(super) is_creating: bool,
    /// How many calls of a model it may wait for: it may take as long as these besides.
    pub(super) calls: u32,
    /// Its handler, and what the handler says of itself.
    pub(super) handler: UtoipaMethodRouter<Arc<Api>>,
}

fn route(access: Access, handler: UtoipaMethodRouter<Arc<Api>>) -> Route {
    Route { access, is_creating: false, calls: 0, handler }
}

/// A route that makes something for its caller.
fn creating(access: Access, handler: UtoipaMethodRouter<Arc<Api>>) -> Route {
    Route { is_creating: true, ..route(access, handler) }
}

/// Every route there is; a call that is not here is not found.
pub(super) fn table() -> Vec<Route> {
    use Access::{Administrator, Public, Session};
    let (read_configs, write_configs) =
        (Access::Scope(Scope::ConfigsRead), Access::Scope(Scope::ConfigsWrite));
    // What is shown once is not kept to be shown again: these calls make something, and cannot be named.
    let (write_keys, make_tokens) = (Access::Scope(Scope::KeysWrite), Access::Scope(Scope::TokensCreate));
    let (read_agents, write_agents) = (Access::Scope(Scope::AgentsRead), Access::Scope(Scope::AgentsWrite));
    let (read_runs, write_runs) = (Access::Scope(Scope::RunsRead), Access::Scope(Scope::RunsWrite));
    let read_mail = Access::Scope(Scope::MailRead);
    let (chat, preview) = (Access::Purpose(Purpose::ChatCompletion), Access::Purpose(Purpose::AgentPreview));
    vec![
        route(Public, routes!(reference::openapi)),
        route(Public, routes!(reference::docs)),
        route(Public, routes!(accounts::sign_up::sign_up)),
        route(Public, routes!(accounts::sign_in::sign_in)),
        route(Public, routes!(accounts::refresh::refresh)),
        route(Session, routes!(accounts::sessions::sign_out)),
        route(Session, routes!(accounts::me::me)),
        route(Session, routes!(accounts::password::change_password)),
        route(Session, routes!(accounts::sessions::list_sessions)),
        route(Session, routes!(accounts::sessions::end_session)),
        route(Public, routes!(accounts::reset::ask_for_reset)),
        route(Public, routes!(accounts::reset::reset)),
        route(Public, routes!(reset_page::reset_page)),
        creating(Administrator, routes!(accounts::invites::invite)),
        route(Administrator, routes!(accounts::invites::list_invites)),
        route(Administrator, routes!(accounts::invites::take_back_invite)),
        route(read_configs, routes!(ai_configurations::read::list)),
        creating(write_configs, routes!(ai_configurations::create::create)),
        route(read_configs, routes!(ai_configurations::read::get)),
        route(write_configs, routes!(ai_configurations::change::change)),
        route(write_configs, routes!(ai_configurations::remove::remove)),
        route(write_configs, routes!(ai_configurations::change::make_default)),
        route(Access::Purpose(Purpose::ConfigVerify), routes!(ai_configurations::verify::verify)),
        route(write_keys, routes!(api_keys::create::create)),
        route(write_keys, routes!(api_keys::read::list)),
        route(write_keys, routes!(api_keys::read::get)),
        route(write_keys, routes!(api_keys::change::change)),
        route(write_keys, routes!(api_keys::revoke::revoke)),
        route(write_keys, routes!(api_keys::rotate::rotate)),
        route(make_tokens, routes!(security_tokens::create::create)),
        route(make_tokens, routes!(security_tokens::list::list)),
        route(make_tokens, routes!(security_tokens::revoke::revoke)),
        route(make_tokens, routes!(security_tokens::revoke::revoke_all)),
        Route { calls: 1, ..route(chat, routes!(chat::completions::complete)) },
        route(Access::Scope(Scope::ChatCreate), routes!(chat::models::list)),
        route(Access::Scope(Scope::UsageRead), routes!(usage::usage)),
        route(Session, routes!(openrouter::connect::connect)),
        route(Session, routes!(openrouter::exchange::exchange)),
        route(Public, routes!(openrouter::callback::callback)),
        route(Public, routes!(openrouter::callback::connected)),
        route(Access::Scope(Scope::RunsRead), routes!(notices::list_notices)),
        route(Access::Scope(Scope::RunsWrite), routes!(notices::end_notice)),
        route(Session, routes!(audit::list_audit)),
        route(Access::Scope(Scope::ExportRead), routes!(accounts::export::export)),
        route(Session, routes!(accounts::departure::delete_account)),
        route(read_agents, routes!(agents::read::list)),
        creating(write_agents, routes!(agents::create::create)),
        route(read_agents, routes!(agents::read::get)),
        route(write_agents, routes!(agents::change::change)),
        route(write_agents, routes!(agents::remove::remove)),
        route(write_agents, routes!(agents::change::enable)),
        route(write_agents, routes!(agents::change::disable)),
        // A model that had no words is asked once more.
        Route { calls: 2, ..creating(preview, routes!(agents::preview::preview)) },
        route(read_agents, routes!(mailboxes::read::list)),
        creating(write_agents, routes!(mailboxes::create::create)),
        route(read_agents, routes!(mailboxes::read::get)),
        route(write_agents, routes!(mailboxes::change::change)),
        route(write_agents, routes!(mailboxes::remove::remove)),
        route(write_agents, routes!(mailboxes::change::pause)),
        route(write_agents, routes!(mailboxes::change::activate)),
        route(write_agents, routes!(mailboxes::test::test)),
        route(read_runs, routes!(runs::list::list)),
        route(read_runs, routes!(runs::read::get)),
        route(read_mail, routes!(runs::reply::reply)),
        route(write_runs, routes!(runs::decide::retry)),
        route(write_runs, routes!(runs::decide::approve)),
        route(write_runs, routes!(runs::decide::edit)),
        route(write_runs, routes!(runs::decide::discard)),
        route(read_mail, routes!(messages::list::list)),
        route(read_mail, routes!(messages::read::get)),
        route(read_mail, routes!(messages::raw::raw)),
    ]
}

/// What a route needs, by its method (upper case) and path: for tests of who may do what.
pub fn list() -> Vec<(String, String, Access)> {
    let mut listed = Vec::new();
    for Route { access, handler: (_, paths, _), .. } in table() {
        for (path, item) in paths.paths {
            for method in document::methods(&item) {
                listed.push((method.to_owned(), path.clone(), access));
            }
        }
    }
    listed
}

/// The router of the table. Each handler is behind what its route needs, so that none can forget to ask.
pub(super) fn mount(api: &Arc<Api>) -> Router<Arc<Api>> {
    let mut router = OpenApiRouter::with_openapi(base());
    for Route { access, is_creating, calls, handler: (schemas, paths, mut handler) } in table() {
        let longest = api.config.http.call_timeout + api.config.provider.call_timeout * calls;
        if is_creating {
            handler = handler.route_layer(from_fn_with_state((Arc::clone(api), longest), once));
        }
        let guard = from_fn_with_state((Arc::clone(api), access), let_in);
        let limit = from_fn_with_state(longest, within);
        router = router.routes((schemas, paths, handler.route_layer(guard).route_layer(limit)));
    }
    router.split_for_parts().0
}
