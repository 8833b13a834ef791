//! The shift, from its first lot to its last: the same in all worlds.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use net_core::{Endpoint, Net, Task};
use tokio::sync::oneshot;

use super::args::Args;
use super::clock::minutes;
use super::controller::{Controller, Faults};
use super::host::{Host, Passed, ToolLink};
use super::people::{Asked, Person};
use super::plan::{self, SHIFT};
use super::story::{Story, lock};
use super::tally::Tally;
use super::tool::Memory;
use super::web::{Served, Web};
use super::{Failed, Outcome, console};

/// How often somebody looks whether everything still works.
const ROUND: Duration = minutes(5);
/// When a shift that does not end is given up, in virtual time. On sockets the line's clock runs faster than the machine may
/// be able to follow: there only the watchdog, by the clock on the wall, decides.
const TOO_LATE: Duration = minutes(14 * 60);
/// How long things may take on the network that take no time on the line.
const SOON: Duration = Duration::from_secs(60);

/// Where everybody is.
pub(crate) struct World {
    /// The network of a host, by its name.
    pub(crate) net: Box<dyn Fn(&'static str) -> Outcome<Net>>,
    pub(crate) story: Story,
    pub(crate) tool: Endpoint,
    pub(crate) memory: Memory,
    /// The running controller, for whoever may take its power away; and what went wrong in it.
    pub(crate) running_controller: Rc<RefCell<Option<Controller>>>,
    pub(crate) faults: Faults,
    /// Where to listen: consoles by TCP, by TLS, and on a Unix socket where there are such.
    pub(crate) consoles: Vec<Endpoint>,
    pub(crate) web: Endpoint,
    pub(crate) controller: Endpoint,
}

/// What is known at the end, for the checks.
pub(crate) struct Record {
    pub(crate) passed: Passed,
    /// What the display on the wall saw, if there was one.
    pub(crate) wall: Option<Tally>,
    pub(crate) served: Served,
    pub(crate) asked: Asked,
    /// What went wrong with people and controller.
    pub(crate) trouble: Vec<String>,
}

/// Runs the shift; it ends when all lots are done, or with `stop`.
pub(crate) async fn run(world: &World, args: &Args, stop: impl Future<Output = ()>) -> Outcome<Record> {
    let (net, story, memory) = ((world.net)("host")?, &world.story, &world.memory);
    let mut host = Host::start(&net, &world.controller, story).await?;
    let books = host.books.clone();
    let controller = Controller::start(&(world.net)("controller")?, &host.controller_at, story, &world.faults)?;
    *world.running_controller.borrow_mut() = Some(controller);
    let mut consoles = Vec::new();
    for at in &world.consoles {
        consoles.push(console::start(&net, at, &books, &host.desk).await?);
    }
    let listening: Vec<_> = consoles.iter().map(|console| console.endpoint().clone()).collect();
    let web = Web::start(&net, &world.web, &host.system, &books).await?;
    introduce(world, &host, &listening, web.at());

    let asked = Asked::default();
    let person = |name| {
        Ok::<_, Failed>(Person {
            net: (world.net)(name)?,
            consoles: listening.clone(),
            web: web.at().clone(),
            story: story.clone(),
            asked: asked.clone(),
        })
    };
    let (ready, is_ready) = oneshot::channel();
    let wall = person("wall")?;
    let wall = wall.net.clone().spawn(wall.watches(ready))?;
    net.timeout(SOON, is_ready)
        .await?
        .map_err(|_| Failed::text("the display on the wall did not come up"))?;

    // All who want to know are there.
    let lots = plan::lots(args.seed, args.lots);
    let expected = if args.serve { u64::MAX } else { lots.len() as u64 };
    if args.serve {
        host.drive(
            ToolLink::new(&net, world.tool.clone()),
            plan::without_end(args.seed, args.lots),
            story,
        )?;
    } else {
        host.drive(ToolLink::new(&net, world.tool.clone()), lots.into_iter(), story)?;
    }
    let mut people = if args.serve { Vec::new() } else { staff(&person)? };
    if args.sim {
        people.extend(sleepers(&person)?);
    }

    let over = async {
        books.until_done(expected).await;
        story.clock().until(SHIFT).await;
        for (name, person) in people {
            match person.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Err(Failed::new(name, error)),
                Err(error) => return Err(Failed::new(name, error)),
            }
        }
        Ok(())
    };
    let mut trouble = Vec::new();
    tokio::select! {
        biased;
        () = stop => story.tell("shift", "is asked to end"),
        failure = rounds(story, &host, args) => return Err(failure),
        ended = over => if let Err(error) = ended { trouble.push(error.to_string()) },
    }

    if !args.serve {
        // What the tool has still to say, it says: the last alarm is cleared, the last report confirmed.
        net.timeout(minutes(60), books.until_quiet(memory))
            .await
            .map_err(|_| Failed::text(format!("the tool does not come to rest: {}", books.status_line())))?;
    }
    host.desk.publish(super::news::News::Over).await;
    net.timeout(SOON, books.until_controller_has_reported())
        .await
        .map_err(|_| Failed::text("the controller does not say what it has heard"))?;
    let wall = net.timeout(SOON, wall).await?;
    let wall = match wall.map_err(Failed::from).and_then(|seen| seen) {
        Ok(seen) => Some(seen),
        Err(error) => {
            trouble.push(format!("the display on the wall: {error}"));
            None
        }
    };
    story.tell("shift", "is over");

