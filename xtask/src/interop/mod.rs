//! `cargo xtask interop`: our programs against the original systems and against other real programs.
//!
//! Everything runs on 127.0.0.1 or in a folder of its own, every wait has a limit, and what a case starts is killed when
//! the case is over. A new case is a function and a line in [`CASES`].

mod kamaelia;
mod matrix;
mod oneline;
mod original;
mod programs;
mod python;
mod secsgem;
mod simpy_io;
mod statechart;
mod tools;
mod web;
mod world;

use std::env;

use crate::flags::Given;
use crate::step::{Results, Verdict};
use crate::{Outcome, child};

use world::World;

/// One thing that is shown by trying it.
struct Case {
    name: &'static str,
    shows: &'static str,
    /// A program that the case needs, and the package that brings it.
    needs: Option<(&'static str, &'static str)>,
    /// The originals in it, by their names on PyPI.
    originals: &'static [&'static str],
    /// What it found out beyond "it works", or what went wrong.
    run: fn(&mut World) -> Outcome<String>,
}

const CASES: &[Case] = &[
    Case {
        name: "matrix",
        shows: "each of the five models as the client of each, on real sockets and on the simulated network",
        needs: None,
        originals: &[],
        run: matrix::run,
    },
    Case {
        name: "oneline-client-original",
        shows: "the original's OnelineClient works with `oneline serve`, with its rules and ours",
        needs: None,
        originals: &["socket-oneline"],
        run: original::client,
    },
    Case {
        name: "oneline-server-original",
        shows: "`oneline connect` works with the original's OnelineServer",
        needs: None,
        originals: &["socket-oneline"],
        run: original::server,
    },
    Case {
        name: "simpy-io-client",
        shows: "mosaik-simpy-io's packets, messages and calls work with a server of sim-io",
        needs: None,
        originals: &["mosaik-simpy-io"],
        run: simpy_io::client,
    },
    Case {
        name: "simpy-io-server",
        shows: "sim-io's packets, messages and calls work with mosaik-simpy-io's server",
        needs: None,
        originals: &["mosaik-simpy-io"],
        run: simpy_io::server,
    },
    Case {
        name: "secsgem-active",
        shows: "secsgem's host works with an equipment of hsms, up to 16 MiB, and comes back after Separate",
        needs: None,
        originals: &["secsgem"],
        run: secsgem::active,
    },
    Case {
        name: "secsgem-passive",
        shows: "a host of hsms works with secsgem's equipment, up to 16 MiB, and comes back after Separate",
        needs: None,
        originals: &["secsgem"],
        run: secsgem::passive,
    },
    Case {
        name: "secsgem-items",
        shows: "secsgem's items and texts of items are ours, and ours are secsgem's",
        needs: None,
        originals: &["secsgem"],
        run: secsgem::items,
    },
    Case {
        name: "mosaik-channel",
        shows: "mosaik-api-v3's channel works with a message server of sim-io, failures included",
        needs: None,
        originals: &["mosaik-api-v3"],
        run: web::mosaik_channel,
    },
    Case {
        name: "mosaik-scenario",
        shows: "mosaik 3 plays scenarios with a simulator of sim-io, which it connects to or starts",
        needs: None,
        originals: &["mosaik", "mosaik-api-v3"],
        run: web::mosaik_scenario,
    },
    Case {
        name: "mosaik-reverse",
        shows: "a simulator of sim-io asks mosaik 3 in return: progress, relations, data, events; refusals are heard",
        needs: None,
        originals: &["mosaik", "mosaik-api-v3"],
        run: web::mosaik_reverse,
    },
    Case {
        name: "websockets",
        shows: "Python's websockets chats in sim-io's room",
        needs: None,
        originals: &["websockets"],
        run: web::chat,
    },
    Case {
        name: "curl",
        shows: "curl works with sim-io's HTTP server",
        needs: Some(("curl", "curl")),
        originals: &[],
        run: web::curl,
    },
    Case {
        name: "kamaelia-client",
        shows: "Kamaelia's TCPClient works with an echo server of components",
        needs: None,
        originals: &["kamaelia"],
        run: kamaelia::client,
    },
    Case {
        name: "kamaelia-server",
        shows: "a TcpClient of components works with Kamaelia's SimpleServer",
        needs: None,
        originals: &["kamaelia"],
        run: kamaelia::server,
    },
    Case {
        name: "components-socat",
        shows: "socat is echoed over TLS, though it closes its side at once",
        needs: Some(("socat", "socat")),
        originals: &[],
        run: kamaelia::socat,
    },
    Case {
        name: "components-openssl",
        shows: "openssl s_client verifies an echo server of components, and is echoed",
        needs: Some(("openssl", "openssl")),
        originals: &[],
        run: kamaelia::openssl,
    },
    Case {
        name: "python-language",
        shows: "Python says what the table says that the action language of statechart-bridge is tested with",
        needs: Some(("python3", "python3")),
        originals: &[],
        run: python::language,
    },
    Case {
        name: "statechart-curl",
        shows: "curl is echoed by the statechart that serves HTTP, a thousand parallel requests too, and so is our client",
        needs: Some(("curl", "curl")),
        originals: &[],
        run: statechart::curl,
    },
    Case {
        name: "nc",
        shows: "netcat is answered, though it closes its side at once",
        needs: Some(("nc", "netcat-openbsd")),
        originals: &[],
        run: tools::nc,
    },
    Case {
        name: "socat",
        shows: "socat is answered, though it closes its side at once",
        needs: Some(("socat", "socat")),
        originals: &[],
        run: tools::socat,
    },
    Case {
        name: "openssl",
        shows: "openssl s_client verifies our certificate, is answered, sees TLS closed properly",
        needs: Some(("openssl", "openssl")),
        originals: &[],
        run: tools::openssl,
    },
];

