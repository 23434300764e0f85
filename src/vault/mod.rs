//! (being built)
/// Stub.
#[derive(Clone)]
pub struct Sealed(String);
impl Sealed {
    /// Stub.
    pub fn from_stored(s: String) -> Self { Self(s) }
    /// Stub.
    pub fn as_stored(&self) -> &str { &self.0 }
}
impl From<String> for Sealed { fn from(s: String) -> Self { Self(s) } }
