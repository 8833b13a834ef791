//! Groups run one after the other, each in a process of its own: what hangs or dies in one does not stop the others, and
//! no group inherits the memory of another.

use crate::figures::{Figures, Table};
use crate::groups::{ALL, Group, Tables};
use crate::harness::{Comparison, Effort, Results};
use crate::{Outcome, document, limits, machine, plots, report};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, IsTerminal, Write as _, stderr};
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The process of a group: this program again, with this hidden subcommand.
pub const GROUP: &str = "__group";

/// The report.
const REPORT: &str = "BENCHMARKS.md";
/// What belongs to it: figures and pictures.
const FOLDER: &str = "benchmarks";
const FIGURES: &str = "figures.json";

/// The longest that a group may take: several times what the slowest does.
const LIMIT: Duration = Duration::from_secs(900);
/// How often a wait for its end looks again.
const POLL: Duration = Duration::from_millis(50);

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Groups and tables; none means all.
    pub names: Vec<String>,
    /// Whether it is only to be seen that everything works.
    pub quick: bool,
    /// The folder of the report, if it is to be brought up to date.
    pub report: Option<PathBuf>,
}

/// Whether a name is that of a group or of one of its tables.
#[must_use]
pub fn chooses(name: &str, group: &Group) -> bool {
    name.split('/').next() == Some(group.name)
}

fn wants(names: &[String], group: &Group, table: &Comparison) -> bool {
    names.is_empty() || names.iter().any(|name| *name == group.name || *name == table.name)
}

/// The tables that are named, all without a name.
///
/// # Errors
/// If there are none, or a group's can't be made.
pub fn tables(names: &[String]) -> Outcome<Vec<Tables>> {
    let chosen = |group: &&Group| names.is_empty() || names.iter().any(|name| chooses(name, group));
    let mut all = Vec::new();
    for group in ALL.iter().filter(chosen) {
        let mut tables = group.tables()?;
        tables.comparisons.retain(|table| wants(names, group, table));
        if !tables.comparisons.is_empty() {
            all.push(tables);
        }
    }
    if all.is_empty() {
        return Err("no such table; --list shows them".into());
    }
    Ok(all)
}

/// Runs the groups; tells whether all work was done right.
///
/// # Errors
/// If the names mean nothing, or the report can't be read or written.
pub fn all(wanted: &Wanted) -> Outcome<bool> {
    let groups = tables(&wanted.names)?;
    let mut figures = match &wanted.report {
        Some(folder) => Figures::read(&folder.join(FOLDER).join(FIGURES))?,
        None => Figures::default(),
    };
    println!("{}\n{}\n", machine_line(wanted.quick), report::LEGEND);
    let mut summary = String::new();
    let mut right = true;
    for (place, group) in groups.iter().enumerate() {
        println!(
            "==== {} ({} of {}): {}\n",
            group.group.name,
            place + 1,
            groups.len(),
            group.group.about
        );
        let start = Instant::now();
        let (new, failure) = one(group, wanted);
        let missed = missed(&new, group);
        figures.tables.extend(new.tables);
        // At once, so that a run that is broken off has not run for nothing.
        if let Some(folder) = &wanted.report {
            write(folder, &figures)?;
        }
        let took = start.elapsed().as_secs_f64();
        let count = group.comparisons.len();
        let _ = write!(
            summary,
            "  {:<20} {count:>7} {took:>6.0} s {missed:>7}",
            group.group.name
        );
        if let Some(why) = failure {
            right = false;
            println!("{} FAILED: {why}\n", group.group.name);
            let _ = write!(summary, "  FAILED: {why}");
        }
        summary.push('\n');
    }
    println!(
        "  {:<20} {:>7} {:>8} {:>7}\n{summary}",
        "group", "tables", "took", "missed"
    );
    if let Some(folder) = &wanted.report {
        println!("The report is in {}.", folder.join(REPORT).display());
    }
    Ok(right)
}

/// Runs a group in a process of its own: its figures, and what went wrong.
fn one(group: &Tables, wanted: &Wanted) -> (Figures, Option<String>) {
    let file = env::temp_dir().join(format!("peers-{}-{}.json", process::id(), group.group.name));
    let outcome = process_of(group, wanted, &file);
    let read = Figures::read(&file);
    // There is none if the process did not get so far.
    let _ = fs::remove_file(&file);
    let (mut figures, outcome) = match read {
        Ok(figures) => (figures, outcome),
        Err(error) => (Figures::default(), outcome.and(Err(error))),
    };
    let failure = outcome.err().map(|why| why.to_string());
    let mut lost = 0;
    for table in &group.comparisons {
        if !figures.tables.contains_key(&table.name) {
            lost += 1;
            let why = failure.as_deref().unwrap_or("its process told nothing");
            let failed = Table::failed(&machine_line(wanted.quick), &machine::today(), &table.about, why);
            figures.tables.insert(table.name.clone(), failed);
        }
    }
    let failure = failure.or_else(|| (lost > 0).then(|| format!("{lost} tables are missing")));
    (figures, failure)
}

