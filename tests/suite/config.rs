//! What an operator writes, and what they are told when it is wrong.

mod urls;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use postkey::config::{Config, ConfigErrors, LogFormat, SentCopy};
use secrecy::ExposeSecret;

const DOCUMENTED: &str = include_str!("../../workers.toml");

fn load(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("workers.toml");
    fs::write(&path, text).unwrap();
    Config::load(Some(&path), owned(variables))
}

fn owned(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The faults as `place: problem`, the place without its folder.
fn faults(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let errors = load(text, variables).expect_err("a configuration that is refused");
    errors
        .list()
        .iter()
        .map(|error| {
            error
                .to_string()
                .rsplit_once("/workers")
                .map_or_else(|| error.to_string(), |(_, rest)| format!("workers{rest}"))
        })
        .collect()
}

fn only_fault(text: &str, variables: &[(&str, &str)]) -> String {
    let faults = faults(text, variables);
    assert_eq!(faults.len(), 1, "{faults:#?}");
    faults[0].clone()
}

#[test]
fn the_documented_file_is_the_defaults() {
    let (written, default) = (load(DOCUMENTED, &[]).unwrap(), Config::default());
    assert_eq!(written.effective(), default.effective());
    assert_eq!(written.worker, default.worker);
    assert_eq!(written.mailbox, default.mailbox);
    assert_eq!(written.smtp, default.smtp);
    assert_eq!(written.network, default.network);
    assert_eq!(written.provider, default.provider);
    assert_eq!(written.openrouter, default.openrouter);
    assert_eq!(written.answers, default.answers);
    assert_eq!(written.http, default.http);
    assert_eq!(written.retention, default.retention);
    assert_eq!(written.log, default.log);
    assert!(written.platform_key.is_none());
    assert!(written.operator_mail.is_none());
}

#[test]
fn the_documented_file_names_every_key_in_its_section() {
    let mut section = String::new();
    let mut named = Vec::new();
    for line in DOCUMENTED.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if let Some((key, _)) = line.trim_start_matches("# ").split_once(" =")
            && !key.contains(' ')
        {
            named.push(format!("{section}.{key}"));
        }
    }
    assert_eq!(named, Config::keys());
}

#[test]
fn every_key_with_a_default_is_written_out() {
    let written: toml::Table = DOCUMENTED.parse().unwrap();
    let effective: toml::Table = Config::default().effective().parse().unwrap();
    for (section, keys) in &effective {
        let (keys, written) = (keys.as_table().unwrap(), written[section].as_table().unwrap());
        assert_eq!(keys.keys().collect::<Vec<_>>(), written.keys().collect::<Vec<_>>(), "[{section}]");
    }
}

#[test]
fn nothing_written_is_a_complete_configuration() {
    let config = Config::load(None, []).unwrap();
    assert_eq!(config.effective(), Config::default().effective());
    assert_eq!(config.database.url, "sqlite://postkey.db");
    assert_eq!(config.worker.lease, Duration::from_secs(60));
    assert_eq!(config.mailbox.max_message_bytes, 26_214_400);
    assert_eq!(config.retention.runs, Duration::from_secs(400 * 86_400));
}

#[test]
fn what_is_effective_can_be_loaded_again() {
    let text = "[mailbox]\npoll = \"90s\"\nmax_message_bytes = \"1500KiB\"\n[smtp]\nsent_copy = \"never\"\n";
    let config = load(text, &[]).unwrap();
    let again = load(&config.effective(), &[]).unwrap();
    assert_eq!(config.effective(), again.effective());
    assert_eq!(again.mailbox.poll, Duration::from_secs(90));
    assert_eq!(again.mailbox.max_message_bytes, 1500 * 1024);
    assert_eq!(again.smtp.sent_copy, SentCopy::Never);
}

#[test]
fn an_unknown_key_names_its_place_and_the_nearest() {
    let fault = only_fault("[mailbox]\npol = \"60s\"\n", &[]);
    assert_eq!(fault, "workers.toml:2:1: unknown key `pol`; the nearest valid one is `poll`");
}

#[test]
fn a_key_of_another_section_is_sent_home() {
    let fault = only_fault("[worker]\npoll = \"60s\"\n", &[]);
    assert_eq!(fault, "workers.toml:2:1: unknown key `poll` here; it belongs under [mailbox]");
    let fault = only_fault("concurrency = 3\n", &[]);
    assert_eq!(fault, "workers.toml:1:1: `concurrency` belongs under [worker]");
}

