//! The mails that are read, in memory before anything is measured.

use std::path::{Path, PathBuf};

use postkey::mail::has_header_block;

use super::{Failure, seeds};

pub struct Mails {
    /// Where they are from.
    pub place: String,
    pub mails: Vec<Vec<u8>>,
}

impl Mails {
    /// Our own, one of each kind.
    pub fn own() -> Self {
        Self { place: "our own".to_owned(), mails: seeds::all() }
    }

    /// Every file below `folder` that has a header.
    pub fn below(folder: &Path) -> Result<Self, Failure> {
        let mut mails = Vec::new();
        for file in files(folder)? {
            let raw = std::fs::read(file)?;
            if has_header_block(&raw) {
                mails.push(raw);
            }
        }
        Ok(Self { place: folder.display().to_string(), mails })
    }

    pub fn count(&self) -> usize {
        self.mails.len()
    }

    pub fn bytes(&self) -> usize {
        self.mails.iter().map(Vec::len).sum()
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    found.sort();
    Ok(found)
}
