//! The examples of the README, run as they stand there.

use std::net::SocketAddr;
use std::process::Stdio;

use tokio::process::Command;

const README: &str = include_str!("../../../README.md");

/// Runs the first command that calls this path against a server, with these variables, and gives back what it prints.
pub async fn run_example(address: SocketAddr, path: &str, variables: &[(&str, &str)]) -> String {
    let shell = Command::new("sh")
        .arg("-c")
        .arg(example(path).replace("localhost:8080", &address.to_string()))
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output();
    String::from_utf8(shell.await.unwrap().stdout).unwrap()
}

/// The command with its continuation lines.
fn example(path: &str) -> String {
    let mut lines = README.lines().skip_while(|line| !(line.starts_with("curl") && line.contains(path)));
    let mut command = String::new();
    for line in lines.by_ref() {
        command.push_str(line);
        command.push('\n');
        if !line.ends_with('\\') {
            break;
        }
    }
    assert!(!command.is_empty(), "the README has no example of {path}");
    command
}
