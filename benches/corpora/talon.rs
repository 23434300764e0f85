//! talon: replies of common mail programs, HTML replies, and signatures that are hard to tell.

use std::path::{Path, PathBuf};

use super::Failure;
use super::explain::{Seen, explain, explain_folder, files};
use super::measure::{Measure, Target};

pub fn measure(corpora: &Path) -> Result<Vec<Measure>, Failure> {
    let folder = corpora.join("talon");
    let mut measures = plain(&folder)?;
    measures.push(html(&folder)?);
    measures.push(signatures(&folder)?);
    Ok(measures)
}

/// Its own test cuts history and keeps signatures, which another function of it cuts; Postkey cuts both in one go.
/// So a signature may be there or not, and the first measure tells how often it is.
fn plain(folder: &Path) -> Result<Vec<Measure>, Failure> {
    let mut exact = Measure::new("talon", "visible reply of plain mails exact", Target::All);
    let mut whole = Measure::new("talon", "the same with the signature kept", Target::None);
    let replies = folder.join("tests/fixtures/standard_replies");
    for seen in explain_folder(&replies, |name| name.ends_with(".eml"))? {
        let expected = expected_reply(&seen)?;
        let got = seen.visible_text.trim_end();
        whole.compare(seen.file_name(), &expected, got);
        let unsigned = expected.lines().next().unwrap_or_default().trim_end();
        exact.compare(seen.file_name(), if got == unsigned { unsigned } else { &expected }, got);
    }
    Ok(vec![exact, whole])
}

/// The text beside the mail, or the one word that all the others say.
fn expected_reply(seen: &Seen) -> Result<String, Failure> {
    let beside = PathBuf::from(seen.file.to_string_lossy().replace(".eml", "_reply_text"));
    let text = if beside.exists() { std::fs::read_to_string(beside)? } else { "Hello".to_owned() };
    Ok(text.trim_end().to_owned())
}

/// Pages without a header, made mails here; white space does not count, as in the original test.
fn html(folder: &Path) -> Result<Measure, Failure> {
    let expected: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("expected.json"))?)?;
    let expected = expected.get("html_replies/*.html").and_then(|text| text.as_str()).unwrap_or_default();
    let expected = without_white_space(expected.split(" (compare").next().unwrap_or_default());
    let mails = tempfile::tempdir()?;
    for page in files(&folder.join("tests/fixtures/html_replies"), |name| name.ends_with(".html"))? {
        let mut mail = b"From: ann@example.org\nContent-Type: text/html; charset=utf-8\n\n".to_vec();
        mail.extend(std::fs::read(&page)?);
        std::fs::write(mails.path().join(page.file_name().unwrap_or_default()), mail)?;
    }
    let mut exact = Measure::new("talon", "visible reply of HTML mails", Target::None);
    for seen in explain(&[mails.path().to_owned()])? {
        exact.compare(seen.file_name(), &expected, without_white_space(&seen.visible_text));
    }
    Ok(exact)
}

/// What stands above a signature must be shown; whether the signature is shown does not matter here.
fn signatures(folder: &Path) -> Result<Measure, Failure> {
    let folder = folder.join("tests/fixtures/signature/emails/stripped");
    let mut kept = Measure::new("talon", "no word above a signature lost", Target::All);
    for seen in explain_folder(&folder, |name| name.ends_with("_body"))? {
        let beside = PathBuf::from(seen.file.to_string_lossy().replace("_body", "_signature"));
        let signature = if beside.exists() { std::fs::read_to_string(beside)? } else { String::new() };
        let body = without_white_space(&std::fs::read_to_string(&seen.file)?);
        let signature = without_white_space(&signature.replace("#sig#", ""));
        let above = body.strip_suffix(signature.as_str()).unwrap_or(&body);
        let got = without_white_space(&seen.visible_text);
        kept.compare(seen.file_name(), above, if got.starts_with(above) { above } else { &got });
    }
    Ok(kept)
}

fn without_white_space(text: &str) -> String {
    text.split_whitespace().collect()
}
