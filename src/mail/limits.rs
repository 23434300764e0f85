//! How much of one mail is looked at (EM-107).

/// Caps on one mail; what lies beyond is cut and marked in [`super::Flags`], never refused here.
///
/// The caps hold *before* a parser sees the bytes (EM-106), so a mail built to explode costs no more than a big one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole mail.
    pub message_bytes: usize,
    /// Bytes of one header block.
    pub header_bytes: usize,
    /// Fields of one header block.
    pub header_fields: usize,
    /// Addresses used of one address field.
    pub addresses: usize,
    /// MIME parts, containers included.
    pub parts: usize,
    /// Containers within containers.
    pub depth: usize,
    /// Bytes of the cleaned text, visible and quoted together.
    pub text_bytes: usize,
    /// Bytes of the text of all text attachments together.
    pub attachment_text_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 25 * 1024 * 1024,
            header_bytes: 256 * 1024,
            header_fields: 1000,
            addresses: 100,
            parts: 100,
            depth: 10,
            text_bytes: 64 * 1024,
            attachment_text_bytes: 256 * 1024,
        }
    }
}
