//! Where the id in an answer leads: from what makes or lists things to every call that names one of them.

use serde_json::Value;
use utoipa::openapi::link::Link;
use utoipa::openapi::path::{Operation, Paths};
use utoipa::openapi::{RefOr, Response};

/// What stands in a path for the id of a thing.
const ID: &str = "/{id}";

/// Calls that name a thing: the path of the things, and the operation's id.
type Named = Vec<(String, String)>;

/// Adds to every path of things, such as `/api/invites`, links to the calls below it, such as
/// `DELETE /api/invites/{id}`.
pub(super) fn link(paths: &mut Paths) {
    let named = list_named(paths);
    for (path, item) in &mut paths.paths {
        let targets = || named.iter().filter(|(things, _)| things == path).map(|(_, target)| target);
        if let Some(making) = &mut item.post {
            add(making, "201", "$response.body#/id", targets());
        }
        if let Some(listing) = &mut item.get {
            add(listing, "200", "$response.body#/items/0/id", targets());
        }
    }
}

fn list_named(paths: &Paths) -> Named {
    let mut named = Named::new();
    for (path, item) in &paths.paths {
        let Some((things, _)) = path.split_once(ID) else { continue };
        let operations = [&item.get, &item.post, &item.put, &item.delete];
        let ids = operations.into_iter().flatten().filter_map(|operation| operation.operation_id.clone());
        named.extend(ids.map(|id| (things.to_owned(), id)));
    }
    named
}

fn add<'a>(operation: &mut Operation, status: &str, place: &str, targets: impl Iterator<Item = &'a String>) {
    let answer = operation.responses.responses.get_mut(status);
    let Some(RefOr::T(Response { links, .. })) = answer else { return };
    for target in targets {
        let link = Link::builder().operation_id(target).parameter("id", Value::from(place)).build();
        links.insert(target.clone(), link.into());
    }
}
