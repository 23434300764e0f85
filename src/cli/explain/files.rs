//! Where the mails come from: files, folders and standard input.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::mail::Limits;

/// Stands for standard input.
const STANDARD_INPUT: &str = "-";

/// One mail that is not read yet.
pub(super) enum Source {
    /// A file, or what was named and may be no file at all.
    File(PathBuf),
    /// Standard input.
    Standard,
}

impl Source {
    /// What the arguments name, in their order; the files of a folder by their names, folders in it included.
    pub(super) fn find(named: &[PathBuf]) -> Vec<Self> {
        if named.is_empty() {
            return vec![Self::Standard];
        }
        let mut found = Vec::new();
        for path in named {
            if path.as_os_str() == STANDARD_INPUT {
                found.push(Self::Standard);
            } else if path.is_dir() {
                add_folder(path, &mut found);
            } else {
                found.push(Self::File(path.clone()));
            }
        }
        found
    }

    /// The path as it was reached, for people and programs.
    pub(super) fn name(&self) -> String {
        match self {
            Self::File(path) => path.to_string_lossy().into_owned(),
            Self::Standard => STANDARD_INPUT.to_owned(),
        }
    }

    /// The mail's bytes, and of a mail beyond the cap so many that its reader sees that it is cut (EM-107).
    ///
    /// # Errors
    /// The file is not there, is none, or may not be read.
    pub(super) fn read(&self) -> io::Result<Vec<u8>> {
        match self {
            Self::File(path) => read_capped(File::open(path)?),
            Self::Standard => read_capped(io::stdin().lock()),
        }
    }
}

/// Links to folders are not followed, since they may lead in circles. A folder that cannot be listed is told like a
/// file that cannot be read.
fn add_folder(folder: &Path, found: &mut Vec<Source>) {
    let mut pending = vec![folder.to_owned()];
    while let Some(path) = pending.pop() {
        let is_link = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink());
        if path.is_file() {
            found.push(Source::File(path));
        } else if path.is_dir() && (!is_link || path == folder) {
            match list(&path) {
                Ok(inside) => pending.extend(inside.into_iter().rev()),
                Err(_) => found.push(Source::File(path)),
            }
        }
    }
}

fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut inside: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    inside.sort();
    Ok(inside)
}

fn read_capped(from: impl Read) -> io::Result<Vec<u8>> {
    let most = u64::try_from(Limits::default().message_bytes).unwrap_or(u64::MAX);
    let mut raw = Vec::new();
    from.take(most.saturating_add(1)).read_to_end(&mut raw)?;
    Ok(raw)
}
