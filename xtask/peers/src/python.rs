//! Peers in Python: a virtual environment for each, with pinned packages, made when it is first needed.

use crate::Outcome;
use crate::cpu::Account;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A set of packages, and which Python can run it.
#[derive(Clone, Copy, Debug)]
pub struct Packages {
    /// The folder's name.
    name: &'static str,
    /// What pip is to install, with hashes.
    requirements: &'static str,
    /// The newest Python 3 that runs it.
    newest: u32,
}

/// SimPy 4.1.2.
pub const SIMPY: Packages = Packages {
    name: "simpy",
    requirements: include_str!("../python/simpy.txt"),
    newest: 13,
};

/// mosaik-simpy-io 0.2.4 with SimPy 3.0.13.
pub const SIMPY_IO: Packages = Packages {
    name: "simpy-io",
    requirements: include_str!("../python/simpy-io.txt"),
    newest: 11,
};

/// Kamaelia 1.14.32 with its core.
pub const KAMAELIA: Packages = Packages {
    name: "kamaelia",
    requirements: include_str!("../python/kamaelia.txt"),
    newest: 11,
};

/// secsgem 0.3.0.
pub const SECSGEM: Packages = Packages {
    name: "secsgem",
    requirements: include_str!("../python/secsgem.txt"),
    newest: 13,
};

/// Sismic 1.6.14.
pub const SISMIC: Packages = Packages {
    name: "sismic",
    requirements: include_str!("../python/sismic.txt"),
    newest: 13,
};

/// The oldest Python 3 that is tried.
const OLDEST: u32 = 8;

impl Packages {
    fn folder(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../target/peers-python")
            .join(self.name)
    }

    fn program(&self) -> PathBuf {
        self.folder().join("bin/python")
    }

    /// Installs the packages, unless they are there.
    ///
    /// # Errors
    /// Why they can't be installed, and what to do about it.
    pub fn prepare(&self) -> Result<(), String> {
        let folder = self.folder();
        // Written last, so that an environment without it is known to be unfinished.
        let installed = folder.join("installed.txt");
        if fs::read_to_string(&installed).is_ok_and(|text| text == self.requirements) {
            return Ok(());
        }
        let python = self.interpreter()?;
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        run(Command::new(&python).args(["-m", "venv"]).arg(&folder))
            .map_err(|text| format!("{python} can't make a virtual environment: {text}"))?;
        let requirements = folder.join("requirements.txt");
        fs::write(&requirements, self.requirements).map_err(|error| error.to_string())?;
        let mut pip = Command::new(self.program());
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
        ])
        .args(["--require-hashes", "--requirement"])
        .arg(&requirements);
        run(&mut pip).map_err(|text| format!("pip can't install it: {text}"))?;
        fs::write(&installed, self.requirements).map_err(|error| error.to_string())
    }

    /// The newest Python on the search path that runs the packages.
    fn interpreter(&self) -> Result<String, String> {
        let named = (OLDEST..=self.newest).rev().map(|minor| format!("python3.{minor}"));
        let fits = |python: &String| {
            let script = "import sys, venv; print(sys.version_info[1])";
            run(Command::new(python).args(["-c", script]))
                .ok()
                .and_then(|text| text.trim().parse().ok())
                .is_some_and(|minor: u32| (OLDEST..=self.newest).contains(&minor))
        };
        ["python3".to_owned()]
            .into_iter()
            .chain(named)
            .find(fits)
            .ok_or(format!(
                "it needs Python 3.{OLDEST} to 3.{} with venv, and none is on the search path",
                self.newest
            ))
    }

    /// Runs a script; what it prints, as numbers.
    ///
    /// # Errors
    /// If the script fails, or prints something else.
    pub fn numbers<const N: usize>(&self, script: &str, arguments: &[String]) -> Outcome<[u64; N]> {
        script_numbers(Command::new(self.program()), script, arguments)
    }

    /// Starts a script that serves, and waits for its first line.
    ///
    /// # Errors
    /// If it can't be started, or ends at once.
    pub fn serve(&self, script: &str) -> Outcome<Service> {
        let mut command = Command::new(self.program());
        let mut process = command
            .args(["-c", script])
            .env_remove("PYTHONPATH")
            .env_remove("PYTHONHOME")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let output = process.stdout.take().ok_or("no way from the script")?;
        let mut service = Service {
            process,
            greeting: String::new(),
        };
        if BufReader::new(output).read_line(&mut service.greeting)? == 0 {
            return Err("the script ended without a word".into());
        }
        Ok(service)
    }
}

/// Runs a script by whatever Python there is, without packages; what it prints, as numbers.
///
/// # Errors
/// If there is no Python, the script fails, or it prints something else.
pub fn plain_numbers<const N: usize>(script: &str, arguments: &[String]) -> Outcome<[u64; N]> {
    script_numbers(Command::new("python3"), script, arguments)
}

fn script_numbers<const N: usize>(mut python: Command, script: &str, arguments: &[String]) -> Outcome<[u64; N]> {
    let text = run(python.args(["-c", script]).args(arguments))?;
    let numbers: Result<Vec<u64>, _> = text.split_whitespace().map(str::parse).collect();
    let numbers = numbers.ok().and_then(|numbers| numbers.try_into().ok());
    Ok(numbers.ok_or_else(|| format!("the script printed: {text}"))?)
}

/// A script that serves until it is dropped.
#[derive(Debug)]
pub struct Service {
    process: Child,
    /// The first line that it printed.
    pub greeting: String,
}

impl Service {
    /// Whose processor time counts.
    #[must_use]
    pub fn account(&self) -> Account {
        Account::Process(self.process.id().try_into().unwrap_or(0))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs a command to its end; its output, or its complaint.
fn run(command: &mut Command) -> Result<String, String> {
    // Set for another Python, it would confuse this one.
    let command = command.env_remove("PYTHONPATH").env_remove("PYTHONHOME");
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let errors = String::from_utf8_lossy(&output.stderr);
        // The last line is the one that tells.
        Err(errors
            .trim()
            .lines()
            .next_back()
            .unwrap_or("it failed without a word")
            .to_owned())
    }
}
