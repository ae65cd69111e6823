//! The `switchhook` command.

fn main() -> std::process::ExitCode {
    switchhook::cli::main()
}
