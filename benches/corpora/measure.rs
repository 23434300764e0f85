//! One line of the table: how many of how many, what it should be, and which ones are not.

/// What a measure should reach.
#[derive(Clone, Copy)]
pub enum Target {
    /// Every one.
    All,
    AtLeast(usize),
    /// Told for comparison.
    None,
}

/// One that is not as expected.
pub struct Miss {
    pub file: String,
    pub expected: String,
    pub got: String,
}

pub struct Measure {
    collection: &'static str,
    what: &'static str,
    target: Target,
    of: usize,
    misses: Vec<Miss>,
}

impl Measure {
    pub fn new(collection: &'static str, what: &'static str, target: Target) -> Self {
        Self { collection, what, target, of: 0, misses: Vec::new() }
    }

    /// Counts one; it is a miss where what came is not what was expected.
    pub fn compare(&mut self, file: &str, expected: impl Into<String>, got: impl Into<String>) {
        let (expected, got) = (expected.into(), got.into());
        self.of += 1;
        if expected != got {
            self.misses.push(Miss { file: file.to_owned(), expected, got });
        }
    }

    pub fn good(&self) -> usize {
        self.of.saturating_sub(self.misses.len())
    }

    /// A collection without a single mail reaches nothing.
    pub fn is_reached(&self) -> bool {
        match self.target {
            Target::All => self.of > 0 && self.misses.is_empty(),
            Target::AtLeast(least) => self.good() >= least,
            Target::None => true,
        }
    }

    fn wanted(&self) -> String {
        match self.target {
            Target::All => "all".to_owned(),
            Target::AtLeast(least) => format!(">= {least}"),
            Target::None => "-".to_owned(),
        }
    }
}

/// Aligned, with the verdict at the end of each line.
pub fn table(measures: &[Measure]) -> String {
    let mut text = format!("\n{:<20}  {:<42}  {:>9}  {:>7}\n", "collection", "what", "figure", "target");
    for measure in measures {
        let Measure { collection, what, of, .. } = measure;
        let (figure, wanted) = (format!("{}/{of}", measure.good()), measure.wanted());
        let verdict = if measure.is_reached() { "" } else { "  MISSED" };
        text.push_str(&format!("{collection:<20}  {what:<42}  {figure:>9}  {wanted:>7}{verdict}\n"));
    }
    text
}

/// The names of those that are not as expected; with `is_long`, both sides as well.
pub fn misses(measures: &[Measure], is_long: bool) -> String {
    let mut text = String::new();
    for measure in measures.iter().filter(|measure| !measure.misses.is_empty()) {
        text.push_str(&format!("\n{}, {}: not\n", measure.collection, measure.what));
        if is_long {
            text.extend(measure.misses.iter().map(both_sides));
        } else {
            let names: Vec<&str> = measure.misses.iter().map(|miss| miss.file.as_str()).collect();
            text.push_str(&format!("  {}\n", names.join(" ")));
        }
    }
    text
}

fn both_sides(miss: &Miss) -> String {
    format!("  {}\n    expected: {:?}\n    got:      {:?}\n", miss.file, miss.expected, miss.got)
}
