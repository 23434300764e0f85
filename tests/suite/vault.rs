//! Secrets open in their own place and nowhere else.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use postkey::config::VaultSource;
use postkey::vault::{CommandFailure, Place, Sealed, Vault, VaultError, generate_kek, last_four, mask};
use secrecy::{ExposeSecret, SecretString};
use uuid::{Uuid, uuid};

const OWNER: Uuid = uuid!("01890a5d-ac96-774b-bcce-b302099a8057");
const RECORD: Uuid = uuid!("01890a5d-ac96-774b-bcce-b302099a8058");
const PLACE: Place<'static> =
    Place { column: "ai_configurations.api_key", owner: OWNER, record: RECORD, provider: "openai" };
const SECRET: &str = "sk-alice-personal-key";

fn key(first: u8) -> [u8; 32] {
    std::array::from_fn(|index| first + u8::try_from(index).unwrap())
}

fn vault() -> Vault {
    Vault::single("k1", key(0)).unwrap()
}

fn sealed() -> Sealed {
    vault().seal(&PLACE, &SECRET.into()).unwrap()
}

fn entry(id: &str, first: u8) -> String {
    format!("{id}:{}", STANDARD.encode(key(first)))
}

async fn load(keks: &str, active: Option<&str>) -> Result<Vault, VaultError> {
    let source =
        VaultSource { keks: Some(keks.into()), active: active.map(str::to_owned), ..VaultSource::default() };
    Vault::load(&source).await
}

fn refused(result: Result<SecretString, VaultError>) -> bool {
    matches!(result, Err(VaultError::CannotOpen))
}

#[test]
fn the_documented_text_opens() {
    let stored = "v1.k1.AQEBAQEBAQEBAQEBC7WzyhUu82By2vbiMgoa1C0A05a4VBnte5diZPbvobhscZyhaomGSyAhtWHEqTIk\
        .AgICAgICAgICAgICHmUY2kBliPvJP8d5Cagj5Yd5EMjaEbUTHbQ95d2Vaf7ZNIDC4w";
    let opened = vault().open(&PLACE, &Sealed::from_stored(stored.to_owned())).unwrap();
    assert_eq!(opened.expose_secret(), SECRET);
}

#[test]
fn what_is_sealed_opens_again_and_is_never_the_same_twice() {
    for secret in ["", "x", SECRET, "Pässwort 🔑", &"long".repeat(10_000)] {
        let [one, two] = [(); 2].map(|()| vault().seal(&PLACE, &secret.into()).unwrap());
        assert_eq!(vault().open(&PLACE, &one).unwrap().expose_secret(), secret);
        let parts =
            |sealed: &Sealed| sealed.as_stored().split('.').skip(2).map(str::to_owned).collect::<Vec<_>>();
        assert!(parts(&one).iter().zip(parts(&two)).all(|(one, two)| *one != two));
    }
}

#[test]
fn a_secret_does_not_open_in_another_record() {
    assert!(refused(vault().open(&Place { record: OWNER, ..PLACE }, &sealed())));
}

#[test]
fn a_secret_does_not_open_for_another_owner() {
    assert!(refused(vault().open(&Place { owner: RECORD, ..PLACE }, &sealed())));
}

#[test]
fn a_secret_does_not_open_in_another_column() {
    assert!(refused(vault().open(&Place { column: "mailboxes.imap_password", ..PLACE }, &sealed())));
}

#[test]
fn a_secret_does_not_open_for_another_provider() {
    assert!(refused(vault().open(&Place { provider: "openrouter", ..PLACE }, &sealed())));
}

#[test]
fn a_secret_does_not_open_where_the_parts_only_run_together_alike() {
    let one = Place { column: "t.ab", provider: "c", ..PLACE };
    let sealed = vault().seal(&one, &SECRET.into()).unwrap();
    assert!(refused(vault().open(&Place { column: "t.a", provider: "bc", ..PLACE }, &sealed)));
}

#[tokio::test]
async fn a_secret_does_not_open_under_another_label_of_the_same_key() {
    let vault = load(&format!("{},{}", entry("k1", 0), entry("k2", 0)), Some("k1")).await.unwrap();
    let relabelled = sealed().as_stored().replace("v1.k1.", "v1.k2.");
    assert!(refused(vault.open(&PLACE, &Sealed::from_stored(relabelled))));
    assert!(vault.open(&PLACE, &sealed()).is_ok());
}

