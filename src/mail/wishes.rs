//! stub
use super::read::Mail;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Human,
    LeaveAlone,
}
pub fn wish(mail: &Mail) -> Option<Wish> {
    match mail.text.visible.trim() {
        "HUMAN" => Some(Wish::Human),
        "Please leave me alone." => Some(Wish::LeaveAlone),
        _ => None,
    }
}
