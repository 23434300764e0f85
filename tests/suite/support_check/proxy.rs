//! The proxy takes a database away and brings it back.

use sqlx::{Connection, Executor, PgConnection};

use crate::support::database::TestDatabase;
use crate::support::proxy::Proxy;

#[tokio::test]
async fn a_database_is_gone_for_a_while_and_back() {
    let database = TestDatabase::postgres().await;
    let proxy = Proxy::start(database.server_address()).await;
    let url = database.url_through(&proxy);
    let mut connection = PgConnection::connect(&url).await.unwrap();
    connection.execute("SELECT 1").await.unwrap();

    proxy.take_away();
    assert!(connection.execute("SELECT 1").await.is_err());
    assert!(PgConnection::connect(&url).await.is_err());

    proxy.bring_back();
    PgConnection::connect(&url).await.unwrap().execute("SELECT 1").await.unwrap();
}