#[test]
fn a_secret_does_not_open_under_another_key() {
    assert!(refused(Vault::single("k1", key(1)).unwrap().open(&PLACE, &sealed())));
    let error = Vault::single("k9", key(0)).unwrap().open(&PLACE, &sealed()).err().unwrap();
    assert!(error.to_string().contains("key k1, which is not loaded"), "{error}");
}

#[test]
fn the_parts_of_two_secrets_cannot_be_exchanged() {
    let (one, two) = (sealed(), sealed());
    let (head, _) = one.as_stored().rsplit_once('.').unwrap();
    let (_, data) = two.as_stored().rsplit_once('.').unwrap();
    assert!(refused(vault().open(&PLACE, &Sealed::from_stored(format!("{head}.{data}")))));
}

#[test]
fn a_changed_character_is_refused_wherever_it_is() {
    let sealed = sealed();
    let text = sealed.as_stored();
    for position in 0..text.len() {
        for replacement in ["A", "B", "."] {
            let mut changed = text.to_owned();
            changed.replace_range(position..=position, replacement);
            if changed != text {
                let opened = vault().open(&PLACE, &Sealed::from_stored(changed.clone()));
                assert!(opened.is_err(), "{changed}");
            }
        }
    }
}

#[test]
fn what_is_no_sealed_text_is_malformed() {
    let sealed = sealed();
    let text = sealed.as_stored();
    let (head, _) = text.rsplit_once('.').unwrap();
    for broken in [
        "",
        "v1",
        "v1.k1",
        "sk-clear-text-key",
        &text.replace("v1.", "v2."),
        &format!("{text}.x"),
        &format!("{text}="),
        &format!("{head}.AAAA"),
        &format!(" {text}"),
    ] {
        let result = vault().open(&PLACE, &Sealed::from_stored(broken.to_owned()));
        assert!(matches!(result, Err(VaultError::Malformed)), "{broken}");
    }
}

#[tokio::test]
async fn old_keys_open_and_the_active_key_seals() {
    let vault = load(&format!("{},\n{}", entry("k2", 7), entry("k1", 0)), Some("k2")).await.unwrap();
    assert_eq!((vault.active_id(), vault.kek_ids()), ("k2", vec!["k2", "k1"]));
    assert_eq!(vault.open(&PLACE, &sealed()).unwrap().expose_secret(), SECRET);
    let new = vault.seal(&PLACE, &SECRET.into()).unwrap();
    assert_eq!(new.kek_id(), Some("k2"));
    assert_eq!(vault.open(&PLACE, &new).unwrap().expose_secret(), SECRET);
}

#[tokio::test]
async fn without_a_key_there_is_no_vault_and_the_way_to_one_is_told() {
    for keks in [None, Some(SecretString::from("")), Some(SecretString::from(" , "))] {
        let error = Vault::load(&VaultSource { keks, ..VaultSource::default() }).await.err().unwrap();
        assert!(matches!(error, VaultError::NoKey));
        assert!(error.to_string().contains("postkey keys generate"));
    }
}

#[tokio::test]
async fn keys_must_be_32_bytes_of_base64() {
    let short = STANDARD.encode([7; 31]);
    let long = STANDARD.encode([7; 33]);
    for bad in [short.as_str(), &long, "", "not base64!", &"ab".repeat(32)] {
        let error = load(&format!("k1:{bad}"), None).await.err().unwrap();
        assert!(matches!(error, VaultError::BadKey { .. }), "{error}");
        assert!(bad.is_empty() || !error.to_string().contains(bad), "{error}");
    }
    let unpadded = entry("k1", 0).trim_end_matches('=').to_owned();
    assert!(load(&unpadded, None).await.is_ok());
}

#[tokio::test]
async fn ids_must_be_short_and_plain() {
    for bad in ["", "k", "K1", "k_1", "k.1", "ké", "k1234567890123456789x"] {
        let error = load(&entry(bad, 0), None).await.err().unwrap();
        assert!(matches!(error, VaultError::BadId { position: 1 }), "{bad}");
        assert!(Vault::single(bad, key(0)).is_err());
    }
    assert!(load(&entry("k-20-characters-long", 0), None).await.is_ok());
    let error = load(&STANDARD.encode(key(0)), None).await.err().unwrap();
    assert!(matches!(error, VaultError::BadEntry { position: 1 }), "a bare key is never repeated");
    assert!(!error.to_string().contains("AAEC"));
}

#[tokio::test]
async fn the_active_key_must_be_clear() {
    let two = format!("{},{}", entry("k2", 7), entry("k1", 0));
    assert!(matches!(load(&two, None).await, Err(VaultError::ActiveMissing)));
    assert!(matches!(load(&two, Some("k3")).await, Err(VaultError::UnknownActive)));
    let twice = format!("{},{}", entry("k1", 7), entry("k1", 0));
    assert!(matches!(load(&twice, Some("k1")).await, Err(VaultError::DuplicateId { .. })));
}

