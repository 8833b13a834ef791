//! What cases share: the program under test, the originals, a folder for sockets and certificates. Each is made when the
//! first case asks for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

use crate::python::Environment;
use crate::{Outcome, child};

/// The surroundings of one run. Dropping it removes its folder.
pub(super) struct World {
    folder: PathBuf,
    oneline: Option<Outcome<PathBuf>>,
    statechart: Option<Outcome<PathBuf>>,
    sim_io: BTreeMap<&'static str, Outcome<PathBuf>>,
    components: BTreeMap<&'static str, Outcome<PathBuf>>,
    secsgem_peer: Option<Outcome<PathBuf>>,
    originals: Option<Outcome<Environment>>,
    versions: BTreeMap<String, String>,
    matrix: Option<String>,
}

impl World {
    pub(super) fn new() -> Outcome<Self> {
        // Not under target: the path of a Unix socket may have no more than about 100 bytes.
        let folder = env::temp_dir().join(format!("interop-{}", process::id()));
        fs::create_dir_all(&folder).map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
        Ok(Self {
            folder,
            oneline: None,
            statechart: None,
            sim_io: BTreeMap::new(),
            components: BTreeMap::new(),
            secsgem_peer: None,
            originals: None,
            versions: BTreeMap::new(),
            matrix: None,
        })
    }

    /// A folder that is this run's alone.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The program `oneline`, built now unless it was already.
    pub(super) fn oneline(&mut self) -> Outcome<PathBuf> {
        let built = self.oneline.get_or_insert_with(|| {
            println!("  building the program oneline");
            child::build("oneline", "oneline")
        });
        built.clone()
    }

    /// The program `statechart`, built now unless it was already.
    pub(super) fn statechart(&mut self) -> Outcome<PathBuf> {
        let built = self.statechart.get_or_insert_with(|| {
            println!("  building the program statechart");
            child::build("statechart-bridge", "statechart")
        });
        built.clone()
    }

    /// An example of sim-io, built now unless it was already.
    pub(super) fn sim_io_example(&mut self, name: &'static str) -> Outcome<PathBuf> {
        let built = self.sim_io.entry(name).or_insert_with(|| {
            println!("  building the example {name}");
            child::build_example("sim-io", name)
        });
        built.clone()
    }

    /// The example `secsgem_peer` of hsms, built now unless it was already.
    pub(super) fn secsgem_peer(&mut self) -> Outcome<PathBuf> {
        let built = self.secsgem_peer.get_or_insert_with(|| {
            println!("  building the example secsgem_peer");
            child::build_example("hsms", "secsgem_peer")
        });
        built.clone()
    }

    /// An example of components, built now unless it was already.
    pub(super) fn components(&mut self, example: &'static str) -> Outcome<PathBuf> {
        let built = self.components.entry(example).or_insert_with(|| {
            println!("  building the example {example}");
            child::build_example("components", example)
        });
        built.clone()
    }

    /// The originals, installed now unless they were already.
    pub(super) fn originals(&mut self) -> Outcome<&Environment> {
        if self.originals.is_none() {
            let prepared = Environment::prepare();
            if let Ok(environment) = &prepared {
                self.versions.insert("python".into(), environment.version()?);
                for package in [
                    "kamaelia",
                    "mosaik",
                    "mosaik-api-v3",
                    "mosaik-simpy-io",
                    "secsgem",
                    "simpy",
                    "socket-oneline",
                    "websockets",
                ] {
                    self.versions.insert(package.into(), environment.package(package)?);
                }
            }
            self.originals = Some(prepared);
        }
        match &self.originals {
            Some(Ok(environment)) => Ok(environment),
            Some(Err(why)) => Err(why.clone()),
            None => Err("the originals were not prepared".into()),
        }
    }

    /// Notes which version of another program took part.
    pub(super) fn took_part(&mut self, program: &str, version: &str) {
        self.versions.insert(program.to_owned(), version.trim().to_owned());
    }

    /// The version of a program that took part.
    pub(super) fn version(&self, program: &str) -> Option<&str> {
        self.versions.get(program).map(String::as_str)
    }

    /// The program that tries the models with each other, built now.
    pub(super) fn matrix_program(&mut self) -> Outcome<PathBuf> {
        println!("  building the program matrix");
        child::build("examples", "matrix")
    }

    /// Notes what came of the models with each other.
    pub(super) fn matrix_said(&mut self, table: &str) {
        self.matrix = Some(table.trim_end().to_owned());
    }

    /// What came of the models with each other, if they were tried.
    pub(super) fn matrix(&self) -> Option<&str> {
        self.matrix.as_deref()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // Nothing depends on it: at worst an empty folder is left among the temporary files.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
