//! (being built)
/// Stub.
#[derive(Clone, Debug)]
pub struct RfcMessageId(String);
impl RfcMessageId {
    /// Stub.
    pub fn as_str(&self) -> &str { &self.0 }
}
