//! Every example of every crate is run, by this step or by a test that knows more about it.

use std::path::Path;
use std::time::Duration;

use crate::step::Verdict;
use crate::workspace::{self, Member};
use crate::{Outcome, child};

/// How long an example may take that runs to its end by itself.
const LIMIT: Duration = Duration::from_secs(120);

/// What runs an example.
enum By {
    /// This step, with these arguments: it ends by itself, and well.
    Itself(&'static [&'static str]),
    /// This step: it serves until it is killed, and its first line begins so.
    Serving(&'static [&'static str], &'static str),
    /// Something else, in this file, which names it in quotes.
    Other(&'static str),
}

use By::{Itself, Other, Serving};

/// An entry for each example that there is, by crate and name.
const EXAMPLES: &[(&str, &str, By)] = &[
    ("components", "chat", Other("components/tests/examples.rs")),
    ("components", "echo_client", Other("components/tests/examples.rs")),
    ("components", "echo_server", Other("components/tests/examples.rs")),
    ("components", "news_ticker", Other("components/tests/examples.rs")),
    ("components", "port_forwarder", Other("components/tests/examples.rs")),
    ("components", "reframe", Other("components/tests/examples.rs")),
    ("components", "tls_upgrade", Other("components/tests/examples.rs")),
    ("hsms", "codec", Itself(&[])),
    ("hsms", "process_job", Itself(&["--simulated"])),
    ("hsms", "round_trips", Itself(&["--quick"])),
    ("hsms", "secsgem_peer", Itself(&["make", "100"])),
    ("net-core", "lines", Itself(&[])),
    ("net-core", "tls", Itself(&[])),
    ("oneline", "minimal", Itself(&[])),
    ("oneline", "router", Itself(&[])),
    ("oneline", "stateful", Itself(&[])),
    ("sim-io", "bank_renege", Other("sim-io/tests/examples.rs")),
    ("sim-io", "car_charging", Other("sim-io/tests/examples.rs")),
    ("sim-io", "chat_room", Other("sim-io/tests/examples.rs")),
    ("sim-io", "gas_station", Other("sim-io/tests/examples.rs")),
    ("sim-io", "http_echo", Serving(&["tcp://127.0.0.1:0"], "listening on ")),
    ("sim-io", "machine_shop", Other("sim-io/tests/examples.rs")),
    ("sim-io", "message_round_trips", Itself(&["--quick"])),
    ("sim-io", "messages", Other("sim-io/tests/examples.rs")),
    (
        "sim-io",
        "mosaik_controller",
        Serving(&["127.0.0.1:0"], "listening on "),
    ),
    ("sim-io", "mosaik_simulator", Serving(&["127.0.0.1:0"], "listening on ")),
    ("sim-io", "movie_renege", Other("sim-io/tests/examples.rs")),
    ("sim-io", "packets", Other("sim-io/tests/examples.rs")),
    (
        "sim-io",
        "protocol_peer",
        Serving(&["serve", "message"], "listening on "),
    ),
    ("sim-io", "real_round_trips", Itself(&["--quick"])),
    ("sim-io", "replay", Other("sim-io/tests/network_replay.rs")),
    ("sim-io", "sockets", Other("sim-io/tests/examples.rs")),
    ("sim-io", "timeouts", Itself(&["100000", "1", "1000"])),
    ("sim-io", "virtual_round_trips", Itself(&["--quick"])),
    ("sim-io", "web_round_trips", Itself(&["1000"])),
    ("statechart-bridge", "http_echo_chart", Serving(&["0"], "listening on ")),
];

/// Runs those that nothing else runs.
pub(crate) fn run() -> Verdict {
    let members = match workspace::members() {
        Ok(members) => members,
        Err(why) => return Verdict::Failed(why),
    };
    let mut failed = unknown(&members, workspace::root());
    for (package, name, by) in EXAMPLES {
        let outcome = match by {
            Itself(arguments) => to_its_end(package, name, arguments),
            Serving(arguments, first) => until_it_serves(package, name, arguments, first),
            Other(_) => continue,
        };
        if let Err(text) = outcome {
            println!("{text}");
            failed.push(format!("{package}/{name}"));
        }
    }
    if failed.is_empty() {
        let here = EXAMPLES.iter().filter(|(_, _, by)| !matches!(by, Other(_))).count();
        Verdict::PassedWith(format!("{here} here, {} by tests", EXAMPLES.len() - here))
    } else {
        Verdict::Failed(failed.join(", "))
    }
}

/// What is wrong with the table: an example without an entry, an entry without an example, a test that does not name it.
fn unknown(members: &[Member], root: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    for member in members.iter().filter(|member| member.published) {
        for name in &member.examples {
            if !EXAMPLES
                .iter()
                .any(|(package, known, _)| *package == member.name && known == name)
            {
                wrong.push(format!("{}/{name} has no entry in xtask/src/examples.rs", member.name));
            }
        }
    }
    for (package, name, by) in EXAMPLES {
        let member = members.iter().find(|member| member.name == *package);
        if !member.is_some_and(|member| member.examples.iter().any(|known| known == name)) {
            wrong.push(format!("{package}/{name} is no more"));
        }
        if let Other(file) = by
            && !std::fs::read_to_string(root.join(file)).is_ok_and(|text| text.contains(&format!("\"{name}\"")))
        {
            wrong.push(format!("{file} says nothing of {name}"));
        }
    }
    wrong
}

fn to_its_end(package: &str, name: &str, arguments: &[&str]) -> Outcome<()> {
    let mut command = built(package, name, arguments)?;
    println!("$ {}", child::shown(&command));
    child::capture(&mut command, LIMIT).map(drop)
}

fn until_it_serves(package: &str, name: &str, arguments: &[&str], first: &str) -> Outcome<()> {
    let mut command = built(package, name, arguments)?;
    println!("$ {}", child::shown(&command));
    let line = child::Running::start(&mut command)?.line(LIMIT)?;
    if line.starts_with(first) {
        Ok(())
    } else {
        Err(format!("`{}` says `{line}`, not `{first}…`", child::shown(&command)))
    }
}

/// The example, built before the clock starts to run.
fn built(package: &str, name: &str, arguments: &[&str]) -> Outcome<std::process::Command> {
    let mut command = std::process::Command::new(child::build_example(package, name)?);
    command.args(arguments);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_knows_every_example_and_no_other() {
        let members = workspace::members().unwrap();
        assert_eq!(unknown(&members, workspace::root()), Vec::<String>::new());
    }
}
