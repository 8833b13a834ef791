//! The equipment: it keeps recipes, and runs one process job at a time.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hsms::gem::{
    Ackc7, EventReport, Gem, Hcack, Id, Model, Report, S1F3, S1F4, S2F41, S2F42, S6F11, S7F3, S7F4, S7F19, S7F20,
};
use hsms::item::{Array, Item};
use hsms::{Connection, RequestError};

/// Collection events (CEID).
pub(crate) const STARTED: u32 = 1;
pub(crate) const WAFER_DONE: u32 = 2;
pub(crate) const DONE: u32 = 3;
pub(crate) const ABORTED: u32 = 4;
/// The status variable (SVID) that counts the wafers of the job.
pub(crate) const PROCESSED: u32 = 100;

#[derive(Default)]
struct Machine {
    /// Seconds of each step, by the recipe's name.
    recipes: BTreeMap<String, Vec<u32>>,
    job: Option<Job>,
    processed: u32,
}

#[derive(Clone)]
struct Job {
    lot: String,
    wafers: u32,
    steps: Vec<u32>,
    abort: bool,
}

/// What runs on the equipment's connection.
pub(crate) fn etcher() -> Gem {
    let machine = Arc::new(Mutex::new(Machine::default()));
    let with = move || Arc::clone(&machine);
    let [recipes, directory, status, commands] = [with(), with(), with(), with()];
    let model = Model {
        mdln: "ETCHER".into(),
        softrev: "1.0".into(),
    };
    Gem::equipment(model)
        .on(move |_, S7F3(program): S7F3| {
            let stored = match program.body.read() {
                Ok(Array(steps)) => {
                    lock(&recipes).recipes.insert(program.ppid, steps);
                    Ackc7::Accepted
                }
                Err(_) => Ackc7::NotAllowed,
            };
            async move { S7F4(stored) }
        })
        .on(move |_, _: S7F19| {
            let names = lock(&directory).recipes.keys().cloned().collect();
            async { S7F20(names) }
        })
        .on(move |_, S1F3(ids): S1F3| {
            let processed = lock(&status).processed;
            let value = |id: &Id| match id.number() {
                Some(number) if number == u64::from(PROCESSED) => Item::u4(processed),
                _ => Item::list([]),
            };
            let values = ids.iter().map(value).collect();
            async { S1F4(values) }
        })
        .on(move |connection, command: S2F41| {
            let hcack = match &*command.rcmd {
                "START" => start(&commands, &connection, &command),
                "ABORT" => match &mut lock(&commands).job {
                    Some(job) => {
                        job.abort = true;
                        Hcack::Later
                    }
                    None => Hcack::CannotNow,
                },
                _ => Hcack::UnknownCommand,
            };
            async move {
                S2F42 {
                    hcack,
                    parameters: Vec::new(),
                }
            }
        })
}

/// Starts a job, if the machine is free and knows the recipe. Events tell how it goes on.
fn start(machine: &Arc<Mutex<Machine>>, connection: &Connection, command: &S2F41) -> Hcack {
    let parameter = |name: &str| {
        let wanted = |parameter: &&hsms::gem::Parameter| parameter.name.text().as_deref() == Some(name);
        command.parameters.iter().find(wanted).map(|found| &found.value)
    };
    let text = |name| parameter(name).and_then(|item| item.read::<String>().ok());
    let wafers = parameter("WAFERS").and_then(|item| item.read::<u32>().ok());
    let (Some(lot), Some(recipe), Some(wafers)) = (text("LOT"), text("PPID"), wafers) else {
        return Hcack::Parameter;
    };
    let state = &mut *lock(machine);
    if state.job.is_some() {
        return Hcack::CannotNow;
    }
    let Some(steps) = state.recipes.get(&recipe).cloned() else {
        return Hcack::UnknownObject;
    };
    let job = Job {
        lot,
        wafers,
        steps,
        abort: false,
    };
    state.job = Some(job.clone());
    state.processed = 0;
    let work = run(Arc::clone(machine), connection.clone(), job);
    match connection.net().spawn(work) {
        Ok(_) => Hcack::Later,
        Err(_) => Hcack::CannotNow,
    }
}

async fn run(machine: Arc<Mutex<Machine>>, connection: Connection, job: Job) {
    let told = process(&machine, &connection, &job).await;
    lock(&machine).job = None;
    if let Err(error) = told {
        // The machine has done its work; spooling what the host has missed is another example.
        eprintln!("the host did not hear of {}: {error}", job.lot);
    }
}

async fn process(machine: &Mutex<Machine>, connection: &Connection, job: &Job) -> Result<(), RequestError> {
    report(connection, STARTED, job, 0).await?;
    for wafer in 1..=job.wafers {
        for &seconds in &job.steps {
            connection.net().sleep(Duration::from_secs(u64::from(seconds))).await;
        }
        let abort = {
            let state = &mut *lock(machine);
            state.processed = wafer;
            state.job.as_ref().is_some_and(|job| job.abort)
        };
        report(connection, WAFER_DONE, job, wafer).await?;
        if abort {
            return report(connection, ABORTED, job, wafer).await;
        }
    }
    report(connection, DONE, job, job.wafers).await
}

/// An event with one report: the lot, and the number of the wafer.
fn report(
    connection: &Connection,
    ceid: u32,
    job: &Job,
    wafer: u32,
) -> impl Future<Output = Result<(), RequestError>> + Send {
    let report = S6F11(EventReport {
        dataid: Id::from(0),
        ceid: Id::from(ceid),
        reports: vec![Report {
            rptid: Id::from(1),
            values: vec![Item::ascii(&job.lot), Item::u4(wafer)],
        }],
    });
    let connection = connection.clone();
    async move { connection.request_of(&report).await.map(|_| ()) }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
