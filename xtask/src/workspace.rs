//! What cargo knows about the workspace: its members, their features and what they depend on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;

use crate::{Outcome, child};

/// The folder of the workspace's own manifest.
pub(crate) fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        // cargo tells where the source lies that it runs; a target folder may be shared between several.
        let xtask =
            std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        xtask.parent().expect("xtask lies in the workspace").to_owned()
    });
    &ROOT
}

/// One crate of the workspace.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Relative to the root, with `/` between the parts.
    pub(crate) folder: String,
    /// Whether it may be published.
    pub(crate) published: bool,
    /// Each feature and what it switches on.
    pub(crate) features: BTreeMap<String, Vec<String>>,
    pub(crate) dependencies: Vec<Dependency>,
    /// The names of its examples.
    pub(crate) examples: Vec<String>,
}

/// One line of a member's tables of dependencies.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// The table that a dependency stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Dev,
    Build,
}

/// The members as `cargo metadata` lists them, by folder.
pub(crate) fn members() -> Outcome<Vec<Member>> {
    let mut command = child::cargo();
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    let text = child::capture(&mut command, Duration::from_secs(120))?;
    let known = serde_json::from_str(&text).map_err(|error| format!("cargo metadata wrote no JSON: {error}"))?;
    parse(&known)
}

/// Reads the output of `cargo metadata --no-deps`.
pub(crate) fn parse(known: &Value) -> Outcome<Vec<Member>> {
    let root = PathBuf::from(known["workspace_root"].as_str().unwrap_or_default());
    let mut members = Vec::new();
    for package in list(&known["packages"]) {
        let name = string(&package["name"]);
        let manifest = PathBuf::from(string(&package["manifest_path"]));
        let folder = manifest
            .parent()
            .and_then(|folder| folder.strip_prefix(&root).ok())
            .ok_or_else(|| format!("{name}: its manifest is not inside the workspace"))?;
        let features = package["features"].as_object().into_iter().flatten();
        members.push(Member {
            folder: folder.to_string_lossy().replace('\\', "/"),
            // Absent or null: to any registry. An empty list: to none.
            published: package["publish"]
                .as_array()
                .is_none_or(|registries| !registries.is_empty()),
            features: features
                .map(|(name, enables)| (name.clone(), list(enables).map(string).collect()))
                .collect(),
            dependencies: list(&package["dependencies"])
                .map(|dependency| Dependency {
                    name: string(&dependency["name"]),
                    kind: match dependency["kind"].as_str() {
                        Some("dev") => Kind::Dev,
                        Some("build") => Kind::Build,
                        _ => Kind::Normal,
                    },
                })
                .collect(),
            examples: list(&package["targets"])
                .filter(|target| list(&target["kind"]).any(|kind| kind == "example"))
                .map(|target| string(&target["name"]))
                .collect(),
            name,
        });
    }
    members.sort_by(|a, b| a.folder.cmp(&b.folder));
    Ok(members)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_read() {
        let known = serde_json::from_str(
            r#"{"workspace_root": "/w", "packages": [
                {"name": "tool", "manifest_path": "/w/tool/Cargo.toml", "publish": [], "features": {},
                 "dependencies": [{"name": "core", "kind": null}, {"name": "proptest", "kind": "dev"}]},
                {"name": "core", "manifest_path": "/w/core/Cargo.toml", "publish": null,
                 "features": {"default": ["tls"], "tls": ["dep:rustls"]}, "dependencies": [],
                 "targets": [{"kind": ["lib"], "name": "core"}, {"kind": ["example"], "name": "lines"}]}]}"#,
        )
        .unwrap();
        let members = parse(&known).unwrap();
        assert_eq!(
            members.iter().map(|member| member.folder.as_str()).collect::<Vec<_>>(),
            ["core", "tool"]
        );
        assert!(members[0].published && !members[1].published);
        assert_eq!(members[0].features["default"], ["tls"]);
        assert_eq!(members[1].dependencies[1].kind, Kind::Dev);
        assert_eq!(members[0].examples, ["lines"]);
    }

    #[test]
    fn this_workspace_has_this_member() {
        assert!(
            members()
                .unwrap()
                .iter()
                .any(|member| member.name == "xtask" && member.folder == "xtask")
        );
    }
}
