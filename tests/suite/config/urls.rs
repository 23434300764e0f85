//! What `database.url` may be, and what is seen of it.

use std::path::Path;

use postkey::config::Config;

use super::{load, only_fault};

#[test]
fn a_password_that_is_not_percent_encoded_is_refused_and_not_shown() {
    for url in [
        "postgres://u:12/hunter2@127.0.0.1:1/db",
        "postgres://u:/hunter2@127.0.0.1:1/db",
        "postgres://u:9#hunter2@127.0.0.1:1/db",
        "postgres://u:7?hunter2@127.0.0.1:1/db",
        "postgres://u:7?a=hunter2@127.0.0.1:1/db?password=hunter2",
        "postgres://u:hun@ter2/hunter2@127.0.0.1:1/db",
        "postgres://u:hunter2/x@127.0.0.1:1/db",
        "postgres://me:hunter2@[",
    ] {
        let fault = only_fault("", &[("POSTKEY_DATABASE__URL", url)]);
        assert!(fault.starts_with("POSTKEY_DATABASE__URL: ") && fault.contains("percent-encode"), "{fault}");
        let mut config = Config::default();
        config.database.url = url.to_owned();
        for shown in [config.effective(), format!("{config:?} {:?}", config.database), fault] {
            assert!(!shown.contains("hunter2") && !shown.contains("ter2"), "{url}: {shown}");
        }
        assert!(config.effective().contains("REDACTED"), "{url}");
    }
    let url = "postgres://u:12%2Fhunter2@127.0.0.1:1/db";
    let shown = load("", &[("POSTKEY_DATABASE__URL", url)]).unwrap().effective();
    assert!(shown.contains("url = \"postgres://u:REDACTED@127.0.0.1:1/db\""), "{shown}");
    let text = "[provider]\napp_url = \"https://example.com/@postkey\"\n[database]\nurl = \"sqlite:///a:b/c@d.db\"\n";
    let shown = load(text, &[]).unwrap().effective();
    assert!(shown.contains("/@postkey") && shown.contains("a:b/c@d.db"), "{shown}");
}

#[test]
fn the_file_of_a_url_is_the_one_that_is_opened() {
    for (url, file) in [
        ("sqlite://postkey.db", "postkey.db"),
        ("sqlite:postkey.db", "postkey.db"),
        ("sqlite:///var/lib/postkey/rows.db?mode=rwc", "/var/lib/postkey/rows.db"),
        ("sqlite://my%20rows.db", "my rows.db"),
    ] {
        let config = load("", &[("POSTKEY_DATABASE__URL", url)]).unwrap();
        assert_eq!(config.database.file().as_deref(), Some(Path::new(file)), "{url}");
    }
    assert_eq!(load("", &[("POSTKEY_DATABASE__URL", "postgres://h/d")]).unwrap().database.file(), None);
}
