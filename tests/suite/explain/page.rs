//! What people are shown.

use super::{ASKED, AUTOMATIC, program};

#[tokio::test]
async fn a_person_reads_the_decision_the_letterhead_and_the_words() {
    let program = program();
    program.write("asked.eml", ASKED);
    program.write("away.eml", AUTOMATIC);
    let page = program.run("explain asked.eml away.eml").await.done();
    let expected = "\
asked.eml
  Would be answered. Nothing tells of a robot.
  from        ann@example.org
  answer to   ann.miller@example.org
  to          shop@postkey.example, hello@postkey.example
  subject     Opening hours
  message id  first@example.org
  history     2 lines left out
  | When do you open?

away.eml
  Not answered. It says that a program sent it. (auto_submitted, EM-2)
  from     ann@example.org
  subject  Away
  | I am away until Monday.

";
    assert_eq!(page, expected);
}

#[tokio::test]
async fn nothing_in_a_mail_steers_the_terminal() {
    let program = program();
    let mail = "From: ann@example.org\nSubject: =?utf-8?q?a=1B[2Jb=0D=0Ac?=\n\nHi \x1b[31mred\x1b]0;title\x07\r over\n";
    program.write("a\u{1b}[2J.eml", mail);
    let page = program.run_arguments(&["explain", "a\u{1b}[2J.eml", "missing\u{1b}[2J"]).await;
    let printed = format!("{}{}", page.out, page.err);
    assert!(printed.chars().all(|c| c == '\n' || !c.is_control()), "{printed:?}");
}
