//! The `postkey` program.

fn main() -> std::process::ExitCode {
    postkey::cli::main()
}
