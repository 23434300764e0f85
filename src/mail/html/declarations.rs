//! What declarations such as `display:none; color:#fff` do to an element, read once and of one size however long they are.

/// Font sizes up to this many pixels cannot be read.
const TINY_PIXELS: f32 = 1.0;

/// What lies further out than this, in pixels, is off the screen.
const OFF_SCREEN_PIXELS: f32 = -400.0;

/// Red, green and blue.
pub(super) type Colour = [u8; 3];

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Background {
    #[default]
    Paper,
    Plain(Colour),
    /// A picture, or something that is not understood.
    Unknown,
}

/// What declarations come to; `None` is what they leave as it is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Declarations {
    is_gone: bool,
    is_cut_off: bool,
    is_flat: bool,
    is_placed: bool,
    is_away: bool,
    pub(super) is_tiny: Option<bool>,
    /// `Some(None)` is a colour that is not understood.
    pub(super) colour: Option<Option<Colour>>,
    pub(super) background: Option<Background>,
    pub(super) keeps_lines: Option<bool>,
}

impl Declarations {
    /// Reads them; total.
    pub(super) fn read(text: &str) -> Self {
        let mut read = Self::default();
        for (property, value) in declared(text) {
            read.declare(&property, &value);
        }
        read
    }

    /// Adds declarations that come later and so count before these.
    pub(super) fn add(&mut self, later: Self) {
        self.is_gone |= later.is_gone;
        self.is_cut_off |= later.is_cut_off;
        self.is_flat |= later.is_flat;
        self.is_placed |= later.is_placed;
        self.is_away |= later.is_away;
        self.is_tiny = later.is_tiny.or(self.is_tiny);
        self.colour = later.colour.or(self.colour);
        self.background = later.background.or(self.background);
        self.keeps_lines = later.keeps_lines.or(self.keeps_lines);
    }

    /// Whether nothing of the element is seen, whatever its colours.
    pub(super) fn is_gone(&self) -> bool {
        self.is_gone || (self.is_cut_off && self.is_flat) || (self.is_placed && self.is_away)
    }

    fn declare(&mut self, property: &str, value: &str) {
        match (property, value) {
            ("display", "none") | ("visibility", "hidden" | "collapse") | ("mso-hide", "all") => {
                self.is_gone = true
            }
            ("opacity", value) => self.is_gone |= value.parse::<f32>().is_ok_and(|value| value < 0.05),
            ("font-size", value) => match pixels(value) {
                Some(size) => self.is_tiny = Some(size <= TINY_PIXELS),
                None if is_relative(value) => {}
                None => self.is_tiny = Some(false),
            },
            ("overflow" | "overflow-y" | "overflow-x", value) => self.is_cut_off |= value == "hidden",
            ("height" | "max-height" | "width" | "max-width", value) => {
                self.is_flat |= pixels(value).is_some_and(|size| size <= TINY_PIXELS)
            }
            ("text-indent", value) => self.is_gone |= is_off_screen(value),
            ("position", value) => self.is_placed |= matches!(value, "absolute" | "fixed"),
            ("left" | "top" | "margin-left" | "margin-top", value) => self.is_away |= is_off_screen(value),
            ("color", value) => self.colour = Some(colour(value)),
            ("background" | "background-color" | "background-image", value) => {
                self.background = background(value).or(self.background)
            }
            ("white-space", value) => self.keeps_lines = Some(value.starts_with("pre")),
            _ => {}
        }
    }
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

/// A background in lower case, unless it lets the one behind it be seen.
pub(super) fn background(value: &str) -> Option<Background> {
    match value.trim() {
        "transparent" | "none" | "inherit" | "initial" | "unset" | "" => None,
        value if value.contains("url(") || value.contains("gradient") => Some(Background::Unknown),
        value => Some(value.split(' ').find_map(colour).map_or(Background::Unknown, Background::Plain)),
    }
}

/// A colour in lower case.
pub(super) fn colour(value: &str) -> Option<Colour> {
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
