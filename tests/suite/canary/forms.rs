//! The forms in which a secret could lie about.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Characters of a secret that are enough to know it again.
const WINDOW: usize = 12;

/// Every window of the secret, and the whole of it backwards, as hex, percent-encoded and as base64 at any offset.
pub fn forms(secret: &str) -> Vec<Vec<u8>> {
    let bytes = secret.as_bytes();
    // Everybody may see how it begins.
    let telling = &bytes["sk-CANARY-".len() - 1..];
    let mut forms: Vec<Vec<u8>> = telling.windows(WINDOW).map(<[u8]>::to_vec).collect();
    forms.push(telling.iter().rev().copied().collect());
    forms.push(telling.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes());
    forms.push(telling.iter().map(|byte| format!("{byte:02X}")).collect::<String>().into_bytes());
    forms.push(telling.iter().map(|byte| format!("%{byte:02X}")).collect::<String>().into_bytes());
    for offset in 0..3 {
        let padded = [&[b'x'; 3][..offset], telling].concat();
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let encoded = engine.encode(&padded);
            // Without what its neighbours on both sides would change.
            forms.push(encoded.as_bytes()[4..encoded.len() - 4].to_vec());
        }
    }
    forms
}
