//! To whom the answer would go: exactly one address, and it is judged again (EM-33, EM-39, EM-40, EM-41).

use super::super::address::Address;
use super::super::read::{Mail, address_list};
use super::ourselves::is_ours;
use super::{Ours, SkipReason, robots};

/// Reply-To where it can be trusted, else the one author; never Sender, Cc or Return-Path (EM-39).
pub(super) fn choose(mail: &Mail, ours: &Ours<'_>) -> Result<Address, SkipReason> {
    let author = author(mail)?;
    let chosen = reply_to(mail, author, ours).unwrap_or(author);
    if robots::judge(chosen.local()).is_some() {
        return Err(SkipReason::RobotRecipient);
    }
    if is_ours(chosen, ours) {
        return Err(SkipReason::OwnRecipient);
    }
    Ok(chosen.clone())
}

/// The one author. Two differing `From` fields are a forger's trick and count as several (EM-33, EM-129).
fn author(mail: &Mail) -> Result<&Address, SkipReason> {
    let (first, others) = mail.from.split_first().ok_or(SkipReason::NoReplyAddress)?;
    let mut more_fields = mail.signals.fields.all("from").skip(1).flat_map(|value| address_list(value, 100));
    let is_another = more_fields.any(|other| !other.address.is_same(&first.address));
    if is_another || others.iter().any(|other| !other.address.is_same(&first.address)) {
        return Err(SkipReason::SeveralAuthors);
    }
    Ok(&first.address)
}

/// The one Reply-To address in the author's own organisation, if it is sane (EM-40).
///
/// Who the author is has not been proved here, so another organisation's address would let anybody point our
/// answers at anybody.
fn reply_to<'a>(mail: &'a Mail, author: &Address, ours: &Ours<'_>) -> Option<&'a Address> {
    let [only] = mail.reply_to.as_slice() else { return None };
    let is_sane = robots::judge(only.local()).is_none() && !is_ours(only, ours);
    (is_sane && is_same_organisation(only, author)).then_some(only)
}

/// The same domain, or one below the other. Without a list of public suffixes two subdomains of one parent are
/// taken as strangers, which only means that From is answered.
fn is_same_organisation(one: &Address, other: &Address) -> bool {
    let (one, other) = (one.normalized(), other.normalized());
    let domain =
        |address: &str| address.rsplit_once('@').map(|(_, domain)| domain.to_owned()).unwrap_or_default();
    let (one, other) = (domain(&one), domain(&other));
    let is_below = |low: &str, high: &str| high.contains('.') && low.ends_with(&format!(".{high}"));
    one == other || is_below(&one, &other) || is_below(&other, &one)
}
