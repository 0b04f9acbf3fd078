//! The command line; see [`manyworlds::cli`].

fn main() -> manyworlds::cli::ExitCode {
    manyworlds::cli::main()
}
