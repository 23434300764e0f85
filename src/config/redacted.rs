//! Values that are shown without the secret in them.

use url::Url;

/// What stands where a secret was.
pub(super) const REDACTED: &str = "REDACTED";

/// Takes the password out of a URL, from its user part and from its query.
pub(super) fn redact_url(text: &str) -> String {
    if let Some(shown) = without_raw_password(text) {
        return redact_url(&shown);
    }
    let Ok(mut url) = Url::parse(text) else { return REDACTED.to_owned() };
    let in_query = url.query_pairs().any(|(name, _)| is_secret_name(&name));
    if url.password().is_none() && !in_query {
        return text.to_owned();
    }
    if url.password().is_some() && url.set_password(Some(REDACTED)).is_err() {
        return REDACTED.to_owned();
    }
    if in_query {
        let pairs: Vec<_> = url
            .query_pairs()
            .map(|(name, value)| {
                let shown = if is_secret_name(&name) { REDACTED.to_owned() } else { value.into_owned() };
                (name.into_owned(), shown)
            })
            .collect();
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    url.into()
}

/// Whether an `@` stands behind the URL's first `/`, `?` or `#`: then a parser may take for port, path, query or fragment
/// what was meant as a password and not percent-encoded.
pub(super) fn may_have_raw_password(text: &str) -> bool {
    without_raw_password(text).is_some()
}

fn without_raw_password(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("//").filter(|(scheme, _)| *scheme != "sqlite:")?;
    let (before, behind) = rest.rsplit_once('@')?;
    let (user, password) = before.split_once(':')?;
    let is_raw = before.contains(['/', '?', '#']) && password != REDACTED;
    is_raw.then(|| format!("{scheme}//{user}:{REDACTED}@{behind}"))
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "passwd", "secret", "token", "key"].iter().any(|word| name.contains(word))
}

/// The program without its arguments, which may be secret.
pub(super) fn redact_command(command: &[String]) -> Vec<String> {
    let program = command.first().cloned().into_iter();
    program.chain(command.iter().skip(1).map(|_| REDACTED.to_owned())).collect()
}
