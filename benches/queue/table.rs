//! The figures, printed as they are measured.

use super::{Failure, PER_USER, USERS, database};

pub struct Table {
    missed: Vec<String>,
}

/// What a figure should reach.
#[derive(Clone, Copy)]
pub enum Aim {
    AtLeast(f64),
    AtMost(f64),
    /// Told for comparison.
    None,
}

impl Table {
    pub fn begin() -> Result<Self, Failure> {
        let cores = std::thread::available_parallelism()?;
        println!("\n{cores} cores; {USERS} users, at most {PER_USER} runs of each at once; lease 60 s");
        println!("SQLite file on {}, synchronous=FULL\n", database::folder_and_its_file_system()?);
        println!("| database | what | figure | aim | spread | load |");
        println!("| --- | --- | ---: | ---: | --- | ---: |");
        Ok(Self { missed: Vec::new() })
    }

    /// One line: the median of `figures`, with `unit` and what it should be.
    pub fn tell(&mut self, database: &str, what: &str, figures: &[f64], unit: &str, aim: Aim) {
        let mut sorted = figures.to_vec();
        sorted.sort_by(f64::total_cmp);
        let median = percentile(&sorted, 0.5);
        let spread = match (sorted.first(), sorted.last()) {
            (Some(least), Some(most)) if sorted.len() > 1 => format!("{}..{}", short(*least), short(*most)),
            _ => String::new(),
        };
        let (wanted, reached) = match aim {
            Aim::AtLeast(least) => (format!(">= {}", short(least)), median >= least),
            Aim::AtMost(most) => (format!("<= {}", short(most)), median <= most),
            Aim::None => (String::new(), true),
        };
        let figure = short(median);
        println!("| {database} | {what} | {figure} {unit} | {wanted} | {spread} | {} |", load());
        if !reached {
            self.missed.push(format!("{database}, {what}: {figure} {unit}, wanted {wanted}"));
        }
    }

    pub fn end(self) {
        match self.missed.as_slice() {
            [] => println!("\nEvery aim is reached."),
            missed => println!("\nNot reached (look at the load):\n- {}", missed.join("\n- ")),
        }
    }
}

/// Of sorted figures; zero where there are none.
pub fn percentile(sorted: &[f64], part: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a position in a short list")]
    let position = (sorted.len().saturating_sub(1) as f64 * part).round() as usize;
    sorted.get(position).copied().unwrap_or_default()
}

fn short(figure: f64) -> String {
    if figure >= 100.0 { format!("{figure:.0}") } else { format!("{figure:.2}") }
}

/// Runnable tasks of the last minute, as the machine counts them.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}
