//! `format=flowed`: lines that a program broke are one paragraph again (RFC 3676, EM-114).

/// Deepest quote that is drawn.
const DEEPEST: usize = 20;

/// Joins the flowed lines of `text`; quote marks are written again as `> `.
///
/// With `is_delsp` the space before a break belongs to the break and not to the text (RFC 3676 section 4.1).
pub(super) fn unfold(text: &str, is_delsp: bool) -> String {
    let mut out = String::with_capacity(text.len());
    // The depth of the paragraph that goes on.
    let mut open: Option<usize> = None;
    for line in text.lines() {
        let (depth, words) = depth_and_words(line);
        let is_signature = words == "-- ";
        if open != Some(depth) || is_signature {
            if open.is_some() {
                out.push('\n');
            }
            (0..depth.min(DEEPEST)).for_each(|_| out.push('>'));
            if depth > 0 && !words.is_empty() {
                out.push(' ');
            }
        }
        let is_flowed = words.ends_with(' ') && !is_signature;
        out.push_str(if is_flowed && is_delsp { words.strip_suffix(' ').unwrap_or(words) } else { words });
        open = is_flowed.then_some(depth);
        if !is_flowed {
            out.push('\n');
        }
    }
    out
}

/// How deep the line is quoted, and its words without the space that was stuffed before them.
fn depth_and_words(line: &str) -> (usize, &str) {
    let words = line.trim_start_matches('>');
    let depth = line.len() - words.len();
    let unstuffed = words.strip_prefix(' ').unwrap_or(words);
    // The space was put there so that the line is no quote.
    let is_guarded = depth == 0 && unstuffed.starts_with('>');
    (depth, if is_guarded { words } else { unstuffed })
}