#[test]
fn an_unknown_section_names_the_nearest() {
    let fault = only_fault("\n[mailboxes]\npoll = \"60s\"\n", &[]);
    assert_eq!(fault, "workers.toml:2:2: unknown section `mailboxes`; the nearest valid one is `mailbox`");
}

#[test]
fn all_faults_are_told_at_once() {
    let text = "[worker]\nleese = \"60s\"\nlease = \"2s\"\nconcurrency = 0\n[retention]\nruns = 400\n";
    let faults = faults(text, &[("POSTKEY_SMTP__IDEL", "5s")]);
    assert_eq!(
        faults,
        [
            "workers.toml:2:1: unknown key `leese`; the nearest valid one is `lease`",
            "workers.toml:3:1: worker.lease is 2s, which is out of range; write a value from 3s to 1h",
            "workers.toml:4:1: worker.concurrency is 0, which is out of range; write a value from 1 to 10000",
            "workers.toml:6:1: retention.runs must be a duration with its unit, such as \"60s\", \"5m\" or \"30 days\"",
            "POSTKEY_SMTP__IDEL: unknown variable; the nearest valid one is `POSTKEY_SMTP__IDLE`",
        ]
    );
}

#[test]
fn no_limit_may_be_nothing_except_where_that_means_none() {
    for key in [
        "worker.per_user",
        "worker.max_attempts",
        "mailbox.fetch_batch",
        "provider.per_key",
        "answers.per_thread_day",
    ] {
        let (section, key) = key.split_once('.').unwrap();
        assert!(only_fault(&format!("[{section}]\n{key} = 0\n"), &[]).contains("out of range"));
    }
    for key in ["worker.idle_tick", "mailbox.poll", "smtp.final_timeout", "retention.mail_text"] {
        let (section, key) = key.split_once('.').unwrap();
        assert!(only_fault(&format!("[{section}]\n{key} = \"0s\"\n"), &[]).contains("out of range"));
    }
    assert_eq!(load("[smtp]\nmessages_per_minute = 0\n", &[]).unwrap().smtp.messages_per_minute, 0);
}

#[test]
fn a_value_of_the_wrong_kind_says_what_to_write() {
    for (text, said) in [
        ("[worker]\nconcurrency = \"many\"", "whole number"),
        ("[worker]\nconcurrency = -1", "whole number"),
        ("[worker]\nconcurrency = 1.5", "whole number"),
        ("[worker]\nconcurrency = 99999999999999999999", "is 99999999999999999999, which is out of range"),
        (
            "[worker]\nmax_attempts = 5000000000",
            "is 5000000000, which is out of range; write a value from 1 to",
        ),
        ("[worker]\nper_user = 5000000000", "out of range"),
        ("[provider]\ncontext_tokens = 99999999999999999999", "out of range"),
        ("[worker]\nlease = \"sixty\"", "with its unit"),
        ("[mailbox]\nmax_message_bytes = \"25MB\"", "25MiB"),
        ("[mailbox]\nmax_message_bytes = \"99999999999999999GiB\"", "25MiB"),
        ("[smtp]\nsent_copy = \"maybe\"", "\"auto\", \"always\", \"never\""),
        ("[smtp]\nverify_ambiguous = \"yes\"", "true or false"),
        ("[network]\nprivate_endpoints = \"a:1\"", "list of texts"),
        ("[network]\nprivate_endpoints = [\"10.0.0.0/8\"]", "host:port"),
        ("[network]\nprivate_endpoints = [\"localhost:0\"]", "host:port"),
        ("[network]\nprivate_endpoints = [\"::1:143\"]", "host:port"),
        ("[network]\nprivate_endpoints = [\"*:143\"]", "host:port"),
        ("[log]\nformat = \"xml\"", "\"text\", \"json\""),
        ("[log]\nfilter = \"\"", "empty"),
        ("[vault]\nkeks_command = []", "a program"),
        ("[platform_key]\nprovider = \"openai\"", "incomplete"),
        ("[platform_key]\nbase_url = \"https://ai.example.org/v1\"", "incomplete"),
        ("[platform_key]\nbase_url = \"ai.example.org/v1\"", "must be a URL"),
        ("[platform_key]\nbase_url = \"ftp://ai.example.org/v1\"", "must be a URL"),
        ("[operator_mail]\nhost = \"smtp.example.org\"", "incomplete"),
        ("[operator_mail]\nfrom = \"Post <post@example.org>\"", "mail address"),
        ("[operator_mail]\nhost = \"h\"\nfrom = \"a@b.test\"\nusername = \"a\"", "without a password"),
        ("[operator_mail]\nsecurity = \"ssl\"", "\"tls\", \"starttls\", \"none\""),
        ("[http]\nlisten = \"8080\"", "address and a port"),
        ("[http]\nlisten = \"localhost:8080\"", "address and a port"),
        ("[http]\npublic_url = \"https://h/\"", "without a slash"),
        ("[http]\npublic_url = \"https://h?x\"", "without a slash"),
        ("[http]\nallowed_origins = [\"*\"]", "origins"),
        ("[http]\nallowed_origins = [\"https://h/\"]", "origins"),
        ("[http]\ntrusted_proxies = [\"proxy\"]", "addresses or networks"),
        ("[http]\nsign_up = \"everybody\"", "\"closed\", \"invite\", \"open\""),
        ("[http]\nsign_ins_per_account = 0", "out of range"),
        ("log = \"info\"", "must be a section"),
    ] {
        let fault = only_fault(text, &[]);
        assert!(fault.contains(said), "{text}: {fault}");
    }
}

