//! Files that a diagram names: `src`.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::ast::Text;
use super::error::problem;
use super::node::{LONGEST, Node, Source};
use crate::Place;
use crate::Problem;

/// A file in a file in a file.
const DEEPEST: usize = 16;

/// Where a diagram's other files are, and which are being read.
pub(super) struct Files {
    /// The diagram's folder; none for a diagram that is no file.
    folder: Option<PathBuf>,
    open: Vec<PathBuf>,
}

impl Files {
    /// For a diagram without a folder.
    pub(super) fn none() -> Self {
        let (folder, open) = (None, Vec::new());
        Self { folder, open }
    }

    /// For a diagram in a file.
    pub(super) fn beside(diagram: &Path) -> Self {
        let folder = diagram.parent().map(|folder| {
            if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            }
        });
        Self {
            folder: folder.map(Path::to_owned),
            open: vec![canonical(diagram)],
        }
    }

    /// Reads the root of another file.
    pub(super) fn with<T>(
        &mut self,
        src: &Text,
        read: impl FnOnce(&Node<'_>, &mut Self) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let refuse = |message: String| Err(problem(src.place.clone(), message));
        let Some(folder) = &self.folder else {
            return refuse(format!(
                "src `{}`: this diagram is no file, so it has no folder",
                src.text
            ));
        };
        let relative = Path::new(src.text.trim());
        if !relative
            .components()
            .all(|component| matches!(component, Component::Normal(_) | Component::CurDir))
        {
            return refuse(format!(
                "src `{}`: expected a path inside the diagram's folder, without `..`",
                src.text
            ));
        }
        let path = folder.join(relative);
        let canonical = canonical(&path);
        // A symbolic link may lead elsewhere.
        if !canonical.starts_with(self::canonical(folder)) {
            return refuse(format!("src `{}` leads out of the diagram's folder", src.text));
        }
        if self.open.contains(&canonical) {
            return refuse(format!("src `{}`: the file includes itself", src.text));
        }
        if self.open.len() >= DEEPEST {
            return refuse(format!("src `{}`: {DEEPEST} files inside each other", src.text));
        }
        let text = text(&path).map_err(|message| {
            let message = format!("src `{}`: {message}", src.text);
            problem(src.place.clone(), message)
        })?;
        let source = Source::new(name(&path), &text);
        let document = source.parse()?;
        self.open.push(canonical);
        let result = read(&Node::root(&document, &source), self);
        self.open.pop();
        result
    }
}

/// The same path for the same file, as far as the file is there.
fn canonical(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// A file's name for messages.
pub(super) fn name(path: &Path) -> Arc<str> {
    path.display().to_string().into()
}

/// Reads a whole file, no longer than a model may be.
fn text(path: &Path) -> Result<String, String> {
    let file = File::open(path).map_err(|error| format!("can't be opened: {error}"))?;
    let mut text = String::new();
    let limit = LONGEST as u64 + 1;
    file.take(limit)
        .read_to_string(&mut text)
        .map_err(|error| format!("can't be read: {error}"))?;
    Ok(text)
}

/// Reads a diagram's own file.
pub(super) fn open(path: &Path) -> Result<String, Problem> {
    text(path).map_err(|message| problem(Place::new(name(path), 0, 0), message))
}
