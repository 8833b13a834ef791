//! The text files of the workspace, read once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::Outcome;

/// Folders that hold nothing of ours, wherever they are.
const NOT_OURS: &[&str] = &[".git", "target", "__pycache__", "node_modules"];

/// Every file by its path relative to the root, with `/` between the parts.
#[derive(Debug, Default)]
pub(super) struct Tree {
    files: BTreeMap<String, String>,
    /// Files that are no text, and folders: only their names count.
    others: BTreeSet<String>,
}

impl Tree {
    /// Reads all that lies below the root.
    pub(super) fn read(root: &Path) -> Outcome<Self> {
        let mut tree = Self::default();
        tree.read_folder(root, "")
            .map_err(|error| format!("the workspace cannot be read: {error}"))?;
        Ok(tree)
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> std::io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            let kind = entry.file_type()?;
            if kind.is_dir() {
                if !NOT_OURS.contains(&name.as_str()) {
                    self.read_folder(&entry.path(), &format!("{path}/"))?;
                    self.others.insert(path);
                }
            } else {
                match fs::read(entry.path()).map(String::from_utf8) {
                    Ok(Ok(text)) => drop(self.files.insert(path, text)),
                    // Gone since the folder was listed: an editor's temporary file.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    Ok(Err(_)) => drop(self.others.insert(path)),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// A made-up tree.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.files.insert((*path).to_owned(), (*text).to_owned());
            for (position, _) in path.match_indices('/') {
                tree.others.insert(path[..position].to_owned());
            }
        }
        tree
    }

    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// The text of one file.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Whether there is a file or folder of this path.
    pub(super) fn has(&self, path: &str) -> bool {
        path.is_empty() || self.files.contains_key(path) || self.others.contains(path)
    }

    /// The files whose name ends in one of these, with their texts.
    pub(super) fn ending<'a>(&'a self, endings: &'a [&'a str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files
            .iter()
            .filter(|(path, _)| endings.iter().any(|ending| path.ends_with(ending)))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

/// The folder of a path; empty for the root.
pub(super) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Joins a relative path to a folder; `None` if it leaves the workspace.
pub(super) fn join(folder: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined() {
        assert_eq!(join("a/b", "../c.md").as_deref(), Some("a/c.md"));
        assert_eq!(join("", "./a/").as_deref(), Some("a"));
        assert_eq!(join("a", "../.."), None);
        assert_eq!(folder("a/b/c.rs"), "a/b");
        assert_eq!(folder("README.md"), "");
    }

    #[test]
    fn a_made_up_tree_has_its_folders() {
        let tree = Tree::of(&[("a/b/c.rs", "//! C.\n"), ("README.md", "")]);
        assert!(tree.has("a") && tree.has("a/b") && tree.has("a/b/c.rs") && !tree.has("b"));
        assert_eq!(tree.ending(&[".rs"]).count(), 1);
        assert_eq!(tree.text("README.md"), Some(""));
    }
}
