//! Who may do what (SR-54 to SR-57): every route of [`routes::list`] against everybody who must not.
//!
//! A route without a row in [`rows`] fails here. A row says how its owner makes a valid call of the route; each
//! [`Column`] is somebody else, and what such a call must get. The owner's own call comes last and must succeed: so
//! what was refused before was refused for the right reason, and has changed nothing.

mod columns;
mod credentials;
mod rows;
mod scene;

use std::collections::BTreeSet;

use postkey::http::{Access, routes};

use crate::support::database::on_both;

use columns::Column;
use rows::{Row, rows};
use scene::{Call, Scene};

#[test]
fn every_route_has_a_row_and_every_row_a_route() {
    let key = |method: &str, path: &str, access: Access| format!("{method} {path} needs {access:?}");
    let listed: BTreeSet<String> =
        routes::list().iter().map(|(method, path, access)| key(method, path, *access)).collect();
    let known: BTreeSet<String> = rows().iter().map(|row| key(row.method, row.path, row.needs)).collect();
    assert_eq!(listed, known, "write a row for each route into tests/suite/http/isolation/rows.rs");
    assert_eq!(rows().len(), known.len(), "a row is there twice");
}

on_both! {
    async fn nobody_does_what_only_another_may(database: TestDatabase) {
        let mut scene = Scene::open(&database).await;
        let (last, others): (Vec<Row>, Vec<Row>) = rows().into_iter().partition(|row| row.is_last);
        for row in others.into_iter().chain(last) {
            if row.is_last {
                scene.renew().await;
            }
            let call = scene.prepare(&row).await;
            for column in Column::ALL {
                if column.applies_to(&row) {
                    column.check(&scene, &row, &call).await;
                }
            }
            check_owner(&scene, &row, &call).await;
        }
    }
}

async fn check_owner(scene: &Scene<'_>, row: &Row, call: &Call) {
    let owner = match row.needs {
        Access::Public => scene.service.stranger(),
        _ => scene.owner.visitor.clone(),
    };
    let answer = call.send(row, &owner).await;
    assert_eq!(answer.status, row.status, "{} {} by its owner: {answer:?}", row.method, row.path);
}
