//! One direction of travel: no module imports one that lies above it.

mod references;

use std::path::{Path, PathBuf};

use references::Reference;

/// A layer's modules, and what they may import besides themselves.
struct Layer {
    modules: &'static [&'static str],
    /// Indices of the layers below that they may use.
    below: &'static [usize],
    /// Pairs (module, neighbour in the same layer that it may use).
    neighbours: &'static [(&'static str, &'static str)],
}

/// The layers from the ground up, as the architecture page tells them.
const LAYERS: [Layer; 7] = [
    Layer { modules: &["clock", "config", "telemetry"], below: &[], neighbours: &[("telemetry", "config")] },
    Layer {
        modules: &["imap", "mail", "net", "provider", "smtp", "vault"],
        below: &[0],
        neighbours: &[
            ("imap", "mail"),
            ("imap", "net"),
            ("provider", "mail"),
            ("provider", "net"),
            ("smtp", "mail"),
            ("smtp", "net"),
        ],
    },
    Layer { modules: &["store"], below: &[0, 1], neighbours: &[] },
    Layer { modules: &["queue"], below: &[0, 2], neighbours: &[] },
    // The actors meet in a database row and never import each other.
    Layer { modules: &["credit", "mailbox", "run"], below: &[0, 1, 2, 3], neighbours: &[] },
    Layer { modules: &["http", "letters"], below: &[0, 1, 2, 3, 4], neighbours: &[("http", "letters")] },
    Layer {
        modules: &["app", "cli", "demo", "main"],
        below: &[0, 1, 2, 3, 4, 5],
        neighbours: &[
            ("app", "cli"),
            ("app", "demo"),
            ("cli", "app"),
            ("cli", "demo"),
            ("demo", "app"),
            ("demo", "cli"),
            ("main", "app"),
            ("main", "cli"),
            ("main", "demo"),
        ],
    },
];

