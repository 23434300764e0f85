//! A fresh, empty database for each test, and the macro that runs one test on both kinds.

use std::net::SocketAddr;

use sqlx::{Connection, Executor, PgConnection};
use tempfile::TempDir;

use super::proxy::Proxy;

/// Names the PostgreSQL server on which tests may create databases.
const SERVER: &str = "POSTKEY_TEST_POSTGRES";

/// An empty database that is gone when this is dropped.
pub struct TestDatabase {
    url: String,
    remains: Remains,
}

/// What has to be cleared away.
enum Remains {
    /// The folder that holds the SQLite file, its write-ahead log and its locks.
    Folder(#[expect(dead_code, reason = "kept for its drop, which deletes the folder")] TempDir),
    /// A database on the PostgreSQL server at `server`.
    Database { server: String, name: String },
}

impl TestDatabase {
    /// A path for a SQLite file in a folder of its own; the file itself does not exist yet.
    pub async fn sqlite() -> Self {
        let folder = tempfile::Builder::new().prefix("postkey-test-").tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("postkey.db").display());
        Self { url, remains: Remains::Folder(folder) }
    }

    /// An empty PostgreSQL database on the server that `POSTKEY_TEST_POSTGRES` names.
    pub async fn postgres() -> Self {
        let server = std::env::var(SERVER).unwrap_or_else(|_| {
            panic!("{SERVER} is not set: run tests/run.sh, or see `tests/run.sh --help` for a server by hand")
        });
        let name = format!("postkey_test_{}", uuid::Uuid::from_bytes(rand::random()).simple());
        let url = with_database(&server, &name);
        // template0 has no visitors, so tests may copy it at the same time.
        run_on_server(&server, &format!("CREATE DATABASE {name} TEMPLATE template0")).await.expect(SERVER);
        Self { url, remains: Remains::Database { server, name } }
    }

    /// What `database.url` of the configuration takes: `sqlite://<path>` or `postgres://..`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the PostgreSQL server listens, for a [`Proxy`] in front of it.
    pub fn server_address(&self) -> SocketAddr {
        let url = url::Url::parse(&self.url).unwrap();
        url.socket_addrs(|| Some(5432)).unwrap()[0]
    }

    /// The same database by way of `proxy`, so that a test can take it away.
    pub fn url_through(&self, proxy: &Proxy) -> String {
        let mut url = url::Url::parse(&self.url).unwrap();
        url.set_ip_host(proxy.address().ip()).unwrap();
        url.set_port(Some(proxy.address().port())).unwrap();
        url.into()
    }

    /// Whether this is PostgreSQL, where several processes may share the work.
    pub fn is_postgres(&self) -> bool {
        matches!(self.remains, Remains::Database { .. })
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Remains::Database { server, name } = &self.remains else { return };
        let (server, statement) = (server.clone(), format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        // A thread of its own: a drop cannot await, and the test's runtime may already be ending.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(run_on_server(&server, &statement)).map_err(std::io::Error::other)
        });
        // A leftover harms nobody, and a panic here would hide why the test failed.
        if let Ok(Err(error)) = dropped.join() {
            eprintln!("a test database was left over: {error}");
        }
    }
}

/// The server's URL with another database name.
fn with_database(server: &str, name: &str) -> String {
    let mut url = url::Url::parse(server).expect(SERVER);
    url.set_path(name);
    url.into()
}

async fn run_on_server(server: &str, statement: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(server).await?;
    connection.execute(sqlx::AssertSqlSafe(statement)).await?;
    connection.close().await
}

/// Makes two tests of one async body, `<name>::sqlite` and `<name>::postgres`:
///
/// ```ignore
/// on_both! {
///     async fn a_user_is_found_again(database: TestDatabase) {
///         let store = Store::open(database.url()).await;
///     }
/// }
/// ```
///
/// The body owns its database; keep it alive for as long as anything uses it.
macro_rules! on_both {
    ($($(#[$attribute:meta])* async fn $name:ident($database:ident: TestDatabase) $body:block)+) => {$(
        $(#[$attribute])*
        async fn $name($database: $crate::support::database::TestDatabase) $body

        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name($crate::support::database::TestDatabase::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name($crate::support::database::TestDatabase::postgres().await).await;
            }
        }
    )+};
}
pub(crate) use on_both;
