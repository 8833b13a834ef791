//! The host's books: what it knows of lots, chambers and alarms, and what passed through its hands.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::line::clock::{Clock, TimeOfDay};
use crate::line::news::{Alarm, News, Wish};
use crate::line::plan::WAFERS;
use crate::line::story::lock;
use crate::line::tally::Tally;
use crate::line::tool::{CHAMBERS, EventKind, Memory, ToolEvent};

/// Lots that are remembered; those that are not done in any case.
const REMEMBERED: usize = 100;
/// Lots that the page shows: the last ones.
const ON_THE_PAGE: usize = 16;
/// Things that happened which a display is told when it comes.
const RECENT: usize = 20;

/// The books. Clones are handles on the same ones.
#[derive(Clone, Debug)]
pub(crate) struct Books {
    clock: Clock,
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
}

/// Where a lot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LotState {
    Waiting,
    Running,
    Done,
}

#[derive(Clone, Debug)]
struct LotPage {
    recipe: &'static str,
    hot: bool,
    came: Duration,
    state: LotState,
    port: String,
    good: u32,
    scrapped: u32,
}

#[derive(Debug, Default)]
struct State {
    controller: Option<Arc<str>>,
    tool: Option<Arc<str>>,
    /// Whether an operator wants the line to be paused.
    held: bool,
    lots: BTreeMap<String, LotPage>,
    chambers: BTreeMap<String, (String, u32)>,
    open: BTreeMap<u32, Alarm>,
    /// The last things that happened, for a display that comes.
    recent: VecDeque<(Duration, String)>,
    passed: Passed,
}

/// What passed through the host's hands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Passed {
    /// Serial numbers of the tool's events.
    pub(crate) events: Tally,
    /// Alarms as they were set and cleared.
    pub(crate) alarms: Tally,
    /// Reports that came again, since the tool had not had an answer; not published a second time.
    pub(crate) repeated: u64,
    /// Events that never came.
    pub(crate) missing: u64,
    /// Commands to the tool; those that it answered; those of which the controller was told that there is no answer.
    pub(crate) orders: u64,
    pub(crate) answers: u64,
    pub(crate) unanswered: u64,
    /// How often a controller has connected; the lines that the last one was sent, and those that it says it has heard.
    pub(crate) greeted: u64,
    pub(crate) told: u64,
    pub(crate) heard: Option<u64>,
    /// Lots that came, that were started, that are done.
    pub(crate) came: u64,
    pub(crate) started: u64,
    pub(crate) done: u64,
    /// Lots that the controller chose though it knew of a hot one that waited.
    pub(crate) overtaken: u64,
    pub(crate) good: u32,
    pub(crate) scrapped: u32,
    /// Alarms that are set.
    pub(crate) open_alarms: usize,
}

