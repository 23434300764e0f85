//! The OpenAPI document says what is there, and the page shows it.

use std::collections::BTreeSet;

use postkey::http::{Access, routes};
use serde_json::Value;

use crate::layers::rust_files;
use crate::support::api::Service;
use crate::support::database::TestDatabase;

fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &'static str), operations: &Value| {
        operations.get(item).map(|_| (item.to_uppercase(), path.clone()))
    };
    let mut found = Vec::new();
    for (path, operations) in paths {
        for method in ["get", "post", "put", "delete", "patch"] {
            if let Some((method_name, path)) = of_path((path, method), operations) {
                found.push((method_name, path, &operations[method]));
            }
        }
    }
    found
}

#[tokio::test]
async fn every_route_is_in_the_document_with_what_it_needs() {
    let database = TestDatabase::sqlite().await;
    let service = Service::start(&database).await;
    let document = service.stranger().get("/api/openapi.json").await.expect(200);
    assert_eq!(document["openapi"], "3.1.0");
    let documented = operations(&document);
    let routes = routes::list();
    assert!(routes.len() > 15);
    assert_eq!(documented.len(), routes.len());
    for (method, path, access) in routes {
        let found = documented.iter().find(|(m, p, _)| (m, p) == (&method, &path));
        let (.., operation) = found.unwrap_or_else(|| panic!("{method} {path} is not documented"));
        assert_eq!(operation.get("security").is_none(), access == Access::Public, "{method} {path}");
        assert!(operation["summary"].is_string() && operation["tags"].is_array(), "{method} {path}");
        let statuses: BTreeSet<&String> = operation["responses"].as_object().unwrap().keys().collect();
        assert!(
            statuses.iter().any(|status| status.starts_with(['2', '3'])),
            "{method} {path}: {statuses:?}"
        );
        assert!(statuses.contains(&"401".to_owned()) || access == Access::Public, "{method} {path}");
    }
}

#[tokio::test]
async fn every_reference_in_the_document_leads_somewhere() {
    let document = serde_json::to_value(postkey::http::document()).unwrap();
    let text = document.to_string();
    let references: BTreeSet<&str> =
        text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(!references.is_empty());
    for reference in references {
        assert!(document.pointer(reference).is_some(), "{reference} is missing");
    }
}

/// Of two schemas of one name the document would have one only.
#[test]
fn no_two_schemas_have_the_same_name() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
    let mut names = BTreeSet::new();
    for file in rust_files(&folder) {
        let text = std::fs::read_to_string(&file).unwrap();
        for item in text.split("#[derive(").skip(1) {
            let (derived, rest) = item.split_once(")]").unwrap();
            let mut words = rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            let is_kind = |word: &&str| ["struct", "enum"].contains(word);
            if derived.contains("ToSchema") && words.any(|word| is_kind(&word)) {
                let name = words.next().unwrap().to_owned();
                assert!(names.insert(name.clone()), "{name} in {} is the second one", file.display());
            }
        }
    }
    assert!(names.len() > 20, "{names:?}");
}

#[test]
fn every_call_has_a_name_of_its_own_and_ids_lead_to_calls() {
    let document = serde_json::to_value(postkey::http::document()).unwrap();
    let operations = operations(&document);
    let names: BTreeSet<&str> =
        operations.iter().map(|(.., operation)| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.len(), operations.len());
    let links = &document["paths"]["/api/invites"]["post"]["responses"]["201"]["links"];
    assert_eq!(links["delete_api_invites_id"]["parameters"]["id"], "$response.body#/id");
    let links = &document["paths"]["/api/notices"]["get"]["responses"]["200"]["links"];
    assert_eq!(links["post_api_notices_id_end"]["parameters"]["id"], "$response.body#/items/0/id");
    for (method, path, operation) in &operations {
        for response in operation["responses"].as_object().unwrap().values() {
            let targets = response["links"].as_object().into_iter().flatten();
            for (_, link) in targets {
                let target = link["operationId"].as_str().unwrap();
                assert!(names.contains(target), "{method} {path} leads to {target}");
            }
        }
    }
}

#[tokio::test]
async fn without_a_token_every_route_that_needs_one_is_shut() {
    let database = TestDatabase::sqlite().await;
    let service = Service::start(&database).await;
    for (method, path, access) in routes::list().into_iter().filter(|(.., access)| *access != Access::Public)
    {
        let path = path.replace("{id}", "01890a5d-ac96-774b-bcce-b302099a8057");
        let method = method.parse().unwrap();
        let refused = service.stranger().call(method, &path, None).await;
        assert_eq!(refused.refused(401), "unauthorized", "{path} {access:?}");
    }
}

#[tokio::test]
async fn the_reference_is_a_page_that_loads_nothing_from_elsewhere() {
    let database = TestDatabase::sqlite().await;
    let service = Service::start(&database).await;
    let response = service.stranger().request(reqwest::Method::GET, "/api/docs").send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    assert!(response.headers()["content-security-policy"].to_str().unwrap().contains("style-src 'sha256-"));
    let page = response.text().await.unwrap();
    for (method, path, _) in routes::list() {
        assert!(page.contains(&format!("<b>{method}</b> <code>{path}</code>")), "{method} {path}");
    }
    assert!(!page.contains("src=") && !page.contains("http://") && !page.contains("https://"));
    assert!(
        page.contains("<code>apiKey</code>") && page.contains("The key; it is sealed and never shown again.")
    );
    assert!(page.contains("<code>sent</code>") && !page.contains("<td><td>"), "every field is of some kind");
    // Every link within the page leads somewhere.
    let targets: Vec<&str> =
        page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(targets.len() > 30, "{targets:?}");
    for target in targets {
        assert_eq!(page.matches(&format!("id=\"{target}\"")).count(), 1, "{target}");
    }
}
