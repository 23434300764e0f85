//! mimekit's TNEF files: the names of the files in a `winmail.dat`.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Failure;
use super::explain::{explain, files};
use super::measure::{Measure, Target};

pub fn measure(corpora: &Path) -> Result<Vec<Measure>, Failure> {
    let folder = corpora.join("mimekit/tnef");
    let mails = tempfile::tempdir()?;
    for file in files(&folder, |name| name.ends_with(".tnef"))? {
        let name = file.file_stem().and_then(OsStr::to_str).unwrap_or_default();
        std::fs::write(mails.path().join(name), mail_with(&std::fs::read(&file)?))?;
    }
    let mut named = Measure::new("mimekit", "TNEF: contained files named", Target::None);
    for seen in explain(&[mails.path().to_owned()])? {
        let list = folder.join(format!("{}.list", seen.file_name()));
        let Ok(list) = std::fs::read_to_string(list) else { continue };
        let got: BTreeSet<&str> =
            seen.attachments.iter().map(|attachment| attachment.name.as_str()).collect();
        // `body.*` is the text of the mail and no file.
        let wanted =
            list.lines().map(str::trim).filter(|name| !name.is_empty() && !name.starts_with("body."));
        let missing: Vec<&str> = wanted.filter(|name| !got.contains(name)).collect();
        named.compare(seen.file_name(), "", missing.join(" "));
    }
    Ok(vec![named])
}

/// A mail with this file attached, as Outlook sends it.
fn mail_with(tnef: &[u8]) -> String {
    let encoded = STANDARD.encode(tnef);
    let lines: Vec<String> =
        encoded.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line).into()).collect();
    format!(
        "From: ann@example.org\nContent-Type: multipart/mixed; boundary=edge\n\n--edge\n\nSee there.\n--edge\n\
         Content-Type: application/ms-tnef; name=winmail.dat\nContent-Disposition: attachment\n\
         Content-Transfer-Encoding: base64\n\n{}\n--edge--\n",
        lines.join("\n")
    )
}
