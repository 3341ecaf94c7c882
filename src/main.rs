//! The `nodepods` binary: `cli::main` does everything.
fn main() -> std::process::ExitCode {
    nodepods::cli::main()
}