#[tokio::test]
async fn a_file_with_keys_must_be_ours_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keks");
    fs::write(&path, format!("{}\n", entry("k1", 0))).unwrap();
    let source = VaultSource { keks_file: Some(path.clone()), ..VaultSource::default() };
    for mode in [0o644, 0o640, 0o604, 0o620, 0o601] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = Vault::load(&source).await.err().unwrap().to_string();
        assert!(error.contains("chmod 600") && error.contains("keks"), "{error}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(Vault::load(&source).await.unwrap().open(&PLACE, &sealed()).is_ok());
    fs::remove_file(&path).unwrap();
    assert!(matches!(Vault::load(&source).await, Err(VaultError::File { .. })));
    let source = VaultSource { keks_file: Some(folder.path().to_owned()), ..VaultSource::default() };
    assert!(Vault::load(&source).await.err().unwrap().to_string().contains("not a regular file"));
}

#[tokio::test]
async fn a_file_may_hold_what_keys_generate_prints() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keks");
    let source = VaultSource { keks_file: Some(path.clone()), ..VaultSource::default() };
    let key = entry("k1", 0);
    for text in [
        format!("# A new key.\n#\n\nexport POSTKEY_KEKS='{key}'\n\n# Or so.\n"),
        format!("POSTKEY_KEKS=\"{key}\"\r\n"),
        format!("  export  POSTKEY_KEKS={key}"),
        format!("# the old one\n{key}\n"),
    ] {
        fs::write(&path, &text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let loaded = Vault::load(&source).await;
        assert!(loaded.is_ok_and(|vault| vault.open(&PLACE, &sealed()).is_ok()), "{text}");
    }
    for text in [
        format!("{key} # mine"),
        format!("KEKS='{key}'"),
        format!("POSTKEY_KEKS='{key}"),
        format!("'{key}'"),
        "# nothing\n".to_owned(),
    ] {
        fs::write(&path, &text).unwrap();
        assert!(Vault::load(&source).await.is_err(), "{text}");
    }
    assert!(load(&format!("export POSTKEY_KEKS='{key}'"), None).await.is_err(), "only in a file");
}

#[tokio::test]
async fn a_file_of_someone_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keks");
    fs::write(&path, entry("k1", 0)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    // Only root can give a file away; anyone else meets files of root instead.
    let foreign = if std::os::unix::fs::chown(&path, Some(12_345), None).is_ok() {
        path
    } else {
        "/etc/hostname".into()
    };
    let source = VaultSource { keks_file: Some(foreign), ..VaultSource::default() };
    let error = Vault::load(&source).await.err().unwrap().to_string();
    assert!(error.contains("belongs to user id"), "{error}");
}

#[tokio::test]
async fn a_command_prints_the_keys() {
    let source = |script: &str| VaultSource {
        keks_command: Some(["sh", "-c", script].map(str::to_owned).to_vec()),
        ..VaultSource::default()
    };
    let print = format!("echo k9:never-read >&2; echo {}", entry("k1", 0));
    assert!(Vault::load(&source(&print)).await.unwrap().open(&PLACE, &sealed()).is_ok());

    let failed = Vault::load(&source("echo secret >&2; exit 3")).await.err().unwrap();
    assert!(matches!(failed, VaultError::Command(CommandFailure::Failed(3))));
    assert!(!failed.to_string().contains("secret"));
    assert!(matches!(Vault::load(&source("yes")).await, Err(VaultError::Command(CommandFailure::Output))));
    assert!(matches!(Vault::load(&source("true")).await, Err(VaultError::NoKey)));
    let absent = VaultSource {
        keks_command: Some(["/nonexistent", "--token=hunter2"].map(str::to_owned).to_vec()),
        ..VaultSource::default()
    };
    let absent = Vault::load(&absent).await.err().unwrap();
    assert!(matches!(absent, VaultError::Command(CommandFailure::NotStarted { .. })));
    assert!(
        absent.to_string().contains("/nonexistent") && !absent.to_string().contains("hunter2"),
        "{absent}"
    );
}

#[tokio::test]
async fn several_sources_are_refused() {
    let source = VaultSource {
        keks: Some(entry("k1", 0).into()),
        keks_file: Some("/keks".into()),
        ..VaultSource::default()
    };
    assert!(matches!(Vault::load(&source).await, Err(VaultError::SeveralSources)));
}

