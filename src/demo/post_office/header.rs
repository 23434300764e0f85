//! Header fields, found without parsing the rest of a mail.

/// The values of all fields of this name, unfolded (RFC 5322 section 2.2.3); names have no case.
pub(super) fn fields<'a>(mail: &'a [u8], name: &'a str) -> impl Iterator<Item = String> + 'a {
    let mut lines = header_lines(mail).peekable();
    std::iter::from_fn(move || {
        let mut value = lines.find_map(|line| value_in(line, name))?;
        while let Some(folded) = lines.next_if(|line| line.starts_with(b" ") || line.starts_with(b"\t")) {
            value.push_str(&String::from_utf8_lossy(folded));
        }
        Some(value)
    })
}

/// Up to the empty line.
fn header_lines(mail: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = mail.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.take_while(|line| !line.is_empty())
}

/// The first line of the value, if the line begins this field.
fn value_in(line: &[u8], name: &str) -> Option<String> {
    let (field, rest) = line.split_at_checked(name.len())?;
    let value = rest.trim_ascii_start().strip_prefix(b":")?;
    field.eq_ignore_ascii_case(name.as_bytes()).then(|| String::from_utf8_lossy(value).into_owned())
}
