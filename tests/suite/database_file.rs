//! A SQLite file on a machine that others have accounts on.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use postkey::clock::Clock;
use postkey::config;
use postkey::store::{RunState, Store};

use crate::support::database::TestDatabase;
use crate::support::office::Office;

async fn open(url: &str) -> Result<Store, String> {
    let config = config::Database { url: url.to_owned(), ..config::Database::default() };
    let store = Store::open(&config, Clock::system()).await.map_err(|error| error.to_string())?;
    store.migrate().await.map_err(|error| error.to_string())?;
    Ok(store)
}

/// The files of a folder, each with who may do what with it.
fn modes(folder: &Path) -> Vec<(String, u32)> {
    let mut modes: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(Result::unwrap)
        .map(|file| {
            let name = file.file_name().into_string().unwrap();
            (name, file.metadata().unwrap().permissions().mode() & 0o777)
        })
        .collect();
    modes.sort();
    modes
}

fn all(mode: u32) -> Vec<(String, u32)> {
    ["", "-shm", "-wal"].map(|end| (format!("postkey.db{end}"), mode)).to_vec()
}

#[tokio::test]
async fn a_new_file_is_its_owners_alone() {
    for parameters in ["", "?mode=rwc", "?mode=rw&cache=private"] {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/postkey.db{parameters}", folder.path().display());
        let _store = open(&url).await.unwrap();
        assert_eq!(modes(folder.path()), all(0o600), "{parameters}");
        // Whoever opens it as well changes nothing.
        let _other = open(&url).await.unwrap();
        assert_eq!(modes(folder.path()), all(0o600), "{parameters}");
    }
}

#[tokio::test]
async fn a_file_that_is_there_is_left_to_those_who_may_have_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("postkey.db");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let _store = open(&format!("sqlite://{}", path.display())).await.unwrap();
    assert_eq!(modes(folder.path()), all(0o640));
}

#[tokio::test]
async fn after_a_stop_the_file_alone_is_a_whole_copy() {
    let database = TestDatabase::sqlite().await;
    let office = Office::open(&database).await;
    let ann = office.hire("ann@shop.test").await;
    office.deliver(&ann, 1);
    let served = office.serve().await;
    office.until_counted(&ann, RunState::Replied, 1).await;
    served.end().await;
    let path = database.url().trim_start_matches("sqlite://").split('?').next().unwrap().to_owned();
    assert_eq!(fs::metadata(format!("{path}-wal")).map_or(0, |log| log.len()), 0);
    let copies = tempfile::tempdir().unwrap();
    let copy = copies.path().join("copy.db");
    fs::copy(&path, &copy).unwrap();
    let copied = open(&format!("sqlite://{}", copy.display())).await.unwrap();
    let runs = copied.list_runs(ann.user, None, 10).await.unwrap();
    assert_eq!(runs.iter().map(|run| run.state).collect::<Vec<_>>(), [RunState::Replied]);
}

#[tokio::test]
async fn a_folder_that_is_missing_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let refused =
        open(&format!("sqlite://{}/missing/postkey.db", folder.path().display())).await.err().unwrap();
    assert!(refused.contains("unable to open database file"), "{refused}");
}

#[tokio::test]
async fn a_database_in_memory_makes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let named = format!("sqlite://{}/postkey.db?mode=memory", folder.path().display());
    for url in ["sqlite::memory:", named.as_str()] {
        open(url).await.unwrap();
    }
    assert!(modes(folder.path()).is_empty() && !Path::new(":memory:").exists());
}
