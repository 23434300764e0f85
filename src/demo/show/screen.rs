//! What is printed, in colours where they are shown.

use std::io::{self, Write};

use crate::telemetry::redact;

/// How a piece of text looks.
#[derive(Clone, Copy)]
pub(super) enum Look {
    Bold,
    Dim,
    Good,
    Bad,
    Money,
    New,
    Calm,
}

impl Look {
    /// The SGR parameter (ECMA-48 section 8.3.117).
    fn code(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Bad => "31",
            Self::Good => "32",
            Self::Money => "33",
            Self::New => "36",
            Self::Calm => "35",
        }
    }
}

/// Where the narration goes.
pub(super) struct Screen<W> {
    output: W,
    colours: bool,
}

impl<W: Write> Screen<W> {
    pub(super) fn new(output: W, colours: bool) -> Self {
        Self { output, colours }
    }

    /// The text in this look.
    pub(super) fn paint(&self, look: Look, text: &str) -> String {
        if self.colours { format!("\x1b[{}m{text}\x1b[0m", look.code()) } else { text.to_owned() }
    }

    /// Prints a line at once.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.output, "{}", text.trim_end_matches(' '))?;
        self.output.flush()
    }
}

/// Text from a mail as one line of at most `most` characters, which cannot steer the terminal and shows no key.
pub(super) fn excerpt(text: &str, most: usize) -> String {
    let visible: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    let line = redact(&words.join(" "));
    if line.chars().count() <= most {
        return line;
    }
    let cut: String = line.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}
