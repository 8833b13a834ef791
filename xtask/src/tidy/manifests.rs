//! Rules for manifests: a member inherits what all share, versions stand in the root's one table, that table is in order,
//! and a folder is named like its crate.

use super::Problem;
use super::tree::Tree;
use crate::workspace::Member;

/// What lies beside the manifest of a crate that is published.
const PACKED: &[&str] = &["README.md", "LICENSE-APACHE", "LICENSE-MIT"];

/// What every member takes from the root.
const INHERITED: &[&str] = &["version", "edition", "rust-version", "license"];

pub(super) fn check(tree: &Tree, members: &[Member]) -> Vec<Problem> {
    let mut problems = root_table(tree);
    for member in members {
        let path = format!("{}/Cargo.toml", member.folder);
        let Some(text) = tree.text(&path) else {
            continue;
        };
        // A nested crate carries the names of the folders around it: hsms/derive is hsms-derive.
        if member.name != member.folder.replace('/', "-") {
            let what = format!(
                "the crate `{}` lies in the folder `{}`: name them alike",
                member.name, member.folder
            );
            problems.push(Problem::new(&path, 0, what));
        }
        problems.extend(inherits(&path, text));
        problems.extend(versions(&path, text));
        if member.published {
            problems.extend(published(&path, text, &member.name));
            for name in PACKED {
                let file = format!("{}/{name}", member.folder);
                if tree.text(&file).is_none() {
                    problems.push(Problem::new(
                        &file,
                        0,
                        "is missing: it belongs into the package (a licence as a link)",
                    ));
                }
            }
        }
    }
    problems
}

/// One `key = value` of a manifest. A value over several lines is joined.
struct Entry<'a> {
    line: usize,
    section: &'a str,
    key: &'a str,
    value: String,
}

/// Reads as much of TOML as manifests use.
fn entries(text: &str) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut section = "";
    let mut open = 0_usize;
    for (number, line) in text.lines().enumerate() {
        let line = without_comment(line).trim();
        if open > 0 {
            if let Some(entry) = entries.last_mut() {
                entry.value.push_str(line);
            }
        } else if let Some(name) = line.strip_prefix('[') {
            section = name.trim_matches(['[', ']']);
            continue;
        } else if let Some((key, value)) = line.split_once('=') {
            let value = value.trim().to_owned();
            entries.push(Entry {
                line: number + 1,
                section,
                key: key.trim(),
                value,
            });
        }
        let value = entries.last().map_or("", |entry| entry.value.as_str());
        let count = |brackets: [char; 2]| value.matches(brackets).count();
        open = count(['[', '{']).saturating_sub(count([']', '}']));
    }
    entries
}

fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    for (position, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '#' if !quoted => return &line[..position],
            _ => {}
        }
    }
    line
}

fn inherits(path: &str, text: &str) -> Vec<Problem> {
    let entries = entries(text);
    let has = |section: &str, key: &str, value: &str| {
        entries
            .iter()
            .any(|entry| entry.section == section && entry.key == key && entry.value.contains(value))
    };
    let mut problems = Vec::new();
    for key in INHERITED {
        if !has("package", &format!("{key}.workspace"), "true") && !has("package", key, "workspace = true") {
            let what = format!("`{key}` is not inherited: write `{key}.workspace = true` under [package]");
            problems.push(Problem::new(path, 0, what));
        }
    }
    if !has("lints", "workspace", "true") {
        problems.push(Problem::new(
            path,
            0,
            "the lints are not inherited: write `[lints]` and `workspace = true`",
        ));
    }
    problems
}

/// What a registry and docs.rs show of a crate.
fn published(path: &str, text: &str, name: &str) -> Vec<Problem> {
    let entries = entries(text);
    let value = |section: &str, key: &str| {
        let found = entries
            .iter()
            .find(|entry| entry.section == section && entry.key == key);
        found.map_or("", |entry| entry.value.as_str())
    };
    let docs = format!("\"https://docs.rs/{name}\"");
    let wanted = [
        ("package", "description", "\"", "say in a sentence what it is"),
        ("package", "keywords", "\"", "give up to five"),
        ("package", "categories", "\"", "name some of crates.io's"),
        ("package", "readme", "\"README.md\"", "write `readme = \"README.md\"`"),
        ("package", "documentation", &docs, "name its page on docs.rs"),
        (
            "package.metadata.docs.rs",
            "all-features",
            "true",
            "docs.rs is to show all features",
        ),
    ];
    let missing = wanted
        .iter()
        .filter(|(section, key, part, _)| !value(section, key).contains(part));
    let mut problems: Vec<_> = missing
        .map(|(section, key, _, mend)| Problem::new(path, 0, format!("[{section}] `{key}`: {mend}")))
        .collect();
    // A registry refuses more.
    if value("package", "keywords").matches(',').count() > 4 {
        problems.push(Problem::new(path, 0, "more than five keywords"));
    }
    problems
}

/// A member's dependency says `workspace = true`, or a path alone (which a publisher leaves out: right for a dependency
/// of tests that would be a circle).
fn versions(path: &str, text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for entry in entries(text) {
        let section = entry.section;
        let table = section.ends_with("dependencies") && (entry.value.starts_with(['"', '{', '\'']));
        let own_section = section
            .rsplit_once("dependencies.")
            .is_some_and(|(_, name)| !name.is_empty());
        let versioned = if own_section {
            matches!(entry.key, "version" | "git")
        } else if table {
            entry.value.starts_with(['"', '\'']) || has_key(&entry.value, "version") || has_key(&entry.value, "git")
        } else {
            section.ends_with("dependencies") && (entry.key.ends_with(".version") || entry.key.ends_with(".git"))
        };
        if versioned {
            let what = format!(
                "`{}`: versions stand in the root's [workspace.dependencies]; write `workspace = true` here",
                entry.key
            );
            problems.push(Problem::new(path, entry.line, what));
        }
    }
    problems
}

