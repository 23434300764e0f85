//! A writer that lets no secret through.

use std::io::{self, Write};

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use super::redact;

/// Redacts each line before the inner writer sees it (SR-28).
///
/// Relies on the formatter to write each event with one call, as tracing-subscriber does: a secret that is cut in
/// two would not be recognised.
pub struct Redacting<W>(W);

impl<W> Redacting<W> {
    /// Stands before a writer.
    pub fn new(inner: W) -> Self {
        Self(inner)
    }
}

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Redacting<W> {
    type Writer = Redacting<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Redacting(self.0.make_writer())
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Self::Writer {
        Redacting(self.0.make_writer_for(metadata))
    }
}

impl<W: Write> Write for Redacting<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_all(redact(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
