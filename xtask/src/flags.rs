//! The command line: one table of commands and their options, from which parsing and `--help` both follow.

use std::fmt::Write as _;

/// One command, as the user sees it.
struct Command {
    name: &'static str,
    /// What may follow the name, for the usage line.
    arguments: &'static str,
    /// One line, for the overview.
    about: &'static str,
    /// What `cargo xtask NAME --help` says beyond that.
    more: &'static str,
    options: &'static [Flag],
    /// The command hands what follows its name to another program, unread.
    passes_on: bool,
}

struct Flag {
    name: &'static str,
    /// The name of its value, if it takes one. A flag with a value may be given several times.
    value: Option<&'static str>,
    about: &'static str,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test-all",
        arguments: "[--fast] [--skip NAME]... [--only NAME]... [--list]",
        about: "Run everything that must pass, and sum it up",
        more: "Runs the steps in order, shows what each one prints, and ends with a table. A step that fails does not\n\
               stop the others. The last line counts the steps: `N passed, N failed, N skipped`.\n\
               Exit code 0: nothing failed. 1: something did. 2: the command line was wrong.",
        options: &[
            Flag {
                name: "--fast",
                value: None,
                about: "leave out the slow steps (the output names them)",
            },
            Flag {
                name: "--skip",
                value: Some("NAME"),
                about: "leave out this step; `interop/CASE` leaves out one case of interop",
            },
            Flag {
                name: "--only",
                value: Some("NAME"),
                about: "run just this step",
            },
            Flag {
                name: "--list",
                value: None,
                about: "name the steps, run nothing",
            },
        ],
        passes_on: false,
    },
    Command {
        name: "demo",
        arguments: "[ARGUMENTS]...",
        about: "See the models work together over real sockets",
        more: "Builds examples/src/bin/demo.rs and runs it with the arguments given; its exit code is passed on.\n\
               --sim runs the same on a simulated network, --serve keeps it running for trying by hand;\n\
               `cargo xtask demo -- --help` shows all options of the demo itself.",
        options: &[],
        passes_on: true,
    },
    Command {
        name: "interop",
        arguments: "[--skip NAME]... [--only NAME]... [--list]",
        about: "Test against the original systems, other real programs, and each model with each",
        more: "Ends with the results, with the matrix of the five models (each as the client of each, on real sockets and\n\
               on the simulated network), and with the other programs and their versions. The case `matrix` alone:\n\
               `cargo xtask interop --only matrix`.\n\
               Needs Python 3 with venv for the originals, which are installed from PyPI into target/interop/venv the\n\
               first time. A case whose other program is not on this machine is shown as absent, with the package to\n\
               install; where the environment says CI=true, absent counts as failed.",
        options: &[
            Flag {
                name: "--skip",
                value: Some("NAME"),
                about: "leave out this case",
            },
            Flag {
                name: "--only",
                value: Some("NAME"),
                about: "run just this case",
            },
            Flag {
                name: "--list",
                value: None,
                about: "name the cases, run nothing",
            },
        ],
        passes_on: false,
    },
    Command {
        name: "bench",
        arguments: "[NAME]... [--quick] [--write] [--list]",
        about: "Measure side by side with other libraries, in one run",
        more: "Builds xtask/peers (into target/peers, optimised: the first time takes minutes) and runs it with the\n\
               arguments given. Without a name it measures everything and writes BENCHMARKS.md with its figures and\n\
               pictures; `--write` brings the named groups up to date in it. `--list` names the benchmarks,\n\
               `--quick` measures each for a short time only.\n\
               `cargo xtask bench -- --help` shows all its options.",
        options: &[],
        passes_on: true,
    },
    Command {
        name: "soak",
        arguments: "[--minutes N | --for TIME] [--seed N]",
        about: "Run all models at once with faults, for 10 minutes, and check the books",
        more: "Builds examples/src/bin/soak.rs, unoptimised and so with all its assertions, and runs it with the arguments\n\
               given; its exit code is passed on. `cargo xtask soak -- --help` tells what it does and checks.",
        options: &[],
        passes_on: true,
    },
    Command {
        name: "tidy",
        arguments: "",
        about: "Check what the compiler, rustfmt and clippy cannot",
        more: "Which crate may depend on which, how many dependencies each may bring, a doc at the top of every source\n\
               file, links that lead nowhere, and the like. Prints `file:line: what is wrong, and the mend`.",
        options: &[],
        passes_on: false,
    },
];

/// What the command line asks for.
pub(crate) enum Parsed {
    /// Print this and stop.
    Help(String),
    /// Run the command of this name.
    Command(&'static str, Given),
}

/// What followed the command's name.
#[derive(Debug, Default)]
pub(crate) struct Given {
    /// Words that are not options; for a command that passes on, everything.
    pub(crate) names: Vec<String>,
    switches: Vec<&'static str>,
    values: Vec<(&'static str, String)>,
}

impl Given {
    /// Whether an option without a value was given.
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.switches.contains(&flag)
    }

