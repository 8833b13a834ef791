//! Python for the originals: which one, and a virtual environment with the pinned packages.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::{Outcome, child, workspace};

/// The oldest Python that runs every original: what socket-oneline 1.2.0 declares. Seen to work: 3.9 to 3.13.
const OLDEST: (u32, u32) = (3, 9);
/// The first Python that is too new for one of them. None is known within Python 3.
const TOO_NEW: (u32, u32) = (4, 0);

const INSTALL: &str = "install it (Debian, Ubuntu: `apt-get install python3-venv`; elsewhere see python.org), or name one \
                       in the environment variable PYTHON";

/// A virtual environment in which the originals are installed.
pub(crate) struct Environment {
    python: PathBuf,
}

impl Environment {
    /// Takes the environment of an earlier run, unless the list of packages has changed; then makes it anew.
    pub(crate) fn prepare() -> Outcome<Self> {
        let folder = workspace::root().join("target/interop/venv");
        let requirements = workspace::root().join("xtask/interop/requirements.txt");
        let wanted =
            fs::read_to_string(&requirements).map_err(|error| format!("{}: {error}", requirements.display()))?;
        // Written last, so that an environment without it is known to be unfinished.
        let installed = folder.join("installed.txt");
        let this = Self {
            python: folder.join("bin/python"),
        };
        if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) && this.version().is_ok() {
            return Ok(this);
        }
        let python = find()?;
        println!(
            "  installing the originals into target/interop/venv, with {}",
            python.display()
        );
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|error| format!("{} cannot be removed: {error}", folder.display()))?;
        }
        child::capture(
            Command::new(&python).args(["-m", "venv"]).arg(&folder),
            Duration::from_secs(120),
        )
        .map_err(|text| {
            format!(
                "{} cannot make a virtual environment: {INSTALL}\n{text}",
                python.display()
            )
        })?;
        let mut pip = this.command();
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            // What is needed is listed; some packages declare much that they never import.
            "--no-deps",
            "--require-hashes",
            "--requirement",
        ])
        .arg(&requirements);
        child::capture(&mut pip, Duration::from_secs(300)).map_err(|text| {
            format!("pip could not install xtask/interop/requirements.txt (is PyPI in reach?)\n{text}")
        })?;
        fs::write(&installed, wanted).map_err(|error| format!("{}: {error}", installed.display()))?;
        Ok(this)
    }

    /// Its Python. It leaves no compiled files behind, and writes each line at once.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.python);
        command
            .args(["-B", "-u"])
            .env("PYTHONIOENCODING", "utf-8")
            .current_dir(workspace::root());
        command
    }

    /// One of our drivers in `xtask/interop`.
    pub(crate) fn driver(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = self.command();
        command.arg(Path::new("xtask/interop").join(name)).args(arguments);
        command
    }

    /// What `python --version` says.
    pub(crate) fn version(&self) -> Outcome<String> {
        let text = child::capture(Command::new(&self.python).arg("--version"), Duration::from_secs(20))?;
        Ok(text.trim().trim_start_matches("Python ").to_owned())
    }

    /// The version of an installed package.
    pub(crate) fn package(&self, name: &str) -> Outcome<String> {
        let script = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))";
        let text = child::capture(self.command().args(["-c", script, name]), Duration::from_secs(20))?;
        Ok(text.trim().to_owned())
    }
}

/// The first Python of a fitting version: the one that the user names, `python3`, then those with a version in their name.
fn find() -> Outcome<PathBuf> {
    let named = env::var_os("PYTHON").map(PathBuf::from);
    let candidates: Vec<PathBuf> = match named {
        Some(python) => vec![python],
        None => {
            let versioned = (OLDEST.1..OLDEST.1 + 12).rev().map(|minor| format!("python3.{minor}"));
            ["python3".to_owned()]
                .into_iter()
                .chain(versioned)
                .filter_map(|name| child::which(&name))
                .collect()
        }
    };
    let mut unfit = Vec::new();
    for python in candidates {
        match version(&python) {
            Ok(version) if version < OLDEST => unfit.push(format!("{} is too old", python.display())),
            Ok(version) if version >= TOO_NEW => unfit.push(format!("{} is too new", python.display())),
            Ok(_) => return Ok(python),
            Err(text) => unfit.push(text),
        }
    }
    let (major, minor) = OLDEST;
    Err(if unfit.is_empty() {
        format!("there is no python3 on the search path: {INSTALL}")
    } else {
        format!(
            "Python {major}.{minor} or newer is needed: {INSTALL}\n{}",
            unfit.join("\n")
        )
    })
}

fn version(python: &Path) -> Outcome<(u32, u32)> {
    let script = "import sys; print(sys.version_info[0], sys.version_info[1])";
    let text = child::capture(Command::new(python).args(["-c", script]), Duration::from_secs(20))?;
    let mut numbers = text.split_whitespace().map(|word| word.parse().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) => Ok((major, minor)),
        _ => Err(format!("{} does not tell its version: {text}", python.display())),
    }
}