#[test]
fn no_module_imports_upwards() {
    let source = source_folder();
    let mut complaints = Vec::new();
    let mut files = 0;
    for file in rust_files(&source) {
        let text = std::fs::read_to_string(&file).unwrap();
        let inside = file.strip_prefix(&source).unwrap();
        complaints.extend(complaints_about(inside, &text));
        files += 1;
    }
    assert!(files >= 10, "only {files} files were read: is src/ elsewhere now?");
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn the_architecture_page_declares_one_group_per_layer() {
    let page = std::fs::read_to_string(source_folder().join("lib.rs")).unwrap();
    let groups: Vec<Vec<&str>> = page
        .split("\n\n")
        .map(|group| group.lines().filter_map(declared_module).collect())
        .filter(|group: &Vec<&str>| !group.is_empty())
        .collect();
    let expected: Vec<Vec<&str>> = LAYERS
        .iter()
        .map(|layer| {
            layer.modules.iter().copied().filter(|module| groups.iter().flatten().any(|m| m == module))
        })
        .map(Iterator::collect)
        .filter(|group: &Vec<&str>| !group.is_empty())
        .collect();
    assert_eq!(groups, expected);
}

#[test]
fn an_upward_import_is_reported() {
    assert_complaint("vault/seal.rs", "use crate::store::Store;", "vault -> store");
    assert_complaint(
        "vault/seal.rs",
        "pub use crate::{clock::Clock, config, run::send as s};",
        "vault -> run",
    );
    assert_complaint("config/mod.rs", "use crate::*;", "config -> *");
    assert_complaint("queue.rs", "fn late() { use crate::run::Outcome; }", "queue -> run");
    assert_complaint("demo.rs", "use crate::unheard_of;", "demo -> unheard_of");
}

#[test]
fn an_inline_upward_path_is_reported() {
    assert_complaint("net/dial.rs", "fn f() { crate::mailbox::watch() }", "net -> mailbox");
    assert_complaint("net/dial.rs", "struct S(Vec<crate::smtp::Connection>);", "net -> smtp");
    assert_complaint("store/runs.rs", "fn f() { info!(id = %crate::queue::id(), \"x\") }", "store -> queue");
    assert_complaint("store/runs.rs", "impl From<crate::run::Error> for E {}", "store -> run");
}

#[test]
fn an_upward_super_path_is_reported() {
    assert_complaint("clock.rs", "use super::config::Config;", "clock -> config");
    assert_complaint("mail/gate.rs", "fn f() { super::super::net::dial() }", "mail -> net");
    assert_complaint("mail/gate/mod.rs", "use super::super::vault;", "mail -> vault");
    assert_complaint("mail.rs", "mod tests { use super::super::store::Store; }", "mail -> store");
    assert_complaint("mail.rs", "mod tests { fn f() { vec![super::super::store::X]; } }", "mail -> store");
}

#[test]
fn the_two_actors_never_import_each_other() {
    assert_complaint("mailbox/intake.rs", "use crate::run::resolve;", "mailbox -> run");
    assert_complaint("run/mod.rs", "use crate::mailbox::watcher;", "run -> mailbox");
}

#[test]
fn no_way_to_a_mail_server_is_in_a_scribes_reach() {
    let run = source_folder().join("run");
    // Those that send, and those that put both together or tell what a fault means.
    let senders = ["send.rs", "courier.rs", "meter.rs", "mod.rs", "error.rs"].map(|page| run.join(page));
    let mut pages = 0;
    for page in rust_files(&run).into_iter().filter(|page| !senders.contains(page)) {
        let text = std::fs::read_to_string(&page).unwrap();
        let parsed = syn::parse_file(&text).unwrap();
        let module = page.strip_prefix(source_folder()).unwrap().with_extension("");
        let module = module.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let found = references::find(&parsed, module);
        assert!(
            found.iter().all(|reference| !["smtp", "imap", "mailbox"].contains(&reference.module.as_str())),
            "{page:?}"
        );
        for sender in ["courier", "Courier", "Runner", "Dialler", "OperatorPost", "send::"] {
            assert!(!text.contains(sender), "{page:?} has {sender}");
        }
        pages += 1;
    }
    assert!(pages > 10, "only {pages} pages were read");
}

#[test]
fn a_downward_import_is_fine() {
    for (file, text) in [
        ("run/send.rs", "use crate::{smtp::Connection, store::Store, queue, clock::Clock};"),
        ("imap/mod.rs", "use crate::net::Stream; use crate::mail::RfcMessageId;"),
        (
            "mail/gate.rs",
            "use super::Mail; use self::inner::X; use crate::mail::address; pub(crate) fn f() {}",
        ),
        ("mail/gate.rs", "mod tests { use super::*; use super::super::Address; }"),
        ("demo/mod.rs", "use crate::app; use std::sync::Arc; use futures::stream;"),
        ("main.rs", "fn main() { postkey::cli::main() }"),
        ("lib.rs", "pub mod store;"),
    ] {
        assert_eq!(complaints_about(Path::new(file), text), Vec::<String>::new(), "{file}: {text}");
    }
}

fn assert_complaint(file: &str, text: &str, expected: &str) {
    let complaints = complaints_about(Path::new(file), text);
    assert!(
        complaints.len() == 1 && complaints[0].contains(expected),
        "{file} with {text:?} should be reported as {expected:?}, got {complaints:?}"
    );
}

/// One line for each import in `text` that its place does not allow; `file` is relative to `src/`.
fn complaints_about(file: &Path, text: &str) -> Vec<String> {
    let place = module_path(file);
    let Some(module) = place.first().cloned() else { return Vec::new() };
    let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    references::find(&parsed, place)
        .into_iter()
        .filter(|reference| !may_import(&module, &reference.module))
        .map(|Reference { module: target, written }| {
            format!("src/{}: {module} -> {target} (`{written}`)", file.display())
        })
        .collect()
}

fn may_import(module: &str, target: &str) -> bool {
    if module == target {
        return true;
    }
    let (Some(own), Some(other)) = (layer_of(module), layer_of(target)) else { return false };
    LAYERS[own].below.contains(&other) || LAYERS[own].neighbours.contains(&(module, target))
}

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.modules.contains(&module))
}

/// `mail/gate.rs` and `mail/gate/mod.rs` are `[mail, gate]`; `lib.rs` is the root, `[]`.
fn module_path(file: &Path) -> Vec<String> {
    let names = file.with_extension("");
    let names = names.iter().map(|name| name.to_str().unwrap().to_owned());
    names.filter(|name| name != "mod" && name != "lib").collect()
}

fn declared_module(line: &str) -> Option<&str> {
    line.strip_prefix("pub mod ").or_else(|| line.strip_prefix("mod "))?.strip_suffix(';')
}

fn source_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every Rust file in a folder and in those below it.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let mut found: Vec<_> =
        files.into_iter().filter(|path| path.extension().is_some_and(|e| e == "rs")).collect();
    for inner in folders {
        found.extend(rust_files(&inner));
    }
    found
}
