//! The files of a mail, and mail that is sealed (EM-124 to EM-127).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use postkey::mail::{Attachment, Limits, Mail};

use super::read;

/// A mail that says "See there." and carries one part with these header lines.
fn with_part(header: &str, content: &[u8]) -> Mail {
    read(format!(
        "From: ann@example.org\nContent-Type: multipart/mixed; boundary=edge\n\n--edge\n\nSee there.\n--edge\n\
         {header}\nContent-Transfer-Encoding: base64\n\n{}\n--edge--\n",
        STANDARD.encode(content)
    ))
}

fn attached(header: &str, content: &[u8]) -> Attachment {
    let mail = with_part(header, content);
    assert_eq!(mail.text.visible, "See there.");
    mail.attachments.into_iter().next().unwrap()
}

#[test]
fn em_124_names_are_safe_whatever_was_declared() {
    for (declared, safe) in [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ann\\a.pdf", "a.pdf"),
        ("report.pdf. . .", "report.pdf"),
        ("CON.txt", "attachment-1"),
        ("lpt1", "attachment-1"),
        ("console.txt", "console.txt"),
        ("..", "attachment-1"),
        ("a<b>|c?.txt", "abc.txt"),
        ("=?utf-8?B?w6QucGRm?=", "ä.pdf"),
        ("invoice\u{202E}fdp.exe", "invoicefdp.exe"),
    ] {
        let header =
            format!("Content-Type: application/octet-stream; name=\"{}\"", declared.replace('\\', "\\\\"));
        assert_eq!(attached(&header, b"x").name, safe, "{declared}");
    }
}

#[test]
fn em_124_the_ending_is_that_of_the_content_and_both_names_are_told() {
    let program =
        attached("Content-Disposition: attachment; filename=\"invoice.pdf\"", b"MZ\x90\0\x03\0\0\0");
    assert_eq!(
        (program.name.as_str(), program.declared_name.as_deref()),
        ("invoice.pdf.exe", Some("invoice.pdf"))
    );
    let archive = attached("Content-Disposition: attachment; filename=\"photo.jpg\"", b"PK\x03\x04rest");
    assert_eq!(archive.name, "photo.jpg.zip");
    for (name, content) in [
        ("a.docx", b"PK\x03\x04rest".as_slice()),
        ("a.jpeg", b"\xFF\xD8\xFF\xE0"),
        ("a.pdf", b"%PDF-1.7"),
        ("a.txt", b"words"),
    ] {
        let file = attached(&format!("Content-Disposition: attachment; filename=\"{name}\""), content);
        assert_eq!((file.name.as_str(), file.declared_name), (name, None));
    }
}

#[test]
fn text_files_are_readable_within_their_cap() {
    let table = attached("Content-Type: text/csv; charset=iso-8859-1; name=a.csv", b"Stra\xDFe;1\r\n");
    assert_eq!(table.text.as_deref(), Some("Straße;1"));
    let page = attached("Content-Type: text/html; name=a.html", b"<p>seen</p><p hidden>secret</p>");
    assert_eq!(page.text.as_deref(), Some("seen"));
    let words =
        attached("Content-Disposition: attachment; filename=a.txt\nContent-Type: text/plain", b"words");
    assert_eq!(words.text.as_deref(), Some("words"));
    assert_eq!(attached("Content-Type: text/plain; name=a.txt", b"MZ\x90\0").text, None);
    assert_eq!(attached("Content-Type: application/pdf; name=a.pdf", b"%PDF-1.7").text, None);

    let long = format!(
        "Content-Type: multipart/mixed; boundary=edge\n\n--edge\n\nHi\n--edge\nContent-Type: text/plain; name=a.txt\n\n{0}\n\
         --edge\nContent-Type: text/plain; name=b.txt\n\n{0}\n--edge--\n",
        "word ".repeat(20)
    );
    let limits = Limits { attachment_text_bytes: 40, ..Limits::default() };
    let mail = postkey::mail::read(long.as_bytes(), &limits);
    assert!(mail.attachments[0].text.as_ref().unwrap().ends_with("was cut.]"));
    assert_eq!(mail.attachments[1].text, None);
}

#[test]
fn em_109_a_lone_text_with_a_name_is_the_mail() {
    let mail = read("Content-Type: text/plain; name=\"message.txt\"\n\nHello");
    assert_eq!((mail.text.visible.as_str(), mail.attachments.len()), ("Hello", 0));
}

