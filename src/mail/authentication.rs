//! stub
use super::read::Mail;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    Passed,
    Failed,
    Unproven,
    Unknown,
}
impl Authentication {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Unproven => "unproven",
            Self::Unknown => "unknown",
        }
    }
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Passed, Self::Failed, Self::Unproven, Self::Unknown].into_iter().find(|a| a.as_str() == code)
    }
}
pub fn judge(mail: &Mail, authserv_id: Option<&str>) -> Authentication {
    let Some(id) = authserv_id else { return Authentication::Unknown };
    let all: Vec<_> =
        mail.signals.fields.all("authentication-results").filter(|v| v.starts_with(id)).collect();
    if all.iter().any(|v| v.contains("dmarc=pass")) {
        Authentication::Passed
    } else if all.iter().any(|v| v.contains("dmarc=fail")) {
        Authentication::Failed
    } else {
        Authentication::Unproven
    }
}
