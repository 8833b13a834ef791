//! The line: a shift in which the five models work together. `demo --help` tells the rest.

use std::process::ExitCode;

fn main() -> ExitCode {
    examples::line::main()
}