#[test]
fn em_126_inline_pictures_are_marked_and_trackers_dropped() {
    let gif = |width: u8| [b"GIF89a".as_slice(), &[width, 0, width, 0, 0, 0, 0]].concat();
    let header = "Content-Type: image/gif; name=a.gif\nContent-ID: <1@x>\nContent-Disposition: inline";
    assert!(attached(header, &gif(40)).is_inline);
    assert!(with_part(header, &gif(1)).attachments.is_empty());
    assert!(!attached("Content-Disposition: attachment; filename=a.gif", &gif(40)).is_inline);
}

/// One TNEF attribute.
fn attribute(id: u32, data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap();
    [&[2], id.to_le_bytes().as_slice(), &length.to_le_bytes(), data, &[0, 0]].concat()
}

fn tnef() -> Vec<u8> {
    let name: Vec<u8> = "Öffnungszeiten.pdf\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let padding = vec![0; (4 - name.len() % 4) % 4];
    let property = [
        1_u32.to_le_bytes().as_slice(),
        &0x001F_u16.to_le_bytes(),
        &0x3707_u16.to_le_bytes(),
        &1_u32.to_le_bytes(),
        &u32::try_from(name.len()).unwrap().to_le_bytes(),
        &name,
        &padding,
    ]
    .concat();
    [
        0x223E_9F78_u32.to_le_bytes().to_vec(),
        vec![1, 0],
        attribute(0x0006_9002, &[0; 14]),
        attribute(0x0001_8010, b"FFNUNG~1.PDF\0"),
        attribute(0x0006_800F, b"12345"),
        attribute(0x0006_9005, &property),
        attribute(0x0006_9002, &[0; 14]),
        attribute(0x0001_8010, b"..\\README\0"),
    ]
    .concat()
}

#[test]
fn em_125_the_files_of_a_winmail_dat_are_named() {
    let mail = with_part("Content-Type: application/ms-tnef; name=winmail.dat", &tnef());
    let files: Vec<(&str, usize)> =
        mail.attachments.iter().map(|file| (file.name.as_str(), file.bytes)).collect();
    assert_eq!(files[1..], [("Öffnungszeiten.pdf", 5), ("README", 0)]);
    assert_eq!(files[0].0, "winmail.dat");
}

#[test]
fn em_125_a_damaged_winmail_dat_is_a_file_like_others() {
    let whole = tnef();
    for end in 0..whole.len() {
        let mail = with_part("Content-Type: application/ms-tnef; name=winmail.dat", &whole[..end]);
        assert_eq!(mail.attachments[0].name, "winmail.dat");
    }
}

#[test]
fn em_127_encrypted_mail_is_said_to_be_encrypted() {
    for sealed in [
        "Content-Type: multipart/encrypted; boundary=b\n\n--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n\
         --b\nContent-Type: application/octet-stream\n\nx\n--b--",
        "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n\nAAAA",
        "Content-Type: application/octet-stream; name=smime.p7m\n\nAAAA",
        "-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----".trim_start_matches('\n'),
    ] {
        let mail =
            read(if sealed.starts_with('-') { format!("Subject: x\n\n{sealed}") } else { sealed.to_owned() });
        assert!(mail.flags.is_encrypted, "{sealed}");
        assert_eq!(mail.text.visible, "[This part of the mail is encrypted and cannot be read.]");
    }
    let part = read("Subject: x\n\nHello\n-----BEGIN PGP MESSAGE-----\nabc\n-----END PGP MESSAGE-----\nBye");
    assert_eq!(part.text.visible, "Hello\n[This part of the mail is encrypted and cannot be read.]\nBye");
}

/// One DER value.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x82], length.as_slice(), content].concat()
}

#[test]
fn em_127_a_mail_that_is_only_signed_is_opened() {
    let inner = b"Content-Type: text/plain; charset=utf-8\r\n\r\nSigned words";
    let signed_kind = [0x06, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02];
    let data_kind = [0x06, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01];
    // In one piece, and in two pieces of open length.
    let pieces = [&[0x24, 0x80][..], &der(0x04, &inner[..20]), &der(0x04, &inner[20..]), &[0, 0]].concat();
    for octets in [der(0x04, inner), pieces] {
        let content = der(0x30, &[data_kind.to_vec(), der(0xA0, &octets)].concat());
        let signed = der(0x30, &[vec![2, 1, 1], der(0x31, &[]), content].concat());
        let whole = der(0x30, &[signed_kind.to_vec(), der(0xA0, &signed)].concat());
        let mail = read(format!(
            "Subject: x\nContent-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\n\
             Content-Transfer-Encoding: base64\n\n{}\n",
            STANDARD.encode(&whole)
        ));
        assert_eq!((mail.text.visible.as_str(), mail.flags.is_encrypted), ("Signed words", false));
        for end in 0..whole.len() {
            read(format!(
                "Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\n{}",
                STANDARD.encode(&whole[..end])
            ));
        }
    }
}

