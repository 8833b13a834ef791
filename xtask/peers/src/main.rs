//! `peers [NAME]...`: benchmarks side by side with named peers, and their report.

use peers::groups::{ALL, components, idle};
use peers::run::{self, Wanted};
use peers::statecharts::memory;
use peers::{Outcome, limits};
use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
Usage: peers [NAME]... [--quick] [--write] [--report FOLDER] [--list]
       peers --report-only [--report FOLDER]

  NAME             a group, or one of its tables; without a name, all of them
  --quick          short samples: shows that everything works, yields no figures to quote
  --write          brings the report up to date: BENCHMARKS.md, and benchmarks/ with figures and pictures. Tables that
                   are not measured this time stay as they are. A full run of all groups does so by itself
  --report FOLDER  where the report is; implies --write [default: the current folder]
  --report-only    measures nothing: makes the report anew from the figures in benchmarks/figures.json
  --list           lists groups, tables and rows

A missed target is marked and changes nothing else. A group that goes wrong does not stop the others. The exit code is 1
if any row did its work wrong or a group failed, 2 for wrong usage, 3 if nothing could be measured or written.
";

#[derive(Default)]
struct Arguments {
    names: Vec<String>,
    quick: bool,
    list: bool,
    write: bool,
    report: Option<PathBuf>,
    report_only: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        [idle::SERVER, name, talk, connections] => idle::server_process(name, talk, connections).map(|()| true),
        [idle::CLIENTS, address, talk, connections] => idle::clients_process(address, talk, connections).map(|()| true),
        [memory::PROCESS, whose, count] => memory::process(whose, count).map(|()| true),
        [components::PROCESS, name, count] => components::process(name, count).map(|()| true),
        [run::GROUP, words @ ..] => run::group_process(words),
        words if words.iter().any(|word| matches!(*word, "--help" | "-h")) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => match parse(&words) {
            Ok(arguments) => do_as_told(arguments),
            Err(complaint) => {
                eprint!("peers: {complaint}\n\n{USAGE}");
                return ExitCode::from(2);
            }
        },
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("peers: {error}");
            // Not 1, by which a group's process says that it told its figures and some are wrong.
            ExitCode::from(3)
        }
    }
}

fn parse(words: &[&str]) -> Result<Arguments, String> {
    let mut arguments = Arguments::default();
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        match word {
            "--quick" => arguments.quick = true,
            "--list" => arguments.list = true,
            "--write" => arguments.write = true,
            "--report" => arguments.report = Some(words.next().ok_or("--report needs a folder")?.into()),
            "--report-only" => arguments.report_only = true,
            word if word.starts_with('-') => return Err(format!("unknown option {word}")),
            name if ALL.iter().any(|group| run::chooses(name, group)) => arguments.names.push(name.to_owned()),
            name => {
                let known: Vec<&str> = ALL.iter().map(|group| group.name).collect();
                return Err(format!("there is no {name}; known are {}", known.join(", ")));
            }
        }
    }
    Ok(arguments)
}

fn do_as_told(arguments: Arguments) -> Outcome<bool> {
    let Arguments { names, quick, .. } = arguments;
    if arguments.list {
        return list(&names).map(|()| true);
    }
    let folder = arguments.report.clone().unwrap_or_else(|| PathBuf::from("."));
    if arguments.report_only {
        return run::report_only(&folder).map(|()| true);
    }
    let write = arguments.write || arguments.report.is_some() || (names.is_empty() && !quick);
    run::all(&Wanted {
        names,
        quick,
        report: write.then_some(folder),
    })
}

fn list(names: &[String]) -> Outcome<()> {
    limits::raise_open_files()?;
    for tables in run::tables(names)? {
        println!("{}: {}", tables.group.name, tables.group.about);
        for table in &tables.comparisons {
            println!("  {}", table.name);
            for row in &table.rows {
                println!("    {}", row.name());
            }
        }
    }
    Ok(())
}
