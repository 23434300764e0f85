//! Who sent it, by the receiving host's own verdict.

use postkey::mail::Authentication;
use postkey::mail::authentication::judge;

use super::{mail_with, read};

const HOST: &str = "mx.host.example";

/// The verdict on a mail from ann@example.org with these header lines on top.
fn verdict(headers: &str) -> Authentication {
    judge(&read(mail_with(headers)), Some(HOST))
}

/// The same with one `Authentication-Results` field of the pinned host.
fn results(results: &str) -> Authentication {
    verdict(&format!("Authentication-Results: {HOST}; {results}\r\n"))
}

#[test]
fn em_137_dmarc_or_a_signature_of_the_authors_domain_proves_the_sender() {
    for proof in [
        "dmarc=pass (p=NONE sp=NONE) header.from=example.org",
        "spf=fail smtp.mailfrom=x.org; dmarc = pass header.from = Example.ORG",
        "dkim=pass header.d=example.org header.s=k1",
        "dkim/1=pass header.i=@example.org",
        "dmarc=none header.from=example.org; dkim=fail header.d=example.org; dkim=pass header.d=example.org",
    ] {
        assert_eq!(results(proof), Authentication::Passed, "{proof}");
    }
}

#[test]
fn em_137_spf_alone_or_somebody_elses_proof_proves_nothing() {
    for claim in [
        "spf=pass smtp.mailfrom=example.org",
        "dkim=pass header.d=mailer.example",
        "dkim=pass header.d=org",
        "dkim=pass header.d=notexample.org",
        "dkim=pass header.d=evil.example.org",
        "dmarc=pass header.from=other.example",
        "dmarc=bestguesspass header.from=example.org",
        "dmarc=pass",
        "none",
    ] {
        assert_eq!(results(claim), Authentication::Unproven, "{claim}");
    }
    assert_eq!(
        results("dmarc=fail header.from=example.org; dkim=pass header.d=example.org"),
        Authentication::Failed
    );
}

#[test]
fn em_135_only_the_pinned_host_is_believed() {
    let forged = "Authentication-Results: mx.evil.example; dmarc=pass header.from=example.org\r\n";
    assert_eq!(verdict(forged), Authentication::Unknown);
    for field in ["X-Authentication-Results", "ARC-Authentication-Results", "Authentication-Results-Original"]
    {
        assert_eq!(
            verdict(&format!("{field}: {HOST}; dmarc=pass header.from=example.org\r\n")),
            Authentication::Unknown
        );
    }
    assert_eq!(verdict(""), Authentication::Unknown);
    let mail =
        read(mail_with(&format!("Authentication-Results: {HOST}; dmarc=pass header.from=example.org\r\n")));
    assert_eq!(judge(&mail, None), Authentication::Unknown);
}

#[test]
fn em_135_a_field_below_anothers_received_is_the_senders() {
    let ours = format!("Received: from a.example by {HOST} with ESMTP; Tue, 14 Jul 2026 10:00:00 +0200\r\n");
    let theirs = "Received: from b.example by a.example with ESMTP; Tue, 14 Jul 2026 10:00:00 +0200\r\n";
    let inside = "Received: by 2001:db8::7 with SMTP id 1; Tue, 14 Jul 2026 10:00:00 +0200\r\n";
    let proof = format!("Authentication-Results: {HOST}; dmarc=pass header.from=example.org\r\n");
    assert_eq!(verdict(&format!("{inside}{ours}{proof}{theirs}")), Authentication::Passed);
    assert_eq!(verdict(&format!("{inside}{ours}{theirs}{proof}")), Authentication::Unknown);
    // The host writes on top, so the first of its fields is its own.
    let failed = format!("Authentication-Results: {HOST}; dmarc=fail header.from=example.org\r\n");
    assert_eq!(verdict(&format!("{ours}{failed}{proof}")), Authentication::Failed);
}

#[test]
fn em_135_an_attached_mail_proves_nothing() {
    let attached = format!("Authentication-Results: {HOST}; dmarc=pass header.from=example.org");
    let mail = mail_with("Content-Type: message/rfc822\r\n").replace("When do you open?", &attached);
    assert_eq!(judge(&read(mail), Some(HOST)), Authentication::Unknown);
}

#[test]
fn em_136_microsofts_field_without_a_name_counts_for_its_hosts_only() {
    let field = "Authentication-Results: spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=example.org; \
                 dkim=pass header.d=example.org;dmarc=pass action=none header.from=example.org;compauth=pass\r\n";
    let mail = read(mail_with(field));
    assert_eq!(judge(&mail, Some("protection.outlook.com")), Authentication::Passed);
    assert_eq!(judge(&mail, Some(HOST)), Authentication::Unknown);
}

#[test]
fn em_140_nothing_in_comments_or_quotes_is_a_result() {
    for trick in [
        "spf=pass (x; dmarc=pass header.from=example.org) smtp.mailfrom=x.org",
        "spf=pass reason=\"x; dmarc=pass header.from=example.org\"",
        "spf=pass (a (b) ; dmarc=pass header.from=example.org",
        "spf=pass (\\) ; dmarc=pass header.from=example.org)",
        "spf=pass reason=\"\\\"; dmarc=pass header.from=example.org\"",
    ] {
        assert_eq!(results(trick), Authentication::Unproven, "{trick}");
    }
}

#[test]
fn em_129_two_from_fields_are_never_proved() {
    let two = format!(
        "Authentication-Results: {HOST}; dmarc=pass header.from=example.org\r\nFrom: ann@example.org\r\n"
    );
    assert_eq!(verdict(&two), Authentication::Unproven);
}

#[test]
fn every_verdict_has_its_own_code_and_speaks() {
    for verdict in Authentication::ALL {
        assert_eq!(Authentication::from_code(verdict.as_str()), Some(verdict));
        assert!(verdict.explain().ends_with('.'));
    }
}
