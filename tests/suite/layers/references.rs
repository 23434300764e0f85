//! Which top-level modules of ours a file mentions, however it is written.

use syn::visit::{self, Visit};
use syn::{File, ItemMod, ItemUse, Macro, UseTree};

/// A mention of one of our top-level modules.
pub struct Reference {
    /// The top-level module, or `*` for all of them.
    pub module: String,
    /// As it stands in the source.
    pub written: String,
}

/// Every mention in `file`, which is the module at `place` (`[mail, gate]` for `mail::gate`).
pub fn find(file: &File, place: Vec<String>) -> Vec<Reference> {
    let mut finder = Finder { place, found: Vec::new() };
    finder.visit_file(file);
    finder.found
}

struct Finder {
    place: Vec<String>,
    found: Vec<Reference>,
}

impl Visit<'_> for Finder {
    fn visit_item_mod(&mut self, module: &ItemMod) {
        self.place.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.place.pop();
    }

    fn visit_item_use(&mut self, import: &ItemUse) {
        for path in spelled_out(&import.tree) {
            self.note(&path);
        }
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.note(&names);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &Macro) {
        for path in paths_in_tokens(&call.tokens.to_string()) {
            self.note(&path);
        }
        visit::visit_macro(self, call);
    }
}

impl Finder {
    /// Keeps the path when it names a top-level module of ours.
    fn note(&mut self, path: &[String]) {
        if let Some(module) = top_level_module(&self.place, path) {
            self.found.push(Reference { module, written: path.join("::") });
        }
    }
}

/// What `path` names at the crate's top when written in the module at `place`.
fn top_level_module(place: &[String], path: &[String]) -> Option<String> {
    let climbs = path.iter().take_while(|name| *name == "super").count();
    let from_root = match path.first()?.as_str() {
        "crate" | "postkey" => true,
        "super" => climbs == place.len(),
        _ => false,
    };
    from_root.then(|| path.get(climbs.max(1)).cloned()).flatten()
}

/// `a::{b, c::*}` as `[a, b]` and `[a, c, *]`.
fn spelled_out(tree: &UseTree) -> Vec<Vec<String>> {
    match tree {
        UseTree::Path(path) => {
            let mut inner = spelled_out(&path.tree);
            inner.iter_mut().for_each(|names| names.insert(0, path.ident.to_string()));
            inner
        }
        UseTree::Name(name) => vec![vec![name.ident.to_string()]],
        UseTree::Rename(rename) => vec![vec![rename.ident.to_string()]],
        UseTree::Glob(_) => vec![vec!["*".to_owned()]],
        UseTree::Group(group) => group.items.iter().flat_map(spelled_out).collect(),
    }
}

/// The paths in a macro's tokens, which print with spaces: `info ! (id = crate :: queue :: ID)`.
fn paths_in_tokens(tokens: &str) -> Vec<Vec<String>> {
    let joined = tokens.replace(" :: ", "::");
    let words = joined.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    words.map(|word| word.split("::").map(str::to_owned).collect()).collect()
}