    /// The values of an option, in the order given.
    pub(crate) fn values(&self, flag: &str) -> Vec<String> {
        self.values
            .iter()
            .filter(|(name, _)| *name == flag)
            .map(|(_, value)| value.clone())
            .collect()
    }
}

/// Reads the arguments that follow `cargo xtask`.
pub(crate) fn parse(arguments: &[String]) -> Result<Parsed, String> {
    let Some((first, rest)) = arguments.split_first() else {
        return Ok(Parsed::Help(overview()));
    };
    if is_help(first) {
        return match rest.first().and_then(|name| find(name)) {
            Some(command) => Ok(Parsed::Help(help(command))),
            None => Ok(Parsed::Help(overview())),
        };
    }
    let command = find(first).ok_or_else(|| {
        let names: Vec<_> = COMMANDS.iter().map(|command| command.name).collect();
        format!(
            "there is no command `{first}`; there are: {} (see `cargo xtask --help`)",
            names.join(", ")
        )
    })?;
    if rest.first().is_some_and(|word| is_help(word)) {
        return Ok(Parsed::Help(help(command)));
    }
    if command.passes_on {
        let names = match rest.split_first() {
            Some((separator, after)) if separator == "--" => after,
            _ => rest,
        };
        return Ok(Parsed::Command(
            command.name,
            Given {
                names: names.to_vec(),
                ..Given::default()
            },
        ));
    }
    options(command, rest)
}

fn options(command: &'static Command, rest: &[String]) -> Result<Parsed, String> {
    let mut given = Given::default();
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        if is_help(word) {
            return Ok(Parsed::Help(help(command)));
        }
        let (name, attached) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        let Some(flag) = command.options.iter().find(|flag| flag.name == name) else {
            return Err(format!(
                "`cargo xtask {}` does not know `{word}` (see `cargo xtask {0} --help`)",
                command.name
            ));
        };
        match flag.value {
            None if attached.is_some() => return Err(format!("`{name}` takes no value")),
            None => given.switches.push(flag.name),
            Some(kind) => {
                let value = attached.or_else(|| words.next().cloned());
                let value = value.ok_or_else(|| format!("`{name}` needs a {kind} after it"))?;
                given.values.push((flag.name, value));
            }
        }
    }
    Ok(Parsed::Command(command.name, given))
}

fn is_help(word: &str) -> bool {
    matches!(word, "--help" | "-h" | "help")
}

fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

fn overview() -> String {
    let mut text = String::from(
        "Runs what belongs to the workspace as a whole.\n\nUsage: cargo xtask COMMAND [OPTIONS]\n\nCommands:\n",
    );
    for command in COMMANDS {
        let _ = writeln!(text, "  {:<10} {}", command.name, command.about);
    }
    text.push_str("\nStart with `cargo xtask demo`. `cargo xtask COMMAND --help` tells more about one command.\n");
    text
}

fn help(command: &Command) -> String {
    let usage = format!("cargo xtask {} {}", command.name, command.arguments);
    let mut text = format!(
        "{}.\n\nUsage: {}\n\n{}\n",
        command.about,
        usage.trim_end(),
        command.more
    );
    if !command.options.is_empty() {
        text.push_str("\nOptions:\n");
    }
    for flag in command.options {
        let shown = format!("{} {}", flag.name, flag.value.unwrap_or_default());
        let _ = writeln!(text, "  {shown:<13} {}", flag.about);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Parsed, String> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    fn given(line: &str) -> Given {
        match parsed(line) {
            Ok(Parsed::Command(_, given)) => given,
            Ok(Parsed::Help(text)) => panic!("help instead of a command: {text}"),
            Err(text) => panic!("{text}"),
        }
    }

    #[test]
    fn options_come_in_any_order_and_form() {
        let given = given("test-all --skip fmt --fast --skip=docs");
        assert!(given.has("--fast"));
        assert!(!given.has("--list"));
        assert_eq!(given.values("--skip"), ["fmt", "docs"]);
        assert!(given.values("--only").is_empty());
    }

    #[test]
    fn what_the_demo_gets_is_passed_on_unread() {
        assert_eq!(given("demo --sim --seed 4").names, ["--sim", "--seed", "4"]);
        assert_eq!(given("demo -- --help").names, ["--help"]);
    }

    #[test]
    fn each_command_has_help() {
        for command in COMMANDS {
            for line in [format!("{} --help", command.name), format!("help {}", command.name)] {
                match parsed(&line) {
                    Ok(Parsed::Help(text)) => assert!(text.contains("Usage: cargo xtask"), "{text}"),
                    _ => panic!("no help for `{line}`"),
                }
            }
        }
    }

    #[test]
    fn a_mistake_is_named() {
        for (line, words) in [
            ("tset-all", "test-all, demo"),
            ("tidy --now", "`--now`"),
            ("interop --skip", "needs a NAME"),
            ("interop --list=yes", "takes no value"),
        ] {
            match parsed(line) {
                Err(text) => assert!(text.contains(words), "{text}"),
                Ok(_) => panic!("`{line}` was accepted"),
            }
        }
    }
}
