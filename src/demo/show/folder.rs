//! A folder that lasts as long as the show.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Readable by this account only; dropping it removes it with everything in it.
pub(super) struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    /// A new folder in the system's place for such things.
    pub(super) fn new() -> io::Result<Self> {
        let name = format!("postkey-demo-{:032x}", rand::random::<u128>());
        let path = std::env::temp_dir().join(name);
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // What cannot be removed is left to the system, which empties this place.
        let _ = fs::remove_dir_all(&self.0);
    }
}