/// Whether an inline table has this key.
fn has_key(table: &str, key: &str) -> bool {
    table
        .trim_matches(['{', '}'])
        .split(',')
        .any(|pair| pair.split('=').next().is_some_and(|word| word.trim() == key))
}

/// The root's table is alphabetical, so that nobody looks for a crate twice.
fn root_table(tree: &Tree) -> Vec<Problem> {
    let text = tree.text("Cargo.toml").unwrap_or_default();
    let entries = entries(text);
    let table: Vec<_> = entries
        .iter()
        .filter(|entry| entry.section == "workspace.dependencies")
        .collect();
    let mut problems = Vec::new();
    for pair in table.windows(2) {
        if let [before, after] = pair
            && before.key > after.key
        {
            let what = format!(
                "`{}` stands after `{}`: keep the table alphabetical",
                after.key, before.key
            );
            problems.push(Problem::new("Cargo.toml", after.line, what));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const GOOD: &str = "[package]\nname = \"a\"\nversion.workspace = true\nedition.workspace = true\n\
                        rust-version.workspace = true\nlicense = { workspace = true }\n\n[lints]\nworkspace = true\n";

    fn problems(folder: &str, name: &str, manifest: &str) -> Vec<Problem> {
        let member = Member {
            name: name.into(),
            folder: folder.into(),
            published: false,
            features: BTreeMap::new(),
            dependencies: Vec::new(),
            examples: Vec::new(),
        };
        check(&Tree::of(&[(&format!("{folder}/Cargo.toml"), manifest)]), &[member])
    }

    #[test]
    fn a_good_manifest_is_accepted() {
        let manifest = format!(
            "{GOOD}[dependencies]\nbytes = {{ workspace = true, features = [\n  \"serde\", # version = 1\n] }}\nmemchr.workspace \
             = true\n[dev-dependencies]\nsim = {{ path = \"../sim\" }}\n[dependencies.tokio]\nworkspace = true\n"
        );
        assert_eq!(problems("a", "a", &manifest), []);
        assert_eq!(problems("a/derive", "a-derive", GOOD), []);
    }

    #[test]
    fn what_is_not_inherited_is_named() {
        let found = problems("a", "a", "[package]\nversion = \"1.0\"\nedition.workspace = true\n");
        let whats: Vec<_> = found
            .iter()
            .map(|problem| problem.what.split('`').nth(1).unwrap_or_default())
            .collect();
        assert_eq!(whats, ["version", "rust-version", "license", "[lints]"]);
    }

    #[test]
    fn versions_stand_in_the_root_only() {
        let manifest = format!(
            "{GOOD}[dependencies]\na = \"1\"\nb = {{ version = \"1\" }}\nc = {{ workspace = true }}\nd.version = \"1\"\n\
             [target.'cfg(unix)'.dev-dependencies]\ne = {{ git = \"x\" }}\n[dependencies.f]\nversion = \"1\"\n[features]\nversion = [\"d\"]\n"
        );
        let lines: Vec<_> = problems("a", "a", &manifest)
            .iter()
            .map(|problem| problem.line)
            .collect();
        assert_eq!(lines, [11, 12, 14, 16, 18]);
    }

    #[test]
    fn folder_and_crate_have_one_name() {
        assert!(problems("a", "b", GOOD)[0].what.contains("name them alike"));
        assert_eq!(problems("a/derive", "derive", GOOD).len(), 1);
    }

    #[test]
    fn the_table_is_alphabetical() {
        let text = "[workspace.dependencies]\nbytes = \"1\"\nmemchr = \"2\"\nclap = \"4\"\n[profile.release]\nlto = true\na = 1\n";
        let found = check(&Tree::of(&[("Cargo.toml", text)]), &[]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 4);
    }

    #[test]
    fn a_published_crate_is_described_and_licensed() {
        let member = Member {
            name: "a".into(),
            folder: "a".into(),
            published: true,
            features: BTreeMap::new(),
            dependencies: Vec::new(),
            examples: Vec::new(),
        };
        let good = GOOD.replace(
            "[lints]",
            "description = \"A.\"\nkeywords = [\"a\", \"b\"]\ncategories = [\"c\"]\nreadme = \"README.md\"\n\
             documentation = \"https://docs.rs/a\"\n\n[package.metadata.docs.rs]\nall-features = true\n\n[lints]",
        );
        let files = |manifest| {
            let beside = ["a/README.md", "a/LICENSE-APACHE", "a/LICENSE-MIT"].map(|name| (name, "x"));
            [vec![("a/Cargo.toml", manifest)], beside.to_vec()].concat()
        };
        assert_eq!(check(&Tree::of(&files(&good)), std::slice::from_ref(&member)), []);

        let many = good.replace("\"b\"", "\"b\", \"c\", \"d\", \"e\", \"f\"");
        assert!(
            check(&Tree::of(&files(&many)), std::slice::from_ref(&member))[0]
                .what
                .contains("five")
        );
        assert_eq!(check(&Tree::of(&files(GOOD)), std::slice::from_ref(&member)).len(), 6);
        assert_eq!(check(&Tree::of(&files(&good)[..2]), &[member]).len(), 2);
    }
}