/// Whether the user named cases that there are.
pub(crate) fn check(given: &Given) -> Outcome<()> {
    check_names(&given.values("--skip"))?;
    check_names(&given.values("--only"))
}

/// Runs what the user asked for. `Ok(false)`: a case failed.
pub(crate) fn run(given: &Given) -> Outcome {
    if given.has("--list") {
        for case in CASES {
            println!("{:<24} {}", case.name, case.shows);
        }
        return Ok(true);
    }
    run_cases(&given.values("--skip"), &given.values("--only"))
}

/// Runs all cases but these.
pub(crate) fn run_without(skip: &[String]) -> Outcome {
    run_cases(skip, &[])
}

/// Whether each is the name of a case.
pub(crate) fn check_names(names: &[String]) -> Outcome<()> {
    match names.iter().find(|name| !CASES.iter().any(|case| case.name == *name)) {
        Some(name) => Err(format!(
            "there is no interop case `{name}`; `cargo xtask interop --list` names them"
        )),
        None => Ok(()),
    }
}

fn run_cases(skip: &[String], only: &[String]) -> Outcome {
    let must_be_there = env::var("CI").is_ok_and(|value| value == "true");
    let mut world = World::new()?;
    let mut results = Results::default();
    for case in CASES {
        let named = |names: &[String]| names.iter().any(|name| name == case.name);
        if named(skip) {
            results.note(case.name, Verdict::Skipped(format!("--skip {}", case.name)));
            continue;
        }
        if !only.is_empty() && !named(only) {
            continue;
        }
        if let Some((program, package)) = case.needs.filter(|(program, _)| child::which(program).is_none()) {
            let how = format!("no `{program}` on this machine (apt-get install {package})");
            let verdict = if must_be_there {
                Verdict::Failed(format!("{how}, and CI=true"))
            } else {
                Verdict::Absent(how)
            };
            results.note(case.name, verdict);
            continue;
        }
        println!("{} …", case.name);
        results.run(case.name, || match (case.run)(&mut world) {
            Ok(note) => Verdict::PassedWith(format!("{} ({note})", case.shows)),
            Err(why) => Verdict::Failed(why),
        });
    }
    println!("\n{}", results.table().trim_end());
    if let Some(table) = world.matrix() {
        println!("\nThe five models with each other:\n{table}");
    }
    let programs = programs::table(CASES, &results, &world);
    if !programs.is_empty() {
        println!("\nThe other programs:\n{programs}");
    }
    let [ok, failed, absent, skipped] = ["ok", "FAILED", "absent", "skipped"].map(|word| results.count(&[word]));
    println!("\ninterop: {ok} ok, {failed} failed, {absent} absent, {skipped} skipped");
    Ok(!results.any_failed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_cases_are_unique_and_known() {
        for (position, case) in CASES.iter().enumerate() {
            assert!(
                CASES.iter().skip(position + 1).all(|other| other.name != case.name),
                "{} twice",
                case.name
            );
            assert!(check_names(&[case.name.to_owned()]).is_ok());
        }
        assert!(check_names(&["nobody".to_owned()]).unwrap_err().contains("nobody"));
    }
}
