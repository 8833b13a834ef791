//! What happens inside the tool: processes for lots and wafers, which share ports, a robot, chambers and a technician; and
//! what breaks.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use hsms::gem::Hcack;
use sim_io::{Environment, Event, Failure, PriorityResource, Process, Resource, Store, interruptible};

use super::memory::{Memory, Wafer};
use super::{CHAMBERS, EventKind};
use crate::line::clock::{Clock, minutes};
use crate::line::plan::RECIPES;

/// How long the robot takes to bring a wafer from a port to a chamber, or back.
const MOVE: Duration = Duration::from_secs(8);
/// How long a chamber works between two failures, on average.
const BETWEEN_FAILURES: Duration = minutes(150);
/// The robot's own alarm; those of the chambers count from 100.
const ROBOT_ALARM: u32 = 200;
const CHAMBER_ALARM: u32 = 100;

/// The tool's inside. When it is dropped, all that went on in it has ended.
pub(super) struct Machine {
    env: Environment,
    clock: Clock,
    memory: Memory,
    robot: PriorityResource,
    /// The chambers that are free, by number.
    free: Store<usize>,
    chambers: [Chamber; CHAMBERS.len()],
    technician: Resource,
    /// Happens when wafers may leave the ports again, while they may not.
    paused: RefCell<Option<Event<()>>>,
    crew: RefCell<Vec<Process<()>>>,
}

/// What a chamber is at.
#[derive(Default)]
struct Chamber {
    /// The process of the wafer in it.
    work: RefCell<Option<Process<()>>>,
    /// Whether it works, and a failure would interrupt it.
    works: Cell<bool>,
}

impl Machine {
    /// Power on: goes on with what the memory knows.
    pub(super) fn start(env: &Environment, clock: &Clock, memory: &Memory) -> Result<Rc<Self>, Failure> {
        let machine = Rc::new(Self {
            env: env.clone(),
            clock: clock.clone(),
            memory: memory.clone(),
            robot: PriorityResource::new(env, 1)?.named("robot"),
            free: Store::new(env).named("free chambers"),
            chambers: Default::default(),
            technician: Resource::new(env, 1)?.named("technician"),
            paused: RefCell::default(),
            crew: RefCell::default(),
        });
        let now = clock.now();
        memory.report(now, EventKind::PowerOn, "", 0, "");
        for (id, stops, text) in memory.open_alarms() {
            memory.alarm(now, id, false, stops, &text);
        }
        for chamber in 0..CHAMBERS.len() {
            // There is room: it is not limited.
            drop(machine.free.put(chamber));
            machine.work("failures", machine.clone().chamber_fails(chamber));
        }
        machine.work("robot failure", machine.clone().robot_fails());
        for port in 0..super::PORTS {
            let Some(job) = memory.job(port) else { continue };
            for (number, wafer) in (1..).zip(&job.wafers) {
                if *wafer == Wafer::InTool {
                    memory.note(port, number, Wafer::Scrapped);
                    memory.report(now, EventKind::WaferScrapped, &job.lot, number, port_name(port));
                }
            }
            machine.work(&job.lot, machine.clone().lot(port));
        }
        Ok(machine)
    }

    /// Starts a process that ends with the machine.
    pub(super) fn work(&self, name: &str, work: impl Future<Output = ()> + 'static) -> Process<()> {
        let process = self.env.named_process(name, work);
        let mut crew = self.crew.borrow_mut();
        crew.retain(Process::is_alive);
        crew.push(process.clone());
        process
    }

    /// Ends everything that goes on.
    pub(super) fn stop(&self) {
        for process in self.crew.borrow_mut().drain(..) {
            process.kill();
        }
    }

    /// `START`: a lot is put at a port, and processed.
    pub(super) fn start_lot(self: &Rc<Self>, lot: &str, recipe: &str) -> Hcack {
        let Some((_, seconds)) = RECIPES.iter().find(|(name, _)| *name == recipe) else {
            return Hcack::UnknownObject;
        };
        if self.memory.knows(lot) {
            return Hcack::Already;
        }
        let Some(port) = self.memory.load(lot, *seconds) else {
            return Hcack::CannotNow;
        };
        let now = self.clock.now();
        self.memory.report(now, EventKind::LotStarted, lot, 0, port_name(port));
        self.work(lot, self.clone().lot(port));
        Hcack::Later
    }

    /// `PAUSE`: what is in the chambers is finished, and no wafer follows.
    pub(super) fn pause(&self) -> Hcack {
        if self.paused.borrow().is_some() {
            return Hcack::Already;
        }
        *self.paused.borrow_mut() = Some(self.env.named_event("resume"));
        self.memory.report(self.clock.now(), EventKind::Paused, "", 0, "");
        Hcack::Accepted
    }

    /// `RESUME`.
    pub(super) fn resume(&self) -> Hcack {
        let Some(resume) = self.paused.borrow_mut().take() else {
            return Hcack::Already;
        };
        // Nobody else triggers it.
        let _ = resume.succeed(());
        self.memory.report(self.clock.now(), EventKind::Resumed, "", 0, "");
        Hcack::Accepted
    }

