//! Which crate may depend on which: the one direction of the design, adapter → net-core.

use super::Problem;
use crate::workspace::{Kind, Member};

/// What one member may use of the others.
struct Rule {
    member: &'static str,
    /// In what it brings to its users.
    uses: Uses,
    /// And besides, in its tests.
    in_tests: &'static [&'static str],
}

enum Uses {
    /// These, and crates nested in its own folder.
    Only(&'static [&'static str]),
    /// Any that is published.
    Published,
}

/// `sim-io` in tests: the simulated network is how the others test what waits.
const RULES: &[Rule] = &[
    Rule {
        member: "net-core",
        uses: Uses::Only(&[]),
        in_tests: &["sim-io"],
    },
    Rule {
        member: "oneline",
        uses: Uses::Only(&["net-core"]),
        in_tests: &["sim-io"],
    },
    Rule {
        member: "sim-io",
        uses: Uses::Only(&["net-core"]),
        in_tests: &[],
    },
    Rule {
        member: "hsms",
        uses: Uses::Only(&["net-core"]),
        in_tests: &["sim-io"],
    },
    Rule {
        member: "components",
        uses: Uses::Only(&["net-core"]),
        in_tests: &["sim-io"],
    },
    Rule {
        member: "statechart-bridge",
        uses: Uses::Only(&["net-core"]),
        in_tests: &["sim-io"],
    },
    Rule {
        member: "examples",
        uses: Uses::Published,
        in_tests: &[],
    },
    // A newcomer waits for it to compile: it uses none of them.
    Rule {
        member: "xtask",
        uses: Uses::Only(&[]),
        in_tests: &[],
    },
];

pub(super) fn check(members: &[Member]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for member in members {
        let manifest = format!("{}/Cargo.toml", member.folder);
        let rule = RULES.iter().find(|rule| rule.member == member.name);
        let nested_in = member.folder.split_once('/').map(|(outer, _)| outer);
        if rule.is_none() && nested_in.is_none() {
            let what = "a member without a rule: say in xtask/src/tidy/direction.rs what it may depend on";
            problems.push(Problem::new(&manifest, 0, what));
            continue;
        }
        for dependency in &member.dependencies {
            let Some(other) = members.iter().find(|other| other.name == dependency.name) else {
                continue;
            };
            let in_tests = dependency.kind == Kind::Dev;
            let own = other.name == member.name || other.folder.starts_with(&format!("{}/", member.folder));
            let allowed = own
                || match rule {
                    // A nested crate (a macro) may use the crate around it in its tests.
                    None => in_tests && nested_in == Some(other.folder.as_str()),
                    Some(rule) => {
                        let listed = match rule.uses {
                            Uses::Only(names) => names.contains(&other.name.as_str()),
                            Uses::Published => other.published,
                        };
                        listed || in_tests && rule.in_tests.contains(&other.name.as_str())
                    }
                };
            if !allowed {
                let (here, there) = (&member.name, &other.name);
                let where_from = if in_tests { " in its tests" } else { "" };
                let what = format!("{here} must not depend on {there}{where_from}: {}", mend(rule));
                problems.push(Problem::new(&manifest, 0, what));
            }
        }
    }
    problems
}

fn mend(rule: Option<&Rule>) -> String {
    match rule.map(|rule| &rule.uses) {
        Some(Uses::Only([])) => "it uses no other member".into(),
        Some(Uses::Only(names)) => format!(
            "of the members it uses {} only; what both need belongs there",
            names.join(", ")
        ),
        Some(Uses::Published) => "it uses what users can use: published crates".into(),
        None => "a nested crate uses no other member".into(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::workspace::Dependency;

    fn member(folder: &str, dependencies: &[(&str, Kind)]) -> Member {
        Member {
            name: folder.replace('/', "-"),
            folder: folder.into(),
            published: !matches!(folder, "examples" | "xtask"),
            features: BTreeMap::new(),
            dependencies: dependencies
                .iter()
                .map(|(name, kind)| Dependency {
                    name: (*name).into(),
                    kind: *kind,
                })
                .collect(),
            examples: Vec::new(),
        }
    }

    #[test]
    fn the_design_is_accepted() {
        let members = [
            member("net-core", &[("tokio", Kind::Normal), ("sim-io", Kind::Dev)]),
            member("sim-io", &[("net-core", Kind::Normal)]),
            member(
                "hsms",
                &[
                    ("net-core", Kind::Normal),
                    ("hsms-derive", Kind::Normal),
                    ("sim-io", Kind::Dev),
                ],
            ),
            member("hsms/derive", &[("syn", Kind::Normal), ("hsms", Kind::Dev)]),
            member("examples", &[("hsms", Kind::Normal), ("sim-io", Kind::Normal)]),
            member("xtask", &[("serde_json", Kind::Normal)]),
        ];
        assert_eq!(check(&members), []);
    }

    #[test]
    fn every_wrong_direction_is_named() {
        let members = [
            member("net-core", &[("oneline", Kind::Normal)]),
            member("sim-io", &[]),
            member("oneline", &[("sim-io", Kind::Normal)]),
            member("hsms", &[("oneline", Kind::Dev), ("examples", Kind::Dev)]),
            member("hsms/derive", &[("net-core", Kind::Normal)]),
            member("examples", &[("xtask", Kind::Normal)]),
            member("xtask", &[("net-core", Kind::Build)]),
            member("newcomer", &[]),
        ];
        let problems = check(&members);
        assert_eq!(problems.len(), 8, "{problems:#?}");
    }
}