impl Books {
    pub(super) fn new(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            state: Arc::default(),
            changed: Arc::default(),
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut lock(&self.state));
        self.changed.notify_waiters();
        changed
    }

    /// Waits until the books say so. Cancel safe.
    async fn until(&self, so: impl Fn(&State) -> bool) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if so(&lock(&self.state)) {
                return;
            }
            changed.await;
        }
    }

    /// Waits until the controller is in this state.
    pub(crate) async fn until_line_is(&self, wanted: impl Fn(&str) -> bool) {
        self.until(|state| state.controller.as_deref().is_some_and(&wanted))
            .await;
    }

    /// Waits until so many lots are done.
    pub(crate) async fn until_done(&self, lots: u64) {
        self.until(|state| state.passed.done >= lots).await;
    }

    /// Waits until everything that the tool has reported has come, and no alarm is set.
    pub(crate) async fn until_quiet(&self, tool: &Memory) {
        let level = |state: &State| {
            state.passed.events.count >= tool.events().count && state.passed.alarms.count >= tool.alarms().count
        };
        self.until(|state| level(state) && state.open.is_empty()).await;
    }

    /// Waits until the controller has said how much it has heard.
    pub(crate) async fn until_controller_has_reported(&self) {
        self.until(|state| state.passed.heard.is_some()).await;
    }

    pub(super) fn note(&self, news: &News) {
        self.change(|state| match news {
            News::Online(model) => state.tool = Some(Arc::clone(model)),
            News::Offline(_) => state.tool = None,
            News::Event(event) => state.event(event),
            News::Alarm(alarm) => {
                if alarm.set {
                    state.open.insert(alarm.id, Alarm::clone(alarm));
                } else {
                    state.open.remove(&alarm.id);
                }
                state.passed.alarms.note(alarm.key());
                let what = if alarm.set { "ALARM" } else { "cleared" };
                state.happened(alarm.at, format!("{what} {}", alarm.text));
            }
            News::Waiting(lot) => {
                let page = LotPage {
                    recipe: lot.recipe,
                    hot: lot.hot,
                    came: self.clock.now(),
                    state: LotState::Waiting,
                    port: String::new(),
                    good: 0,
                    scrapped: 0,
                };
                state.passed.came += 1;
                state.lots.insert(lot.name.clone(), page);
                state.forget();
            }
            News::State(name) => state.controller = Some(Arc::clone(name)),
            News::Wish(wish) => state.held = *wish == Wish::Hold,
            News::Greeting(greeting) => {
                if let Some(greeting) = lock(greeting).take() {
                    // Who asked may be gone again.
                    let _ = greeting.send(state.greeting());
                }
            }
            News::Answer(_) | News::Over => {}
        });
    }

    /// A report that came again.
    pub(super) fn repeated(&self) {
        self.change(|state| state.passed.repeated += 1);
    }

    /// Events that should have come before the one that came.
    pub(super) fn missing(&self, count: u64) {
        self.change(|state| state.passed.missing += count);
    }

    /// The tool was sent a command; whether it has answered, with whatever.
    pub(super) fn ordered(&self, answered: bool) {
        self.change(|state| {
            state.passed.orders += 1;
            state.passed.answers += u64::from(answered);
            state.passed.unanswered += u64::from(!answered);
        });
    }

    /// The controller has chosen a lot though it knew of a hot one that waits.
    pub(super) fn overtaken(&self) {
        self.change(|state| state.passed.overtaken += 1);
    }

    /// A controller has connected.
    pub(super) fn greeted(&self) {
        self.change(|state| state.passed.greeted += 1);
    }

    /// The controller was sent so many lines on its connection, and says that it has heard so many.
    pub(super) fn heard(&self, told: u64, heard: u64) {
        self.change(|state| (state.passed.told, state.passed.heard) = (told, Some(heard)));
    }

    pub(super) fn recipe(&self, lot: &str) -> Option<&'static str> {
        lock(&self.state).lots.get(lot).map(|page| page.recipe)
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn passed(&self) -> Passed {
        let state = lock(&self.state);
        Passed {
            open_alarms: state.open.len(),
            ..state.passed.clone()
        }
    }

    /// What `status` answers.
    pub(crate) fn status_line(&self) -> String {
        let state = lock(&self.state);
        let Passed {
            came, started, done, ..
        } = state.passed;
        format!(
            "line {}, tool {}, lots: {} waiting, {} running, {} done; alarms: {}",
            state.controller.as_deref().unwrap_or("without controller"),
            state.tool.as_deref().unwrap_or("offline"),
            came - started,
            started - done,
            done,
            state.open.len(),
        )
    }

    /// What `lots` answers: those that are not done, or all.
    pub(crate) fn lot_lines(&self, all: bool) -> Vec<String> {
        let state = lock(&self.state);
        let pages = state
            .lots
            .iter()
            .filter(|(_, page)| all || page.state != LotState::Done);
        let mut lines: Vec<_> = pages.map(|(name, page)| page.line(name)).collect();
        if lines.is_empty() {
            lines.push("no lots".to_owned());
        }
        lines
    }

    /// What `alarms` answers.
    pub(crate) fn alarm_lines(&self) -> Vec<String> {
        let state = lock(&self.state);
        if state.open.is_empty() {
            return vec!["no alarms".to_owned()];
        }
        let open = state.open.values();
        open.map(|alarm| format!("{} since {}: {}", alarm.id, TimeOfDay(alarm.at), alarm.text))
            .collect()
    }

    /// The last things that happened, for the page.
    pub(crate) fn recent(&self) -> Value {
        let state = lock(&self.state);
        let recent = state.recent.iter();
        recent
            .map(|(at, text)| json!({ "time": TimeOfDay(*at).to_string(), "text": text }))
            .collect()
    }

    /// All of it for the page.
    pub(crate) fn json(&self) -> Value {
        let time = TimeOfDay(self.clock.now()).to_string();
        let state = lock(&self.state);
        let mut lots: Vec<_> = state.lots.iter().collect();
        lots.sort_by_key(|(_, page)| page.came);
        let hidden = lots.len().saturating_sub(ON_THE_PAGE);
        let lots = lots.into_iter().skip(hidden).map(|(name, page)| {
            json!({
                "lot": name, "recipe": page.recipe, "hot": page.hot, "state": page.state.word(), "port": page.port,
                "good": page.good, "scrapped": page.scrapped, "of": WAFERS,
            })
        });
        let chambers = CHAMBERS.map(|name| match state.chambers.get(name) {
            Some((lot, wafer)) => json!({ "chamber": name, "lot": lot, "wafer": wafer }),
            None => json!({ "chamber": name }),
        });
        let alarms = state.open.values();
        json!({
            "time": time,
            "line": state.controller.as_deref(),
            "tool": state.tool.as_deref(),
            "lots": lots.collect::<Vec<_>>(),
            "chambers": chambers,
            "alarms": alarms.map(|alarm| json!({ "id": alarm.id, "text": alarm.text })).collect::<Vec<_>>(),
            "events": state.passed.events.count, "done": state.passed.done, "good": state.passed.good,
        })
    }
}

