//! How an element looks: seen or hidden, by its attributes and the rules that fit it (EM-115).

use super::declarations::{Background, Colour, Declarations, background, colour};
use super::page::Attribute;
use super::sheet::Sheet;

/// Sum of the differences of red, green and blue below which a text melts into its background.
const FAINT: u32 = 24;

/// What of a look is inherited by what an element contains.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Look {
    is_gone: bool,
    is_tiny: bool,
    colour: Option<Colour>,
    background: Background,
    /// Line breaks count, as in `<pre>`.
    pub(super) keeps_lines: bool,
}

impl Look {
    /// Whether a reader cannot see the text.
    pub(super) fn is_hidden(&self) -> bool {
        let background = match self.background {
            Background::Paper => Some([255; 3]),
            Background::Plain(colour) => Some(colour),
            Background::Unknown => None,
        };
        let is_faint = self.colour.zip(background).is_some_and(|(text, paper)| {
            text.iter().zip(&paper).map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>() < FAINT
        });
        self.is_gone || self.is_tiny || is_faint
    }

    fn apply(&mut self, declarations: Declarations) {
        self.is_gone |= declarations.is_gone();
        self.is_tiny = declarations.is_tiny.unwrap_or(self.is_tiny);
        self.colour = declarations.colour.unwrap_or(self.colour);
        self.background = declarations.background.unwrap_or(self.background);
        self.keeps_lines = declarations.keeps_lines.unwrap_or(self.keeps_lines);
    }
}

/// The look of an element within `outer`.
pub(super) fn look(outer: Look, name: &str, attribute: &Attribute<'_, '_>, sheet: &Sheet) -> Look {
    let mut look = outer;
    look.keeps_lines |= name == "pre";
    if let Some(paper) = attribute("bgcolor") {
        look.background = background(&paper.to_ascii_lowercase()).unwrap_or(outer.background);
    }
    if attribute("background").is_some() || sheet.has_unknown_background() {
        look.background = Background::Unknown;
    }
    if name == "font"
        && let Some(colour_name) = attribute("color")
    {
        look.colour = colour(&colour_name.to_ascii_lowercase());
    }
    for declarations in sheet.matching(name, attribute("class").as_deref(), attribute("id").as_deref()) {
        look.apply(declarations);
    }
    if let Some(style) = attribute("style") {
        look.apply(Declarations::read(&style));
    }
    let is_hidden_input =
        name == "input" && attribute("type").is_some_and(|kind| kind.eq_ignore_ascii_case("hidden"));
    let is_silent = attribute("aria-hidden").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    look.is_gone |= attribute("hidden").is_some() || is_hidden_input || is_silent;
    look
}