#[test]
fn a_number_in_a_variable_is_bounded_as_in_the_file() {
    for number in ["5000000000", "99999999999999999999"] {
        let fault = only_fault("", &[("POSTKEY_WORKER__PER_USER", number)]);
        assert!(fault.contains(&format!("is {number}, which is out of range")), "{fault}");
    }
    for number in ["-1", "many", "1.5"] {
        assert!(only_fault("", &[("POSTKEY_WORKER__PER_USER", number)]).contains("whole number"), "{number}");
    }
}

#[test]
fn values_that_do_not_fit_together_are_refused() {
    let text = "[worker]\nretry_first = \"2h\"\nretry_longest = \"1h\"\nrun_timeout = \"1m\"\n[provider]\ncontext_tokens = 1000\n";
    let faults = faults(text, &[]);
    assert_eq!(faults.len(), 3, "{faults:#?}");
    assert!(faults[0].starts_with("worker.retry_first: is longer than worker.retry_longest"));
    assert!(faults[1].starts_with("worker.run_timeout: "));
    assert!(faults[2].starts_with("provider.max_output_tokens: "));
}

#[test]
fn a_broken_file_names_the_place_and_repeats_no_line() {
    let fault = only_fault("[database]\nurl = \"postgres://u:hunter2@h/d\n", &[]);
    assert!(fault.starts_with("workers.toml:2:"), "{fault}");
    assert!(fault.contains("is not TOML"), "{fault}");
    assert!(!fault.contains("hunter2"), "{fault}");
}

#[test]
fn a_missing_file_is_named() {
    let errors = Config::load(Some(Path::new("/nonexistent/workers.toml")), []).err().unwrap();
    assert!(errors.to_string().contains("/nonexistent/workers.toml: cannot be read"), "{errors}");
}

#[test]
fn a_file_of_another_encoding_names_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("workers.toml");
    fs::write(&path, b"[log]\n# caf\xe9\n").unwrap();
    let errors = Config::load(Some(&path), []).err().unwrap().to_string();
    assert!(errors.contains("workers.toml:2:6: is not UTF-8 text"), "{errors}");
}

#[test]
fn the_environment_overrides_the_file() {
    let variables = [
        ("POSTKEY_DATABASE__URL", "postgres://db/postkey"),
        ("POSTKEY_WORKER__CONCURRENCY", "7"),
        ("POSTKEY_WORKER__LEASE", "90s"),
        ("POSTKEY_MAILBOX__MAX_MESSAGE_BYTES", "1MiB"),
        ("POSTKEY_SMTP__VERIFY_AMBIGUOUS", "true"),
        ("POSTKEY_NETWORK__PRIVATE_ENDPOINTS", "localhost:1143, [::1]:1025"),
        ("POSTKEY_LOG__FORMAT", "json"),
        ("POSTKEY_LOG__FILTER", ""),
        ("POSTKEY_VAULT__KEKS_COMMAND", "pass show postkey"),
    ];
    let config = load("[worker]\nconcurrency = 3\nper_user = 2\n", &variables).unwrap();
    assert_eq!(config.database.url, "postgres://db/postkey");
    assert_eq!((config.worker.concurrency, config.worker.per_user), (7, 2));
    assert_eq!(config.worker.lease, Duration::from_secs(90));
    assert_eq!(config.mailbox.max_message_bytes, 1024 * 1024);
    assert!(config.smtp.verify_ambiguous);
    assert_eq!(config.network.private_endpoints, ["localhost:1143", "[::1]:1025"]);
    assert_eq!((config.log.format, config.log.filter.as_str()), (LogFormat::Json, "info"));
    assert_eq!(config.vault.keks_command.unwrap(), ["pass", "show", "postkey"]);
}