impl LotState {
    const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
        }
    }
}

impl LotPage {
    fn line(&self, name: &str) -> String {
        let hot = if self.hot { ", hot" } else { "" };
        let what = match self.state {
            LotState::Waiting => format!("waiting since {}", TimeOfDay(self.came)),
            LotState::Running => format!("at port {}, {} of {WAFERS} wafers done", self.port, self.good),
            LotState::Done => format!("done, {} of {WAFERS} wafers good", self.good),
        };
        format!("{name} {}{hot}: {what}", self.recipe)
    }
}

impl State {
    /// Old lots that are done are forgotten.
    fn forget(&mut self) {
        while self.lots.len() > REMEMBERED {
            let done = self.lots.iter().filter(|(_, page)| page.state == LotState::Done);
            let done = done.min_by_key(|(_, page)| page.came);
            let Some(name) = done.map(|(name, _)| name.clone()) else {
                return;
            };
            self.lots.remove(&name);
        }
    }

    /// How things are, as lines for the controller.
    fn greeting(&self) -> Vec<String> {
        let mut lines = vec!["books".to_owned()];
        let stops = self.open.values().filter(|alarm| alarm.stops);
        lines.extend(stops.map(|alarm| format!("alarm set {}", alarm.id)));
        lines.push(if self.held { "hold" } else { "resume" }.to_owned());
        let mut lots: Vec<_> = self.lots.iter().collect();
        lots.sort_by_key(|(_, page)| page.came);
        for (name, page) in lots {
            match page.state {
                LotState::Waiting => lines.push(format!(
                    "lot waiting {name} {}",
                    if page.hot { "hot" } else { "normal" }
                )),
                LotState::Running => lines.push(format!("lot started {name}")),
                LotState::Done => {}
            }
        }
        if self.tool.is_some() {
            lines.push("tool online".to_owned());
        }
        lines
    }

    fn happened(&mut self, at: Duration, what: String) {
        self.recent.push_back((at, what));
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
    }

    fn event(&mut self, event: &ToolEvent) {
        self.passed.events.note(event.serial);
        if event.kind != EventKind::WaferStarted {
            self.happened(event.at, event.to_string());
        }
        let page = self.lots.get_mut(&event.lot);
        match event.kind {
            EventKind::PowerOn => self.chambers.clear(),
            EventKind::Paused | EventKind::Resumed => {}
            EventKind::LotStarted => {
                self.passed.started += 1;
                if let Some(page) = page {
                    page.state = LotState::Running;
                    page.port.clone_from(&event.place);
                }
            }
            EventKind::LotDone => {
                self.passed.done += 1;
                if let Some(page) = page {
                    page.state = LotState::Done;
                }
            }
            EventKind::WaferStarted => {
                self.chambers
                    .insert(event.place.clone(), (event.lot.clone(), event.wafer));
            }
            EventKind::WaferDone => {
                self.chambers.remove(&event.place);
                self.passed.good += 1;
                if let Some(page) = page {
                    page.good += 1;
                }
            }
            EventKind::WaferScrapped => {
                self.passed.scrapped += 1;
                if let Some(page) = page {
                    page.scrapped += 1;
                }
            }
        }
    }
}
