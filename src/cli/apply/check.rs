//! What is wrong between entries of the file. Only names and marks are asked for, so that entries with other faults count
//! as well.

use std::collections::HashMap;
use std::hash::Hash;

use super::table::Table;
use super::value;

/// Notes entries with the name of an earlier one: `what` with the same name again would be one row with two meanings.
pub(super) fn refuse_repeated<K: Eq + Hash>(
    what: &str,
    tables: &[Table<'_>],
    name: impl Fn(&Table<'_>) -> Option<K>,
) {
    let mut first: HashMap<K, &Table<'_>> = HashMap::new();
    for table in tables {
        let Some(name) = name(table) else { continue };
        if let Some(first) = first.get(&name) {
            table.fault(format!("the same {what} stands in line {} already", first.place().line));
        } else {
            first.insert(name, table);
        }
    }
}

/// Notes a second AI configuration that is to be the default.
pub(super) fn refuse_second_default(tables: &[Table<'_>]) {
    let mut defaults = tables.iter().filter(|table| table.peek("default", value::flag) == Some(true));
    if let Some(second) = defaults.nth(1) {
        second.fault_at("default", "a user has one default; write default = true at one ai_config only");
    }
}