    trouble.extend(
        lock(&world.faults)
            .iter()
            .map(|fault| format!("the controller: {fault}")),
    );
    let controller = world.running_controller.borrow_mut().take();
    if let Some(controller) = controller {
        net.timeout(SOON, controller.stop()).await?;
    }
    for console in consoles {
        console.stop(SOON).await;
    }
    host.stop(&net).await?;
    web.stop(&net).await;
    Ok(Record {
        passed: books.passed(),
        wall,
        served: web.served(),
        asked,
        trouble,
    })
}

/// Says where everything is.
fn introduce(world: &World, host: &Host, consoles: &[Endpoint], web: &Endpoint) {
    let story = &world.story;
    let page = web.to_string().replacen("tcp", "http", 1);
    story.line("The line:");
    story.line(format_args!("  tool         HSMS, listens on {}", world.tool));
    story.line(format_args!(
        "  host         awaits the controller on {}",
        host.controller_at
    ));
    for (at, how) in consoles.iter().zip(["console", "by TLS", "by socket"]) {
        story.line(format_args!("  {how:<12} lines, listens on {at}"));
    }
    story.line(format_args!(
        "  page         {page}/, as JSON {page}/status, as WebSocket {page}/events"
    ));
    story.line("");
}

type Present = Vec<(&'static str, Task<Outcome<()>>)>;

/// Who works in this shift.
fn staff(person: &impl Fn(&'static str) -> Outcome<Person>) -> Outcome<Present> {
    let mut people = Present::new();
    let mut add = |name: &'static str, work: fn(Person) -> Work| {
        let someone = person(name)?;
        let net = someone.net.clone();
        people.push((name, net.spawn(work(someone))?));
        Ok::<_, Failed>(())
    };
    add("ann", |ann| {
        Box::pin(ann.operates("ann", minutes(35), &["status", "lots"]))
    })?;
    add("ann", |ann| {
        Box::pin(ann.operates("ann", minutes(92), &["hold", "status"]))
    })?;
    add("ann", |ann| {
        Box::pin(ann.operates("ann", minutes(101), &["resume", "status"]))
    })?;
    add("gil", |gil| {
        Box::pin(gil.over("tls").operates("gil", minutes(120), &["status"]))
    })?;
    add("host", |jo| {
        Box::pin(jo.over("unix").operates("jo", minutes(150), &["lots", "alarms"]))
    })?;
    add("bob", |bob| {
        Box::pin(bob.uses_nc("bob", minutes(185), "status\r\nalarms\r\n"))
    })?;
    add("eve", |eve| Box::pin(eve.asks_the_page("eve", minutes(270))))?;
    add("ann", |ann| {
        Box::pin(ann.operates("ann", minutes(475), &["lots all", "alarms", "status"]))
    })?;
    Ok(people)
}

/// Who sleeps in this shift, and who waits for it: only where the time limit of the console is short beside a shift.
fn sleepers(person: &impl Fn(&'static str) -> Outcome<Person>) -> Outcome<Present> {
    let (carl, dora) = (person("carl")?, person("dora")?);
    let (carl_net, dora_net) = (carl.net.clone(), dora.net.clone());
    let sleeps = async move {
        let slept = carl.clone().falls_asleep("carl", minutes(220)).await?;
        if slept > minutes(5) {
            return Err(Failed::text("the console waited far too long"));
        }
        carl.operates("carl", minutes(222), &["lots all"]).await
    };
    let waits = dora.operates("dora", minutes(220) + Duration::from_secs(10), &["status"]);
    Ok(vec![
        ("carl", carl_net.spawn(sleeps)?),
        ("dora", dora_net.spawn(waits)?),
    ])
}

type Work = std::pin::Pin<Box<dyn Future<Output = Outcome<()>> + Send>>;

/// Looks now and then whether everything works, and tells each hour how far it is. Gives what does not work.
async fn rounds(story: &Story, host: &Host, args: &Args) -> Failed {
    let mut at = ROUND;
    loop {
        story.clock().until(at).await;
        if let Some(failure) = host.failure() {
            return Failed::new("the host", failure);
        }
        let passed = host.books.passed();
        let Passed {
            done,
            good,
            came,
            open_alarms,
            ..
        } = passed;
        if at.as_secs().is_multiple_of(3600) {
            let lots = if args.serve { came } else { u64::from(args.lots) };
            let bar: String = (0..lots.min(40))
                .map(|lot| if lot < done { '#' } else { '.' })
                .collect();
            story.tell(
                "shift",
                format_args!("[{bar}] {done} of {lots} lots, {good} wafers, {open_alarms} alarms"),
            );
        }
        if at >= TOO_LATE && args.sim {
            return Failed::text(format!("the shift does not end: {}", host.books.status_line()));
        }
        at += ROUND;
    }
}