fn process_of(group: &Tables, wanted: &Wanted, file: &Path) -> Outcome<()> {
    let mut process = Command::new(env::current_exe()?)
        .args([GROUP, group.group.name, if wanted.quick { "quick" } else { "full" }])
        .arg(file)
        .args(&wanted.names)
        .stdin(Stdio::null())
        .spawn()?;
    let start = Instant::now();
    loop {
        match process.try_wait()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) if status.code() == Some(1) => return Err("a row did its work wrong, see its table".into()),
            Some(status) => return Err(format!("its process ended with {status}").into()),
            None if start.elapsed() > LIMIT => {
                process.kill()?;
                process.wait()?;
                return Err(format!("it was not done after {} s and was ended", LIMIT.as_secs()).into());
            }
            None => thread::sleep(POLL),
        }
    }
}

/// The process of a group: runs its tables, and writes the figures after each. Tells whether all work was done right.
///
/// # Errors
/// If the group is unknown, or the file can't be written.
pub fn group_process(words: &[&str]) -> Outcome<bool> {
    let [group, effort, file, names @ ..] = words else {
        return Err("the subcommand is not for people".into());
    };
    let quick = *effort == "quick";
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let group = ALL.iter().find(|known| known.name == *group).ok_or("no such group")?;
    limits::raise_open_files()?;
    let machine = machine_line(quick);
    let mut figures = Figures::default();
    let mut right = true;
    for table in group.tables()?.comparisons {
        if !wants(&names, group, &table) {
            continue;
        }
        let name = table.name.clone();
        let (date, load, start) = (machine::today(), machine::load(), Instant::now());
        let effort = if quick { Effort::QUICK } else { Effort::FULL };
        let results = table.run(&effort, |round, row| status(&format!("{name}, round {round}: {row}")))?;
        status("");
        println!("{}", report::text(&results));
        right &= !results.wrong();
        figures
            .tables
            .insert(name, Table::new(&machine, &date, &load, start.elapsed(), &results));
        figures.write(Path::new(file))?;
    }
    Ok(right)
}

fn machine_line(quick: bool) -> String {
    let mut line = machine::line();
    if quick {
        line.push_str(". Quick: short samples, a tenth of the work, one round that counts; not to be quoted");
    }
    line
}

/// How many targets of a group are missed.
fn missed(figures: &Figures, group: &Tables) -> usize {
    let measured = group.comparisons.iter().filter_map(|table| {
        let kept = figures.tables.get(&table.name)?;
        Some(kept.results(table))
    });
    let missed = |results: Results| {
        results
            .verdicts()
            .filter(|(_, verdict)| verdict.met == Some(false))
            .count()
    };
    measured.map(missed).sum()
}

/// Brings figures, pictures and report up to date.
fn write(folder: &Path, figures: &Figures) -> Outcome<()> {
    let own = folder.join(FOLDER);
    fs::create_dir_all(&own).map_err(|error| format!("{}: {error}", own.display()))?;
    figures.write(&own.join(FIGURES))?;
    let groups = tables(&[])?;
    let mut pictures = Vec::new();
    for plot in plots::ALL {
        if let Some(svg) = plot.draw(figures, &groups)? {
            let path = format!("{FOLDER}/{}.svg", plot.name);
            fs::write(folder.join(&path), svg).map_err(|error| format!("{path}: {error}"))?;
            pictures.push((*plot, path));
        }
    }
    let report = folder.join(REPORT);
    let old = match fs::read_to_string(&report) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        old => Some(old.map_err(|error| format!("{}: {error}", report.display()))?),
    };
    let new = document::update(old.as_deref(), figures, &groups, &pictures);
    fs::write(&report, new).map_err(|error| format!("{}: {error}", report.display()).into())
}

/// Makes the report anew from the figures that are kept.
///
/// # Errors
/// If it can't be read or written.
pub fn report_only(folder: &Path) -> Outcome<()> {
    write(folder, &Figures::read(&folder.join(FOLDER).join(FIGURES))?)
}

/// Shows on a terminal what is going on, on a line that the next one overwrites.
fn status(text: &str) {
    if stderr().is_terminal() {
        // Whoever closed the terminal does not want to know.
        let _ = write!(stderr(), "\r\x1b[K{text}");
    }
}