#[tokio::test]
async fn a_generated_key_can_be_used_at_once_and_is_new_each_time() {
    let [one, two] = [generate_kek().unwrap(), generate_kek().unwrap()];
    assert_ne!(one, two);
    assert_eq!(load(&one, None).await.unwrap().active_id(), "k1");
}

#[test]
fn a_start_with_another_key_of_the_same_id_is_noticed() {
    let stored = vault().seal_check("k1").unwrap();
    assert!(vault().open_check("k1", stored.as_stored()).is_ok());
    let other = Vault::single("k1", key(1)).unwrap();
    assert!(matches!(other.open_check("k1", stored.as_stored()), Err(VaultError::WrongKey { .. })));
    assert!(matches!(vault().open_check("k2", stored.as_stored()), Err(VaultError::WrongKey { .. })));
    assert!(matches!(vault().open_check("k1", "rubbish"), Err(VaultError::WrongKey { .. })));
    assert!(matches!(vault().open_check("k1", sealed().as_stored()), Err(VaultError::WrongKey { .. })));
    assert!(matches!(vault().seal_check("k2"), Err(VaultError::UnknownKek { .. })));
}

#[test]
fn a_fingerprint_tells_equal_secrets_of_one_owner_only() {
    let fingerprint = |owner, secret: &str| vault().fingerprint(owner, &secret.into());
    assert_eq!(fingerprint(OWNER, SECRET), fingerprint(OWNER, SECRET));
    assert_ne!(fingerprint(OWNER, SECRET), fingerprint(RECORD, SECRET));
    assert_ne!(fingerprint(OWNER, SECRET), fingerprint(OWNER, "sk-bob-personal-key"));
    assert_ne!(
        fingerprint(OWNER, SECRET),
        Vault::single("k1", key(1)).unwrap().fingerprint(OWNER, &SECRET.into())
    );
    assert!(
        fingerprint(OWNER, SECRET).len() == 8
            && fingerprint(OWNER, SECRET).chars().all(|c| c.is_ascii_hexdigit())
    );
}

#[tokio::test]
async fn a_message_tag_is_ours_also_after_the_active_key_changed() {
    let tag = vault().message_tag(b"message");
    assert_ne!(tag, vault().message_tag(b"another"));
    assert_ne!(tag, Vault::single("k1", key(1)).unwrap().message_tag(b"message"));
    let rotated = load(&format!("{},{}", entry("k2", 7), entry("k1", 0)), Some("k2")).await.unwrap();
    assert_ne!(tag, rotated.message_tag(b"message"));
    assert!(rotated.is_message_tag(b"message", &tag));
    assert!(!rotated.is_message_tag(b"another", &tag));
}

#[tokio::test]
async fn em_66_an_address_tag_is_ours_also_after_the_active_key_changed() {
    let tag = vault().address_tag(b"thread");
    assert_ne!(tag[..], vault().message_tag(b"thread")[..10], "each purpose has a key of its own");
    let rotated = load(&format!("{},{}", entry("k2", 7), entry("k1", 0)), Some("k2")).await.unwrap();
    assert_ne!(tag, rotated.address_tag(b"thread"));
    assert!(rotated.is_address_tag(b"thread", &tag));
    assert!(!rotated.is_address_tag(b"another", &tag));
}

#[test]
fn a_mask_shows_ten_characters_or_a_quarter() {
    let masked = |secret: &str| mask(&secret.into());
    assert_eq!(masked("sk-proj-abcdefghijklmnop"), "sk-proj-ab...");
    assert_eq!(masked("12345678901234567890"), "1234567890...");
    assert_eq!(masked("1234567890123456789"), "1234...");
    assert_eq!(masked("abc"), "...");
    assert_eq!(masked("ÄÖÜäöüßéèê€€€€€€€€€€"), "ÄÖÜäöüßéèê...");
    assert_eq!(last_four(&"x".repeat(39).into()), None);
    assert_eq!(last_four(&format!("{}wxyz", "x".repeat(36)).into()).unwrap(), "wxyz");
}

#[test]
fn debug_output_shows_no_secret() {
    let vault = vault();
    let (sealed, opened) = (sealed(), vault.open(&PLACE, &sealed()).unwrap());
    assert_eq!(format!("{vault:?} {sealed:?}"), "Vault { kek_ids: [\"k1\"], .. } Sealed(k1)");
    assert!(!format!("{opened:?}").contains("alice"));
    assert_eq!(format!("{:?}", Sealed::from_stored("sk-clear".to_owned())), "Sealed(malformed)");
}
