//! What the host sees of the tool: an equipment at the other end of an HSMS connection.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hsms::gem::{AlarmCode, EventReport, Gem, Hcack, Id, Model, Report as Data, S1F3, S1F4, S2F41, S2F42, S5F1, S6F11};
use hsms::item::Item;
use hsms::{ConnectionOptions, Endpoint, Net, PassiveConnection};
use sim_io::{Environment, Failure};
use tokio::sync::{mpsc, oneshot};

use super::machine::Machine;
use super::memory::{Memory, Report};
use super::{SV_PROCESSED, SV_SPOOLED, ToolEvent};
use crate::line::clock::Clock;
use crate::line::news::Alarm;

/// How long the tool waits before it tries again to be heard.
const AGAIN: Duration = Duration::from_secs(1);
/// Commands that wait for the machine; the host sends one after the other.
const COMMANDS: usize = 16;

/// What the tool is made of, and where it listens.
pub(crate) struct Tool {
    pub(crate) env: Environment,
    pub(crate) net: Net,
    pub(crate) at: Endpoint,
    pub(crate) clock: Clock,
    pub(crate) memory: Memory,
}

/// Asks the machine's own process, which answers.
type Ask = (S2F41, oneshot::Sender<Hcack>);

/// Runs the tool from power on until it is told to stop, or whoever could do so is gone. `ready` learns where it listens.
pub(crate) async fn run(
    tool: Tool,
    ready: oneshot::Sender<hsms::Result<Endpoint>>,
    stop: oneshot::Receiver<()>,
) -> Result<(), Failure> {
    let Tool {
        env,
        net,
        at,
        clock,
        memory,
    } = tool;
    let (asks, desk) = mpsc::channel(COMMANDS);
    let gem = Arc::new(gem(asks, &memory));
    let equipment = PassiveConnection::new(&net, at, ConnectionOptions::new(0), Arc::clone(&gem));
    let listens = equipment.enable().await;
    let failed = listens.is_err();
    if ready.send(listens).is_err() || failed {
        return Ok(());
    }
    let machine = Running(Machine::start(&env, &clock, &memory)?);
    machine.0.work("command desk", commands(Rc::clone(&machine.0), desk));
    machine
        .0
        .work("reports", tell(net, equipment.connection().clone(), gem, memory));
    // Whether it is said or everybody has left, it is over.
    let _ = stop.await;
    drop(machine);
    equipment.stop().await;
    Ok(())
}

/// The machine, which stops when this is gone, by a loss of power too.
struct Running(Rc<Machine>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.stop();
    }
}

fn gem(asks: mpsc::Sender<Ask>, memory: &Memory) -> Gem {
    let model = Model {
        mdln: "ETCH-01".into(),
        softrev: "4.2".into(),
    };
    let memory = memory.clone();
    Gem::equipment(model)
        .on(move |_, command: S2F41| {
            let asks = asks.clone();
            async move {
                let (answer, answered) = oneshot::channel();
                // A machine that is gone can't do anything now.
                let hcack = match asks.send((command, answer)).await {
                    Ok(()) => answered.await.unwrap_or(Hcack::CannotNow),
                    Err(_) => Hcack::CannotNow,
                };
                S2F42 {
                    hcack,
                    parameters: Vec::new(),
                }
            }
        })
        .on(move |_, S1F3(asked): S1F3| {
            let value = |id: &Id| match id.number() {
                Some(id) if id == u64::from(SV_PROCESSED) => Item::u4(memory.wafers().0),
                Some(id) if id == u64::from(SV_SPOOLED) => Item::u4(memory.spooled() as u32),
                _ => Item::list([]),
            };
            let values = asked.iter().map(value).collect();
            async { S1F4(values) }
        })
}

/// Gives commands to the machine, on its own thread.
async fn commands(machine: Rc<Machine>, mut desk: mpsc::Receiver<Ask>) {
    while let Some((command, answer)) = desk.recv().await {
        let text = |name: &str| {
            let named = |parameter: &&hsms::gem::Parameter| parameter.name.text().as_deref() == Some(name);
            let found = command.parameters.iter().find(named)?;
            found.value.read::<String>().ok()
        };
        let hcack = match &*command.rcmd {
            "START" => match (text("LOT"), text("PPID")) {
                (Some(lot), Some(recipe)) => machine.start_lot(&lot, &recipe),
                _ => Hcack::Parameter,
            },
            "PAUSE" => machine.pause(),
            "RESUME" => machine.resume(),
            _ => Hcack::UnknownCommand,
        };
        // Who has asked may be gone; then the event tells.
        let _ = answer.send(hcack);
    }
}

/// Tells the host what there is to tell, one after the other, until each is confirmed: at least once.
async fn tell(net: Net, connection: hsms::Connection, gem: Arc<Gem>, memory: Memory) {
    loop {
        let report = memory.oldest().await;
        if gem.communicating(&net, Duration::from_secs(60)).await.is_err() {
            continue;
        }
        let confirmed = match &report {
            Report::Event(event) => connection.request_of(&event_report(event)).await.map(|reply| reply.0),
            Report::Alarm(alarm) => connection.request_of(&alarm_report(alarm)).await.map(|reply| reply.0),
        };
        match confirmed {
            Ok(answer) if answer.is_accepted() => memory.confirmed(),
            _ => net.sleep(AGAIN).await,
        }
    }
}

fn event_report(event: &ToolEvent) -> S6F11 {
    S6F11(EventReport {
        dataid: Id::from(event.serial),
        ceid: Id::from(event.kind as u32),
        reports: vec![Data {
            rptid: Id::from(1),
            values: vec![
                Item::u8(u64::try_from(event.at.as_millis()).unwrap_or(u64::MAX)),
                Item::ascii(&event.lot),
                Item::u4(event.wafer),
                Item::ascii(&event.place),
            ],
        }],
    })
}

/// Category 2 is danger for the equipment, 7 a warning: that is all that the host has to know.
fn alarm_report(alarm: &Alarm) -> S5F1 {
    S5F1(hsms::gem::Alarm {
        alcd: AlarmCode::new(alarm.set, if alarm.stops { 2 } else { 7 }),
        alid: Id::from(alarm.id),
        text: alarm.text.clone(),
    })
}
