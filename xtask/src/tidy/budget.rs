//! How many other crates a user of one of ours compiles: a number that only grows on purpose.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Problem;
use crate::workspace::Member;
use crate::{Outcome, child};

/// The most crates that a member may bring, itself not counted.
struct Budget {
    member: &'static str,
    features: Features,
    most: usize,
    /// Why it needs that many.
    reason: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Features {
    None,
    Default,
    /// What the crate is as a library, where the default brings a program too.
    Library,
    All,
}

impl Features {
    fn flags(self) -> &'static [&'static str] {
        match self {
            Self::None => &["--no-default-features"],
            Self::Default => &[],
            Self::Library => &["--no-default-features", "--features", "os,tls,tracing"],
            Self::All => &["--all-features"],
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::None => "without features",
            Self::Default => "with default features",
            Self::Library => "with os, tls and tracing",
            Self::All => "with all features",
        }
    }
}

/// The one place where a budget is raised. The normal dependencies of this platform count, those of tests and build
/// scripts do not.
const BUDGETS: &[Budget] = &[
    Budget {
        member: "net-core",
        features: Features::None,
        most: 6,
        reason: "tokio's traits, bytes, memchr",
    },
    Budget {
        member: "net-core",
        features: Features::Default,
        most: 26,
        reason: "sockets, rustls with ring, tracing",
    },
    Budget {
        member: "net-core",
        features: Features::All,
        most: 30,
        reason: "tokio-util's codecs besides",
    },
    Budget {
        member: "oneline",
        features: Features::None,
        most: 6,
        reason: "net-core",
    },
    Budget {
        member: "oneline",
        features: Features::Library,
        most: 26,
        reason: "net-core with sockets and TLS",
    },
    // With oneline itself: 40.
    Budget {
        member: "oneline",
        features: Features::Default,
        most: 39,
        reason: "the program: clap, rustyline, a filter of the log; a library user goes without",
    },
    Budget {
        member: "components",
        features: Features::None,
        most: 12,
        reason: "net-core, and the traits Stream and Sink",
    },
    Budget {
        member: "components",
        features: Features::Default,
        most: 40,
        reason: "net-core with sockets and TLS, the derive macro, serde_json for pictures",
    },
    Budget {
        member: "components-derive",
        features: Features::Default,
        most: 5,
        reason: "syn, quote and proc-macro2",
    },
    Budget {
        member: "sim-io",
        features: Features::None,
        most: 6,
        reason: "the simulator alone: net-core without the operating system",
    },
    Budget {
        member: "sim-io",
        features: Features::Default,
        most: 18,
        reason: "real sockets: mio, rustix, socket2; messages: serde_json",
    },
    Budget {
        member: "sim-io",
        features: Features::All,
        most: 65,
        reason: "hyper, tungstenite with its sha1 and rand, MessagePack and CBOR besides",
    },
    Budget {
        member: "hsms",
        features: Features::None,
        most: 12,
        reason: "net-core, bytes, and select from tokio's macros",
    },
    Budget {
        member: "hsms",
        features: Features::Library,
        most: 30,
        reason: "net-core with sockets and TLS, and select from tokio's macros",
    },
    Budget {
        member: "hsms",
        features: Features::Default,
        most: 58,
        reason: "the program: clap, rustyline, log output; a library user goes without",
    },
    Budget {
        member: "hsms-derive",
        features: Features::Default,
        most: 4,
        reason: "syn and quote",
    },
    Budget {
        member: "statechart-bridge",
        features: Features::None,
        most: 16,
        reason: "net-core, indexmap for maps in order, the trait Stream",
    },
    Budget {
        member: "statechart-bridge",
        features: Features::Library,
        most: 36,
        reason: "net-core with sockets and TLS, indexmap, the trait Stream",
    },
    Budget {
        member: "statechart-bridge",
        features: Features::Default,
        most: 48,
        reason: "the program: clap; model files: roxmltree; a library user goes without",
    },
];

pub(super) fn check(members: &[Member]) -> Outcome<Vec<Problem>> {
    let mut problems = unbudgeted(members);
    for budget in BUDGETS
        .iter()
        .filter(|budget| members.iter().any(|member| member.name == budget.member))
    {
        let mut command = child::cargo();
        command.args([
            "tree",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--no-dedupe",
            "--package",
            budget.member,
        ]);
        command.args(budget.features.flags());
        let tree = child::capture(&mut command, Duration::from_secs(300))?;
        problems.extend(over(budget, &dependencies(&tree)));
    }
    Ok(problems)
}

fn unbudgeted(members: &[Member]) -> Vec<Problem> {
    let published = members.iter().filter(|member| member.published);
    published
        .filter(|member| !BUDGETS.iter().any(|budget| budget.member == member.name))
        .map(|member| {
            let what = "a published crate without a budget: add its lines in xtask/src/tidy/budget.rs";
            Problem::new(format!("{}/Cargo.toml", member.folder), 0, what)
        })
        .collect()
}

/// The crates in the output of `cargo tree`, each once; its first line is the member itself.
fn dependencies(tree: &str) -> BTreeSet<String> {
    let word = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let mut lines = tree.lines().map(word);
    let own = lines.next().unwrap_or_default();
    lines.filter(|line| !line.is_empty() && *line != own).collect()
}

fn over(budget: &Budget, dependencies: &BTreeSet<String>) -> Option<Problem> {
    if dependencies.len() <= budget.most {
        return None;
    }
    let names: Vec<_> = dependencies.iter().map(String::as_str).collect();
    let what = format!(
        "brings {} crates {}, the budget is {} ({}): do without one, or raise it in xtask/src/tidy/budget.rs and say why \
         [{}]",
        dependencies.len(),
        budget.features.words(),
        budget.most,
        budget.reason,
        names.join(", ")
    );
    Some(Problem::new(format!("{}/Cargo.toml", budget.member), 0, what))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const TREE: &str = "net-core v0.1.0 (/w/net-core)\nbytes v1.12.1\nmemchr v2.8.3\ntokio v1.54.1\nbytes v1.12.1\n";

    #[test]
    fn each_crate_counts_once() {
        let names: Vec<_> = dependencies(TREE).into_iter().collect();
        assert_eq!(names, ["bytes v1.12.1", "memchr v2.8.3", "tokio v1.54.1"]);
    }

    #[test]
    fn one_too_many_is_a_problem() {
        let budget = |most| Budget {
            member: "net-core",
            features: Features::Default,
            most,
            reason: "tokio",
        };
        assert_eq!(over(&budget(3), &dependencies(TREE)), None);
        let problem = over(&budget(2), &dependencies(TREE)).unwrap();
        assert!(
            problem
                .what
                .starts_with("brings 3 crates with default features, the budget is 2"),
            "{problem}"
        );
    }

    #[test]
    fn a_published_crate_needs_a_budget() {
        let member = |name: &str, published| Member {
            name: name.into(),
            folder: name.into(),
            published,
            features: BTreeMap::new(),
            dependencies: Vec::new(),
            examples: Vec::new(),
        };
        let members = [
            member("net-core", true),
            member("newcomer", true),
            member("tool", false),
        ];
        assert_eq!(unbudgeted(&members).len(), 1);
    }
}
