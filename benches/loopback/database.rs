//! The databases of the queue's benchmark, by the name that the tests' owners know.

#[path = "../queue/database.rs"]
#[expect(dead_code, reason = "the queue's benchmark needs more of it")]
mod on_disk;

use super::Failure;

pub use self::on_disk::Database as TestDatabase;
pub use self::on_disk::{Database, Kind, folder_and_its_file_system};

impl Database {
    pub fn url(&self) -> &str {
        &self.url
    }
}
