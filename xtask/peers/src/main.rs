//! `peers [NAME]... [--quick] [--list] [--markdown FILE]`: benchmarks side by side with named peers.

use peers::groups::{ALL, Group, idle};
use peers::harness::{Comparison, Effort, Results};
use peers::{Outcome, document, limits, machine, report};
use std::env;
use std::fs;
use std::io::{ErrorKind, IsTerminal, Write, stderr};
use std::process::ExitCode;

const USAGE: &str = "\
Usage: peers [NAME]... [--quick] [--list] [--markdown FILE]

  NAME             a group, or one of its tables; without a name, all of them
  --quick          short samples: shows that everything works, yields no figures to quote
  --list           lists groups, tables and rows
  --markdown FILE  puts the tables into a Markdown file, too: between its marks, beside the tables it has

A missed target is marked and changes nothing else. The exit code is 1 if a row did its work wrong, 2 for wrong usage.
";

struct Arguments {
    names: Vec<String>,
    quick: bool,
    list: bool,
    markdown: Option<String>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        [idle::SERVER, name, connections] => idle::server_process(name, connections).map(|()| true),
        [idle::CLIENTS, address, connections] => idle::clients_process(address, connections).map(|()| true),
        ["--help" | "-h"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => match parse(&words) {
            Ok(arguments) if arguments.list => list(&arguments.names).map(|()| true),
            Ok(arguments) => run(&arguments),
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
            ExitCode::FAILURE
        }
    }
}

fn parse(words: &[&str]) -> Result<Arguments, String> {
    let mut arguments = Arguments {
        names: Vec::new(),
        quick: false,
        list: false,
        markdown: None,
    };
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        match word {
            "--quick" => arguments.quick = true,
            "--list" => arguments.list = true,
            "--markdown" => arguments.markdown = Some((*words.next().ok_or("--markdown needs a file")?).to_owned()),
            word if word.starts_with('-') => return Err(format!("unknown option {word}")),
            name if ALL.iter().any(|group| chooses(name, group)) => arguments.names.push(name.to_owned()),
            name => {
                let known: Vec<&str> = ALL.iter().map(|group| group.name).collect();
                return Err(format!("there is no {name}; known are {}", known.join(", ")));
            }
        }
    }
    Ok(arguments)
}

fn chooses(name: &str, group: &Group) -> bool {
    name.split('/').next() == Some(group.name)
}

/// The tables that were asked for.
fn comparisons(names: &[String]) -> Outcome<Vec<Comparison>> {
    let mut chosen = Vec::new();
    for group in ALL
        .iter()
        .filter(|group| names.is_empty() || names.iter().any(|name| chooses(name, group)))
    {
        let tables = (group.build)()?;
        let wanted = |table: &Comparison| {
            names.is_empty() || names.iter().any(|name| *name == group.name || *name == table.name)
        };
        chosen.extend(tables.into_iter().filter(wanted));
    }
    if chosen.is_empty() {
        Err("no such table; --list shows them".into())
    } else {
        Ok(chosen)
    }
}

fn list(names: &[String]) -> Outcome<()> {
    let tables = comparisons(names)?;
    for group in ALL {
        let own: Vec<_> = tables.iter().filter(|table| chooses(&table.name, group)).collect();
        if !own.is_empty() {
            println!("{}: {}", group.name, group.about);
        }
        for table in own {
            println!("  {}", table.name);
            for row in &table.rows {
                println!("    {}", row.name());
            }
        }
    }
    Ok(())
}

/// Runs the tables; tells whether all work was done right.
fn run(arguments: &Arguments) -> Outcome<bool> {
    let effort = if arguments.quick { Effort::QUICK } else { Effort::FULL };
    limits::raise_open_files()?;
    let tables = comparisons(&arguments.names)?;
    let mut machine = machine::line();
    if arguments.quick {
        machine.push_str(". Quick: short samples, a tenth of the work, one round that counts; not to be quoted");
    }
    println!("{machine}\n{}\n", report::LEGEND);
    let mut done = Vec::new();
    let mut right = true;
    for table in tables {
        let name = table.name.clone();
        let moment = machine::moment();
        let results = table.run(&effort, |round, row| status(&format!("{name}, round {round}: {row}")))?;
        status("");
        println!("{}  {moment}\n", report::text(&results));
        done.push((name, format!("{}\n{machine}; {moment}.\n", report::markdown(&results))));
        right &= !Results::wrong(&results);
    }
    if let Some(file) = &arguments.markdown {
        let order: Vec<String> = comparisons(&[])?.into_iter().map(|table| table.name).collect();
        let old = match fs::read_to_string(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            old => Some(old?),
        };
        fs::write(file, document::update(old.as_deref(), &done, &order))?;
    }
    Ok(right)
}

/// Shows on a terminal what is going on, on a line that the next one overwrites.
fn status(text: &str) {
    if stderr().is_terminal() {
        let _ = write!(stderr(), "\r\x1b[K{text}");
    }
}