    async fn lot(self: Rc<Self>, port: usize) {
        let Some(job) = self.memory.job(port) else { return };
        let mut wafers = Vec::new();
        for (number, _) in (1..).zip(&job.wafers).filter(|(_, wafer)| **wafer == Wafer::AtPort) {
            let chamber = self.free.get().await;
            self.until_not_paused().await;
            self.memory.note(port, number, Wafer::InTool);
            let wafer = self.clone().wafer(port, number, job.lot.clone(), job.seconds, chamber);
            wafers.push(self.work(&format!("{} wafer {number}", job.lot), wafer));
        }
        for wafer in wafers {
            // One that has failed would have stopped the run.
            let _ = wafer.await;
        }
        let done = self.memory.job(port);
        let good = done.map_or(0, |job| {
            job.wafers.iter().filter(|wafer| **wafer == Wafer::Done).count()
        });
        self.memory.unload(port);
        let good = u32::try_from(good).unwrap_or(u32::MAX);
        self.memory
            .report(self.clock.now(), EventKind::LotDone, &job.lot, good, port_name(port));
    }

    async fn wafer(self: Rc<Self>, port: usize, number: u32, lot: String, seconds: u64, chamber: usize) {
        let name = CHAMBERS.get(chamber).copied().unwrap_or("?");
        self.carry().await;
        self.memory
            .report(self.clock.now(), EventKind::WaferStarted, &lot, number, name);
        let seconds = seconds as f64 * (0.9 + 0.2 * self.env.random_fraction());
        let work = self.work(
            "processing",
            self.clone().processing(chamber, Duration::from_secs_f64(seconds)),
        );
        if let Some(chamber) = self.chambers.get(chamber) {
            *chamber.work.borrow_mut() = Some(work.clone());
        }
        let _ = work.await;
        self.carry().await;
        self.memory.note(port, number, Wafer::Done);
        self.memory
            .report(self.clock.now(), EventKind::WaferDone, &lot, number, name);
        drop(self.free.put(chamber));
    }

    /// A wafer is in a chamber. A failure interrupts; after the repair the rest of the time passes.
    async fn processing(self: Rc<Self>, chamber: usize, time: Duration) {
        let Some(own) = self.chambers.get(chamber) else { return };
        let mut left = time;
        loop {
            let began = self.clock.now();
            own.works.set(true);
            let done = interruptible(&self.env, self.env.timeout(self.clock.real(left))).await;
            own.works.set(false);
            let Err(why) = done else { return };
            left = left.saturating_sub(self.clock.now() - began);
            let text = why.cause::<String>().cloned().unwrap_or_default();
            let id = CHAMBER_ALARM + u32::try_from(chamber).unwrap_or_default();
            self.repair(id, false, &text, 6, 20).await;
        }
    }

    /// Sets the alarm, has the technician come, and clears it.
    async fn repair(&self, id: u32, stops: bool, text: &str, least: u64, most: u64) {
        self.memory.alarm(self.clock.now(), id, true, stops, text);
        let technician = self.technician.request().await;
        let took = (most - least) as f64 * self.env.random_fraction();
        self.pass(minutes(least) + minutes(1).mul_f64(took)).await;
        drop(technician);
        self.memory.alarm(self.clock.now(), id, false, stops, text);
    }

    async fn chamber_fails(self: Rc<Self>, chamber: usize) {
        const WHAT: [&str; 3] = ["RF power out of tolerance", "pressure too high", "lift pins stuck"];
        loop {
            // Exponential: a failure says nothing of the next.
            let wait = BETWEEN_FAILURES.mul_f64(-(1.0 - self.env.random_fraction()).ln());
            self.pass(wait).await;
            let what = WHAT[(self.env.random() % WHAT.len() as u64) as usize];
            let name = CHAMBERS.get(chamber).copied().unwrap_or("?");
            let Some(own) = self.chambers.get(chamber).filter(|own| own.works.get()) else {
                continue;
            };
            if let Some(work) = &*own.work.borrow() {
                // It works, so it can be.
                let _ = work.interrupt(format!("chamber {name}: {what}"));
            }
        }
    }

    /// Now and then the robot loses its vacuum, and nothing moves.
    async fn robot_fails(self: Rc<Self>) {
        loop {
            self.pass(minutes(150) + minutes(120).mul_f64(self.env.random_fraction()))
                .await;
            // Before all wafers that wait for it. One that nobody needs does not fail.
            let _robot = self.robot.request(0).await;
            if (0..super::PORTS).all(|port| self.memory.job(port).is_none()) {
                continue;
            }
            self.repair(ROBOT_ALARM, true, "robot: vacuum lost", 5, 12).await;
        }
    }

    async fn carry(&self) {
        let _robot = self.robot.request(1).await;
        self.pass(MOVE).await;
    }

    async fn until_not_paused(&self) {
        loop {
            let resume = self.paused.borrow().clone();
            match resume {
                Some(resume) => drop(resume.await),
                None => return,
            }
        }
    }

    /// Lets time of the line pass.
    async fn pass(&self, time: Duration) {
        self.env.timeout(self.clock.real(time)).await;
    }
}

fn port_name(port: usize) -> &'static str {
    ["1", "2"].get(port).copied().unwrap_or("?")
}
