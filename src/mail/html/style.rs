//! How an element looks: seen or hidden, by its attributes and the rules that fit it (EM-115).

use super::page::Attribute;
use super::sheet::Sheet;

/// Font sizes up to this many pixels cannot be read.
const TINY_PIXELS: f32 = 1.0;

/// What lies further out than this, in pixels, is off the screen.
const OFF_SCREEN_PIXELS: f32 = -400.0;

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

/// Red, green and blue.
type Colour = [u8; 3];

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Background {
    #[default]
    Paper,
    Plain(Colour),
    /// A picture, or something that is not understood.
    Unknown,
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

    /// Takes over declarations such as `display:none; color:#fff`.
    fn apply(&mut self, declarations: &str) {
        let mut is_cut_off = false;
        let mut is_flat = false;
        let mut is_placed = false;
        let mut is_away = false;
        for (property, value) in declared(declarations) {
            match (property.as_str(), value.as_str()) {
                ("display", "none") | ("visibility", "hidden" | "collapse") | ("mso-hide", "all") => {
                    self.is_gone = true
                }
                ("opacity", value) => self.is_gone |= value.parse::<f32>().is_ok_and(|value| value < 0.05),
                ("font-size", value) => {
                    self.is_tiny =
                        pixels(value).map_or(self.is_tiny && is_relative(value), |size| size <= TINY_PIXELS)
                }
                ("overflow" | "overflow-y" | "overflow-x", value) => is_cut_off |= value == "hidden",
                ("height" | "max-height" | "width" | "max-width", value) => {
                    is_flat |= pixels(value).is_some_and(|size| size <= TINY_PIXELS)
                }
                ("text-indent", value) => self.is_gone |= is_off_screen(value),
                ("position", value) => is_placed |= matches!(value, "absolute" | "fixed"),
                ("left" | "top" | "margin-left" | "margin-top", value) => is_away |= is_off_screen(value),
                ("color", value) => self.colour = colour(value),
                ("background" | "background-color" | "background-image", value) => {
                    self.background = background(value, self.background)
                }
                ("white-space", value) => self.keeps_lines = value.starts_with("pre"),
                _ => {}
            }
        }
        self.is_gone |= (is_cut_off && is_flat) || (is_placed && is_away);
    }
}

/// The look of an element within `outer`.
pub(super) fn look(outer: Look, name: &str, attribute: &Attribute<'_, '_>, sheet: &Sheet) -> Look {
    let mut look = outer;
    look.keeps_lines |= name == "pre";
    if let Some(paper) = attribute("bgcolor") {
        look.background = background(&paper.to_ascii_lowercase(), outer.background);
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
        look.apply(&style);
    }
    let is_hidden_input =
        name == "input" && attribute("type").is_some_and(|kind| kind.eq_ignore_ascii_case("hidden"));
    let is_silent = attribute("aria-hidden").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    look.is_gone |= attribute("hidden").is_some() || is_hidden_input || is_silent;
    look
}

/// Properties and values in lower case, without `!important`.
fn declared(declarations: &str) -> impl Iterator<Item = (String, String)> {
    declarations.split(';').filter_map(|one| {
        let (property, value) = one.split_once(':')?;
        let value = value.to_ascii_lowercase();
        let value = value.trim().trim_end_matches("!important").trim();
        Some((property.trim().to_ascii_lowercase(), value.to_owned()))
    })
}

/// A length in pixels; of relative ones only those that are zero whatever they relate to.
fn pixels(value: &str) -> Option<f32> {
    let end =
        value.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))).unwrap_or(value.len());
    let (number, unit) = value.split_at_checked(end)?;
    let number = number.parse::<f32>().ok()?;
    match unit.trim() {
        "" | "px" => Some(number),
        "pt" => Some(number * 4.0 / 3.0),
        "in" => Some(number * 96.0),
        "cm" => Some(number * 37.8),
        "mm" => Some(number * 3.78),
        // About what a letter takes.
        "em" | "rem" | "ex" | "ch" => Some(number * 16.0),
        "%" if number == 0.0 => Some(0.0),
        _ => None,
    }
}

/// `smaller`, `90%`: tiny within tiny stays tiny.
fn is_relative(value: &str) -> bool {
    value.ends_with('%') || matches!(value, "inherit" | "smaller" | "larger" | "unset")
}

fn is_off_screen(value: &str) -> bool {
    pixels(value).is_some_and(|pixels| pixels <= OFF_SCREEN_PIXELS)
        || value
            .strip_suffix('%')
            .and_then(|number| number.parse::<f32>().ok())
            .is_some_and(|part| part <= -100.0)
}

fn background(value: &str, outer: Background) -> Background {
    match value.trim() {
        "transparent" | "none" | "inherit" | "initial" | "unset" | "" => outer,
        value if value.contains("url(") || value.contains("gradient") => Background::Unknown,
        value => value.split(' ').find_map(colour).map_or(Background::Unknown, Background::Plain),
    }
}

fn colour(value: &str) -> Option<Colour> {
    let value = value.trim();
    if let Some(hex) = value.strip_prefix('#') {
        return hex_colour(hex);
    }
    if let Some(parts) = value.strip_prefix("rgb(").or_else(|| value.strip_prefix("rgba(")) {
        let mut numbers = parts
            .trim_end_matches(')')
            .split([',', ' ', '/'])
            .filter(|part| !part.is_empty())
            .map(str::parse::<u8>);
        return Some([numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?]);
    }
    match value {
        "white" => Some([255; 3]),
        "black" => Some([0; 3]),
        "ivory" | "snow" | "ghostwhite" | "floralwhite" | "mintcream" | "azure" => Some([250; 3]),
        "whitesmoke" => Some([245; 3]),
        _ => hex_colour(value).filter(|_| value.len() == 6),
    }
}

/// `fff` or `ffffff`.
fn hex_colour(hex: &str) -> Option<Colour> {
    let number = u32::from_str_radix(hex, 16).ok()?;
    let [_, red, green, blue] = number.to_be_bytes();
    match hex.len() {
        6 => Some([red, green, blue]),
        3 => Some([(green & 15) * 17, (blue >> 4) * 17, (blue & 15) * 17]),
        _ => None,
    }
}
