//! Files, folders, standard input, and what is no mail at all.

use std::time::{Duration, Instant};

use super::{ASKED, AUTOMATIC, all, one, program, with_input};

#[tokio::test]
async fn a_folder_stands_for_every_file_below_it_by_name() {
    let program = program();
    std::fs::create_dir_all(program.folder().join("mails/inner/deep")).unwrap();
    for name in ["mails/b.eml", "mails/a.eml", "mails/inner/deep/c", "last.eml"] {
        program.write(name, ASKED);
    }
    let lines = all(&program.run("explain --json mails last.eml").await.done());
    let files: Vec<&str> = lines.iter().map(|line| line["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["mails/a.eml", "mails/b.eml", "mails/inner/deep/c", "last.eml"]);
}

#[tokio::test]
async fn links_that_lead_in_circles_end() {
    let program = program();
    std::fs::create_dir(program.folder().join("mails")).unwrap();
    program.write("mails/a.eml", ASKED);
    std::os::unix::fs::symlink(".", program.folder().join("mails/again")).unwrap();
    assert_eq!(all(&program.run("explain --json mails").await.done()).len(), 1);
}

#[tokio::test]
async fn standard_input_is_a_mail_where_nothing_else_is_named() {
    let program = program();
    for arguments in [&["explain", "--json"][..], &["explain", "--json", "-"]] {
        let line = one(&with_input(&program, arguments, ASKED).await.done());
        assert_eq!((line["file"].as_str(), line["decision"].as_str()), (Some("-"), Some("answer")));
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_told_and_does_not_end_it() {
    let program = program();
    program.write("first.eml", ASKED);
    program.write("last.eml", AUTOMATIC);
    let ended = program.run("explain --json first.eml missing.eml last.eml").await;
    let lines = all(&ended.out);
    let decisions: Vec<_> = lines.iter().map(|line| line["reason"].as_str()).collect();
    assert_eq!(decisions, [None, Some("file_unreadable"), Some("auto_submitted")]);
    assert_eq!((ended.code, ended.err.lines().count()), (1, 2), "{ended:?}");
    assert!(ended.err.contains("missing.eml"), "{ended:?}");
}

#[tokio::test]
async fn files_that_are_no_mails_get_a_line_each() {
    let program = program();
    std::fs::create_dir(program.folder().join("odd")).unwrap();
    program.write("odd/empty", "");
    program.write("odd/zeros", [0; 100_000]);
    program.write("odd/bytes", (0..=255).cycle().take(100_000).collect::<Vec<u8>>());
    program.write("odd/returns", "\r".repeat(100_000));
    program.write("odd/open", "From: \"ann\nContent-Type: multipart/mixed; boundary=\n\n--\n----");
    let lines = all(&program.run("explain --json odd").await.done());
    assert_eq!(lines.len(), 5);
    assert!(lines.iter().all(|line| line["decision"] == "skip"), "{lines:?}");
}

#[tokio::test]
async fn em_107_a_mail_beyond_the_cap_is_cut_and_the_next_one_read() {
    let program = program();
    let big = format!("{ASKED}\n{}", "> and so on\n".repeat(26 * 1024 * 1024 / 12));
    program.write("big.eml", &big);
    program.write("last.eml", ASKED);
    let lines = all(&program.run("explain --json big.eml last.eml").await.done());
    let flags: Vec<&str> =
        lines[0]["flags"].as_array().unwrap().iter().filter_map(|flag| flag.as_str()).collect();
    assert!(flags.contains(&"message_cut"), "{flags:?}");
    assert_eq!(lines[1]["visible_text"], "When do you open?");
}

#[tokio::test]
async fn three_thousand_mails_end_soon() {
    let program = program();
    std::fs::create_dir(program.folder().join("mails")).unwrap();
    for number in 0..3000 {
        program.write(&format!("mails/{number}.eml"), ASKED);
    }
    let started = Instant::now();
    let printed = program.run("explain --json mails").await.done();
    // Unoptimised, and beside all the other tests.
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    assert_eq!(printed.matches("\"decision\":\"answer\"").count(), 3000);
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_error() {
    let program = program();
    std::fs::create_dir(program.folder().join("mails")).unwrap();
    for number in 0..2000 {
        program.write(&format!("mails/{number}.eml"), ASKED);
    }
    let mut command = program.command(&["explain", "--json", "mails"]);
    let pipe = std::process::Stdio::piped;
    let mut child = command.stdout(pipe()).stderr(pipe()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().await.unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[tokio::test]
async fn an_address_or_id_that_is_none_is_refused() {
    let program = program();
    for arguments in [["explain", "--self", "ann"], ["explain", "--sent", "a b"]] {
        let ended = program.run_arguments(&arguments).await;
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains("such as"), "{ended:?}");
    }
}