#[test]
fn the_variables_of_the_keys_are_read() {
    let variables =
        [("POSTKEY_KEKS", " k1:secret "), ("POSTKEY_KEK_ACTIVE", "k1"), ("DATABASE_URL", "postgres://x")];
    let config = Config::load(None, owned(&variables)).unwrap();
    assert_eq!(config.vault.keks.unwrap().expose_secret(), "k1:secret");
    assert_eq!(config.vault.active.unwrap(), "k1");
    assert_eq!(config.database.url, "sqlite://postkey.db");
}

#[test]
fn two_sources_of_keys_are_refused() {
    let fault = only_fault("[vault]\nkeks_file = \"/k\"\n", &[("POSTKEY_KEKS", "k1:x")]);
    assert!(fault.starts_with("vault: has several sources"), "{fault}");
}

#[test]
fn keys_are_refused_in_the_file() {
    let fault = only_fault("[vault]\nkeks = \"k1:c2VjcmV0\"\n", &[]);
    assert!(fault.contains("POSTKEY_KEKS") && !fault.contains("c2VjcmV0"), "{fault}");
    let fault = only_fault("", &[("POSTKEY_VAULT__KEKS", "k1:c2VjcmV0")]);
    assert_eq!(fault, "POSTKEY_VAULT__KEKS: is not read; set POSTKEY_KEKS instead");
    let text =
        "[platform_key]\nprovider = \"openai\"\nmodel = \"m\"\napi_key = \"sk-proj-abcdef0123456789\"\n";
    let fault = only_fault(text, &[]);
    assert!(fault.contains("env:NAME") && !fault.contains("sk-proj"), "{fault}");
}