#[test]
fn em_127_a_detached_signature_is_no_file() {
    let mail = with_part("Content-Type: application/pgp-signature; name=signature.asc", b"x");
    assert!(mail.attachments.is_empty());
}

/// `PK`, a zero and 42 more bytes in a first line, a short second line, and the two lines that end it.
fn uuencoded(name: &str) -> String {
    let content: Vec<u8> = b"PK\x03\x04".iter().copied().chain((0..56).map(|n| n * 4)).collect();
    let digit = |six_bits: u8| if six_bits == 0 { '`' } else { char::from(six_bits + b' ') };
    let line = |bytes: &[u8]| {
        let mut line = String::from(digit(u8::try_from(bytes.len()).unwrap()));
        for three in bytes.chunks(3) {
            let [a, b, c] = [0, 1, 2].map(|at| three.get(at).copied().unwrap_or(0));
            line.extend([a >> 2, (a & 3) << 4 | b >> 4, (b & 15) << 2 | c >> 6, c & 63].map(digit));
        }
        line + "\n"
    };
    let lines: String = content.chunks(45).map(line).collect();
    format!("begin 644 {name}\n{lines}`\nend\n")
}

#[test]
fn em_124_a_uuencoded_file_in_the_text_is_a_file_and_no_text() {
    let file = uuencoded("../photos.zip");
    for encoding in ["7bit", "quoted-printable"] {
        let text = format!("See there:\n\n{file}\nThanks!\n");
        let text = if encoding == "7bit" { text } else { text.replace('=', "=3D") };
        let mail = read(format!(
            "From: ann@example.org\nContent-Type: text/plain\nContent-Transfer-Encoding: {encoding}\n\n{text}"
        ));
        assert_eq!(mail.text.visible, "See there:\n\n\nThanks!", "{encoding}");
        let [found] = mail.attachments.as_slice() else { panic!("{:?}", mail.attachments) };
        assert_eq!((found.name.as_str(), found.bytes), ("photos.zip", 60), "{encoding}");
    }
}

#[test]
fn em_124_a_uuencoded_part_is_decoded() {
    for encoding in ["x-uuencode", "UUENCODE", "x-uue"] {
        let mail = read(format!(
            "From: ann@example.org\nContent-Type: multipart/mixed; boundary=edge\n\n--edge\n\nSee there.\n--edge\n\
             Content-Type: application/octet-stream\nContent-Transfer-Encoding: {encoding}\n\n{}--edge--\n",
            uuencoded("photos")
        ));
        let [found] = mail.attachments.as_slice() else { panic!("{:?}", mail.attachments) };
        assert_eq!((found.name.as_str(), found.bytes), ("photos.zip", 60), "{encoding}");
    }
}

#[test]
fn em_124_a_damaged_uuencoded_file_ends_where_its_content_ends() {
    let file = uuencoded("photos.zip").replace("`\nend\n", "");
    let mail = read(format!("From: ann@example.org\n\nSee there:\n{file}Thanks!\n"));
    assert_eq!(mail.text.visible, "See there:\nThanks!");
    assert_eq!(mail.attachments.len(), 1);
    let spaces = uuencoded("zeros.bin").lines().take(2).collect::<Vec<_>>().join("\n") + "\nM\n`\nend\n";
    let mail = read(format!("From: ann@example.org\n\nSee there:\n{spaces}Thanks!\n"));
    let sizes: Vec<usize> = mail.attachments.iter().map(|file| file.bytes).collect();
    assert_eq!((mail.text.visible.as_str(), sizes), ("See there:\nThanks!", vec![90]));
}

#[test]
fn em_124_sentences_that_begin_like_a_file_stay_text() {
    for words in [
        "begin 644 pages of reading today,\nand tell me what you think.",
        "begin 100 METRES FROM HERE\nWALK ON UNTIL THE END\nend",
        "begin with me\nend",
        "begin 999 x\nend",
        "> begin 644 a\n> end",
    ] {
        let mail = read(format!("From: ann@example.org\n\nHello,\n{words}\n\nAnn\n"));
        assert_eq!(mail.text.visible, format!("Hello,\n{words}\n\nAnn"));
        assert!(mail.attachments.is_empty(), "{words}");
    }
}
