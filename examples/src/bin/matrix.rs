//! Tries each of the five models as the client of each, on both backends, and prints what came of it as a table.

use std::process::ExitCode;

use examples::matrix::{Backend, Model, check};

const HELP: &str = "\
matrix: each of the five models as the client of each, over the operating system's sockets and a simulated network.

Rows are clients, columns servers; each cell says `ok` or `FAILED` for the operating system, then for the simulated network.
Each pair: all bytes of a conversation, an orderly end on both sides, a client that is reset in the middle of an answer and
must say so, and another one that is served as if nothing had been. Exit code 0 only if all of them did. No options.
";

/// The width of a column.
const WIDTH: usize = 17;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        None => {}
        Some("-h" | "--help") => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Some(other) => {
            eprintln!("matrix: it takes no arguments, so {other:?} means nothing to it");
            return ExitCode::from(2);
        }
    }
    let mut failures = Vec::new();
    let servers: Vec<_> = Model::ALL.iter().map(|server| format!("{server:<WIDTH$}")).collect();
    let [os, simulated] = Backend::ALL;
    println!("{:<WIDTH$}  {}", "client \\ server", servers.join("  ").trim_end());
    for client in Model::ALL {
        let cells: Vec<_> = Model::ALL
            .iter()
            .map(|server| {
                let marks = Backend::ALL.map(|backend| match check(client, *server, backend) {
                    Ok(()) => "ok",
                    Err(error) => {
                        failures.push(format!("{client} with {server}, {backend}: {error}"));
                        "FAILED"
                    }
                });
                format!("{:<WIDTH$}", marks.join("/"))
            })
            .collect();
        println!("{client:<WIDTH$}  {}", cells.join("  ").trim_end());
    }
    let pairs = Model::ALL.len() * Model::ALL.len();
    println!(
        "{} of {} as they should be ({os}/{simulated})",
        pairs * 2 - failures.len(),
        pairs * 2
    );
    for failure in &failures {
        eprintln!("{failure}");
    }
    if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
