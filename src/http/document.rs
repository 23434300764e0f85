//! The OpenAPI document: what the handlers say of themselves, with what every call has in common.

use utoipa::OpenApi as _;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;

use super::access::Access;
use super::credentials::SECURITY_TOKEN;
use super::error::{ErrorBody, ErrorCode, ErrorDescription};
use super::idempotency::IDEMPOTENCY_KEY;
use super::links::link;
use super::routes::{Route, table};

/// What the security schemes are called.
const BEARER: &str = "bearer";
const TOKEN: &str = "security_token";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Postkey",
        description = "Agents that answer email on their owner's own AI provider key.\n\n\
            Sign up or sign in for a token, and send it as `Authorization: Bearer <token>`. Programs send a platform \
            API key (`pk_sk_..`) in its place, which needs the scope that a call names. Front ends get a security \
            token (`pkst1..`) for one purpose, and send it as `X-Security-Token`, as the field `security_token` of \
            the body, or as the bearer, and nothing beside it. Fields of requests are \
            written as shown (`apiKey`); `snake_case` is understood as well. Answers are in `snake_case`. Every \
            refusal has one shape: `{\"error\":{\"code\",\"message\",\"details\"}}`.",
    ),
    components(schemas(ErrorBody, ErrorDescription, ErrorCode))
)]
struct Base;

/// The document before any route is added.
pub(super) fn base() -> OpenApi {
    let mut document = Base::openapi();
    let components = document.components.get_or_insert_default();
    let bearer = Http::builder().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    let token = ApiKey::Header(ApiKeyValue::new(SECURITY_TOKEN.as_str()));
    components.add_security_scheme(TOKEN, SecurityScheme::ApiKey(token));
    document
}

/// The whole document.
pub fn document() -> OpenApi {
    let mut router = OpenApiRouter::with_openapi(base());
    for Route { access, is_creating, handler: (schemas, mut paths, handler), .. } in table() {
        for (path, item) in &mut paths.paths {
            let has_id = path.contains('{');
            for (method, operation) in operations(item) {
                operation.operation_id = Some(name(method, path));
                complete(operation, access, has_id);
                if is_creating {
                    may_be_named(operation);
                }
            }
        }
        router = router.routes((schemas, paths, handler));
    }
    let mut document = router.into_openapi();
    link(&mut document.paths);
    document
}

/// No two calls have the same: `post_api_invites`.
fn name(method: &str, path: &str) -> String {
    let words = path.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(method.to_lowercase(), |name, word| name + "_" + word)
}

/// The methods of a path, upper case.
pub(super) fn methods(item: &PathItem) -> Vec<&'static str> {
    operations(&mut item.clone()).into_iter().map(|(method, _)| method).collect()
}

fn operations(item: &mut PathItem) -> Vec<(&'static str, &mut Operation)> {
    let all = [
        ("GET", &mut item.get),
        ("POST", &mut item.post),
        ("PUT", &mut item.put),
        ("DELETE", &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?))).collect()
}

/// Adds what is true of every such call.
fn complete(operation: &mut Operation, access: Access, has_id: bool) {
    refusal(operation, "408", "The call took too long.");
    refusal(operation, "429", "Too many calls; `Retry-After` says when to come back.");
    refusal(operation, "503", "The server cannot do it now; `Retry-After` says when to try again.");
    if operation.parameters.iter().flatten().any(is_in_query) {
        refusal(operation, "422", "A parameter has a value that it cannot have.");
    }
    if operation.request_body.is_some() {
        refusal(operation, "400", "The body is not JSON.");
        refusal(operation, "413", "The body is too large.");
        refusal(operation, "415", "The body is said to be something else than JSON.");
        refusal(operation, "422", "A field is unknown, missing, or has a value that it cannot have.");
    }
    if has_id {
        refusal(operation, "404", "There is no such thing, or it is somebody else's.");
    }
    refusal(
        operation,
        "400",
        "There is more than one credential with the call, or one stands in its address.",
    );
    let Some(right) = right(access) else { return };
    refusal(operation, "401", "There is no valid token with the call.");
    refusal(operation, "403", "The token may not do this.");
    let by_bearer = SecurityRequirement::new(BEARER, [right]);
    operation.security = Some(match access {
        Access::Purpose(purpose) => vec![by_bearer, SecurityRequirement::new(TOKEN, [purpose.as_str()])],
        _ => vec![by_bearer],
    });
}

fn is_in_query(parameter: &RefOr<Parameter>) -> bool {
    matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query)
}

/// What is true of calls that make something.
fn may_be_named(operation: &mut Operation) {
    let schema = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255));
    let name = ParameterBuilder::new()
        .name(IDEMPOTENCY_KEY.as_str())
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "Names the call: one that comes again within a day is answered and not carried out again.",
        ))
        .schema(Some(schema.pattern(Some("^[!-~]+$"))))
        .build();
    operation.parameters.get_or_insert_default().push(name.into());
    refusal(operation, "409", "There is one already, or a call of this name is being worked on.");
}

fn right(access: Access) -> Option<&'static str> {
    match access {
        Access::Public => None,
        Access::Scope(scope) => Some(scope.as_str()),
        Access::Purpose(purpose) => Some(purpose.scope().as_str()),
        Access::Session => Some("session"),
        Access::Administrator => Some("administrator"),
    }
}

/// A handler's own words about a status win.
fn refusal(operation: &mut Operation, status: &str, description: &str) {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorBody"))).build();
    let response: Response =
        ResponseBuilder::new().description(description).content("application/json", content).build();
    operation.responses.responses.entry(status.to_owned()).or_insert_with(|| response.into());
}