#[test]
fn variables_that_are_no_settings_are_left_alone() {
    let variables = [
        ("POSTKEY_CONFIG", "workers.toml"),
        ("POSTKEY_CORPORA", "/corpora"),
        ("POSTKEY_BENCH_URL", "postgres://x"),
        ("POSTKEY_TEST_POSTGRES", "postgres://x"),
        ("POSTKEY_TEST__ANYTHING", "x"),
        ("OTHER__THING", "x"),
        // Kubernetes and Docker set these for a service named `postkey`, whether anybody wants them or not.
        ("POSTKEY_SERVICE_HOST", "10.0.0.1"),
        ("POSTKEY_SERVICE_PORT_HTTP", "8080"),
        ("POSTKEY_PORT", "tcp://10.0.0.1:8080"),
        ("POSTKEY_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("POSTKEY_DB_PORT_5432_TCP", "tcp://10.0.0.1:5432"),
    ];
    Config::load(None, owned(&variables)).unwrap();
    let errors =
        Config::load(None, owned(&[("POSTKEY_DATABSE__URL", "secret-value")])).err().unwrap().to_string();
    assert!(errors.contains(
        "POSTKEY_DATABSE__URL: unknown variable; the nearest valid one is `POSTKEY_DATABASE__URL`"
    ));
    assert!(!errors.contains("secret-value"));
}

#[test]
fn a_mistyped_variable_names_the_nearest() {
    for (mistyped, nearest) in [
        ("POSTKEY_DATABASE_URL", "POSTKEY_DATABASE__URL"),
        ("POSTKEY_KEK", "POSTKEY_KEKS"),
        ("POSTKEY_KEK_ACTIV", "POSTKEY_KEK_ACTIVE"),
        ("POSTKEY_CONFIG_FILE", "POSTKEY_CONFIG"),
        ("POSTKEY_HTTP_LISTEN", "POSTKEY_HTTP__LISTEN"),
        ("POSTKEY_OPERATOR_MAIL_PORT", "POSTKEY_OPERATOR_MAIL__PORT"),
    ] {
        let fault = only_fault("", &[(mistyped, "secret-value")]);
        let said = format!("{mistyped}: unknown variable; the nearest valid one is `{nearest}`");
        assert!(fault.starts_with(&said) && !fault.contains("secret-value"), "{fault}");
    }
}

#[test]
fn a_filter_that_would_silence_the_log_is_refused() {
    for filter in ["warning", "verbose", "postkey:debug", "info,hyper", "postkey::mailbox"] {
        let fault = only_fault(&format!("[log]\nfilter = \"{filter}\"\n"), &[]);
        assert!(fault.contains("off, error, warn, info, debug, trace"), "{fault}");
    }
    for filter in ["WARN", "off", "warn,postkey::mailbox=debug", "info, hyper=off", "[call{run=1}]=debug"] {
        let config = load(&format!("[log]\nfilter = \"{filter}\"\n"), &[]).unwrap();
        assert_eq!(config.log.filter, filter);
    }
}

#[test]
fn a_command_in_a_variable_is_separated_by_spaces() {
    let fault = only_fault("", &[("POSTKEY_VAULT__KEKS_COMMAND", "pass,show,--token=hunter2")]);
    assert!(fault.contains("separated by spaces") && !fault.contains("hunter2"), "{fault}");
}

#[test]
fn the_platform_key_is_resolved_from_where_the_file_points() {
    let section =
        |key: &str| format!("[platform_key]\nprovider = \"openai\"\nmodel = \"m\"\napi_key = \"{key}\"\n");
    let config = load(&section("env:THEIR_KEY"), &[("THEIR_KEY", "sk-from-environment")]).unwrap();
    assert_eq!(config.platform_key.unwrap().api_key.expose_secret(), "sk-from-environment");
    assert!(only_fault(&section("env:NOT_SET"), &[]).contains("NOT_SET is not set"));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    fs::write(&path, "sk-from-file\n").unwrap();
    let text = section(&format!("file:{}", path.display()));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(only_fault(&text, &[]).contains("chmod 600"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(load(&text, &[]).unwrap().platform_key.unwrap().api_key.expose_secret(), "sk-from-file");
}

#[test]
fn the_operators_mail_password_is_resolved_and_not_shown() {
    let section = |password: &str| {
        format!(
            "[operator_mail]\nhost = \"smtp.example.org\"\nfrom = \"post@example.org\"\nusername = \"post\"\n\
             password = \"{password}\"\n"
        )
    };
    let config = load(&section("env:POST"), &[("POST", "hunter2")]).unwrap();
    let mail = config.operator_mail.clone().unwrap();
    assert_eq!((mail.port, mail.password.clone().unwrap().expose_secret()), (465, "hunter2"));
    let shown = format!("{}{config:?}{mail:?}", config.effective());
    assert!(shown.contains("REDACTED") && !shown.contains("hunter2"), "{shown}");
    let fault = only_fault(&section("hunter2"), &[]);
    assert!(fault.contains("env:NAME") && !fault.contains("hunter2"), "{fault}");
}

#[test]
fn no_secret_is_shown() {
    let text = "[vault]\nkeks_command = [\"show\", \"--token=hunter2\"]\n\
        [platform_key]\nprovider = \"openai\"\nmodel = \"m\"\napi_key = \"env:K\"\nbase_url = \"https://u:hunter2@h/v1?key=hunter2\"\n";
    for url in
        ["postgres://me:hunter2@db/postkey", "postgres://me@db/postkey?password=hunter2&sslmode=require"]
    {
        let config = load(text, &[("K", "sk-hunter2"), ("POSTKEY_DATABASE__URL", url)]).unwrap();
        let (shown, debug) =
            (config.effective(), format!("{config:?} {:?} {:?}", config.vault, config.database));
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(!debug.contains("hunter2"), "{debug}");
        assert!(shown.contains("REDACTED"), "{shown}");
    }
    let config = Config::load(None, owned(&[("POSTKEY_KEKS", "k1:hunter2")])).unwrap();
    assert!(!format!("{config:?}{:?}", config.vault).contains("hunter2"));
    let shown = load("[database]\nurl = \"postgres://me:x@db/d?sslmode=require\"", &[]).unwrap().effective();
    assert!(shown.contains("url = \"postgres://me:REDACTED@db/d?sslmode=require\""), "{shown}");
}
