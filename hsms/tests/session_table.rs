//! Everything that can happen to a session, in every state: each frame, each timer, and what must come of it.
//!
//! A cell of the tables reads `STATE >sent frame, verdict or end of a transaction`. The verdicts are those of
//! [`Received`]; `-` is a case that can't be.

use std::time::Duration;

use hsms::net_core::Instant;
use hsms::session::{Action, CloseReason, Device, Entities, Outcome, Received, Session, State};
use hsms::{Header, Linktest, RejectReason, SType, SelectStatus, SessionOptions, StreamFunction, Timer, Timers};

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);
/// System bytes of the peer, and of nothing of ours.
const THEIRS: u32 = 0x7777;
const S1F1: StreamFunction = StreamFunction::new(1, 1);

/// HSMS-SS, a device with the id 0. The columns: not connected (the side that connects, T5 runs); not selected; a Select
/// of ours is open (the side that connects); selected; a request S1F1 of ours is open (equipment); the same on a host; a
/// Linktest of ours is open; being closed.
const SINGLE: &str = "
what                 | NOT CONNECTED | NOT SELECTED             | select open              | SELECTED                     | request open                 | host, request open           | linktest open                | closing
S1F1 W               | NC            | NS >Reject 4             | NS >Reject 4             | S primary                    | S primary                    | S primary                    | S primary                    | closing
S1F1                 | NC            | NS >Reject 4             | NS >Reject 4             | S primary                    | S primary                    | S primary                    | S primary                    | closing
S1F1 W, foreign id   | NC            | NS >Reject 4             | NS >Reject 4             | S >S9F1                      | S >S9F1                      | S >S1F0                      | S >S9F1                      | closing
S1F1, foreign id     | NC            | NS >Reject 4             | NS >Reject 4             | S >S9F1                      | S >S9F1                      | S                            | S >S9F1                      | closing
S9F1, foreign id     | NC            | NS >Reject 4             | NS >Reject 4             | S                            | S                            | S                            | S                            | closing
S1F2 W               | NC            | NS >Reject 4             | NS >Reject 4             | S >S9F5                      | S >S9F5                      | S >S1F0                      | S >S9F5                      | closing
S1F1 W, our system   | NC            | NS >Reject 4             | NS >Reject 4             | S primary                    | S primary                    | S primary                    | S primary                    | closing
S1F2                 | NC            | NS >Reject 4             | NS >Reject 4             | S                            | S reply                      | S reply                      | S                            | closing
S1F2, foreign id     | NC            | NS >Reject 4             | NS >Reject 4             | S                            | S                            | S                            | S                            | closing
S1F2, other system   | NC            | NS >Reject 4             | NS >Reject 4             | S                            | S                            | S                            | S                            | closing
S1F4                 | NC            | NS >Reject 4             | NS >Reject 4             | S                            | S                            | S                            | S                            | closing
S2F2                 | NC            | NS >Reject 4             | NS >Reject 4             | S                            | S                            | S                            | S                            | closing
S1F0                 | NC            | NS >Reject 4             | NS >Reject 4             | S                            | S aborted                    | S aborted                    | S                            | closing
S9F5 about ours      | NC            | NS >Reject 4             | NS >Reject 4             | S primary                    | S S9F5                       | S S9F5                       | S primary                    | closing
S9F9 about ours      | NC            | NS >Reject 4             | NS >Reject 4             | S primary                    | S primary                    | S primary                    | S primary                    | closing
S9F5 about others    | NC            | NS >Reject 4             | NS >Reject 4             | S primary                    | S primary                    | S primary                    | S primary                    | closing
Select.req           | NC            | S >Select.rsp 0          | S >Select.rsp 0          | S >Select.rsp 1              | S >Select.rsp 1              | S >Select.rsp 1              | S >Select.rsp 1              | closing
Select.req, id 5     | NC            | NS >Select.rsp 4         | NS >Select.rsp 4         | S >Select.rsp 1              | S >Select.rsp 1              | S >Select.rsp 1              | S >Select.rsp 1              | closing
Select.rsp 0         | NC            | NS >Reject 3             | S done                   | S >Reject 3                  | S >Reject 3                  | S >Reject 3                  | S >Reject 3                  | closing
Select.rsp 1         | NC            | NS >Reject 3             | closing select 1, close  | S >Reject 3                  | S >Reject 3                  | S >Reject 3                  | S >Reject 3                  | closing
Select.rsp 2         | NC            | NS >Reject 3             | closing select 2, close  | S >Reject 3                  | S >Reject 3                  | S >Reject 3                  | S >Reject 3                  | closing
Select.rsp 3         | NC            | NS >Reject 3             | closing select 3, close  | S >Reject 3                  | S >Reject 3                  | S >Reject 3                  | S >Reject 3                  | closing
Select.rsp, unasked  | NC            | NS >Reject 3             | NS >Reject 3             | S >Reject 3                  | S >Reject 3                  | S >Reject 3                  | S >Reject 3                  | closing
Deselect.req         | NC            | NS >Deselect.rsp 1       | NS >Deselect.rsp 1       | NS >Deselect.rsp 0           | NS >Deselect.rsp 0, unselected | NS >Deselect.rsp 0, unselected | NS >Deselect.rsp 0         | closing
Deselect.rsp 0       | NC            | NS >Reject 3             | NS >Reject 3             | S >Reject 3                  | S >Reject 3                  | S >Reject 3                  | S >Reject 3                  | closing
Deselect.rsp 1       | NC            | NS >Reject 3             | NS >Reject 3             | S >Reject 3                  | S >Reject 3                  | S >Reject 3                  | S >Reject 3                  | closing
Linktest.req         | NC            | NS >Linktest.rsp         | NS >Linktest.rsp         | S >Linktest.rsp              | S >Linktest.rsp              | S >Linktest.rsp              | S >Linktest.rsp              | closing
Linktest.rsp         | NC            | NS >Reject 3             | NS >Reject 3             | S >Reject 3                  | S >Reject 3                  | S >Reject 3                  | S done                       | closing
Linktest.rsp, unasked | NC           | NS >Reject 3             | NS >Reject 3             | S >Reject 3                  | S >Reject 3                  | S >Reject 3                  | S >Reject 3                  | closing
Reject 1             | NC            | NS                       | closing rejected 1, close | S                           | S rejected 1                 | S rejected 1                 | S rejected 1                 | closing
Reject 4             | NC            | NS                       | closing rejected 4, close | S                           | S rejected 4                 | S rejected 4                 | S rejected 4                 | closing
Reject 3, unasked    | NC            | NS                       | NS                       | S                            | S                            | S                            | S                            | closing
Reject with text     | NC            | NS                       | closing rejected 1, close | S                           | S rejected 1                 | S rejected 1                 | S rejected 1                 | closing
Separate.req         | NC            | NS                       | NS                       | closing close                | closing closed, close        | closing closed, close        | closing closed, close        | closing
SType 8              | NC            | NS >Reject 1             | NS >Reject 1             | S >Reject 1                  | S >Reject 1                  | S >Reject 1                  | S >Reject 1                  | closing
SType 10             | NC            | NS >Reject 1             | NS >Reject 1             | S >Reject 1                  | S >Reject 1                  | S >Reject 1                  | S >Reject 1                  | closing
SType 200            | NC            | NS >Reject 1             | NS >Reject 1             | S >Reject 1                  | S >Reject 1                  | S >Reject 1                  | S >Reject 1                  | closing
PType 1              | NC            | NS >Reject 2             | NS >Reject 2             | S >Reject 2                  | S >Reject 2                  | S >Reject 2                  | S >Reject 2                  | closing
PType 1, Select.req  | NC            | NS >Reject 2             | NS >Reject 2             | S >Reject 2                  | S >Reject 2                  | S >Reject 2                  | S >Reject 2                  | closing
PType 1, Reject      | NC            | NS                       | NS                       | S                            | S                            | S                            | S                            | closing
Select.req with text | NC            | NS >Reject 1             | NS >Reject 1             | S >Reject 1                  | S >Reject 1                  | S >Reject 1                  | S >Reject 1                  | closing
Separate with text   | NC            | NS >Reject 1             | NS >Reject 1             | S >Reject 1                  | S >Reject 1                  | S >Reject 1                  | S >Reject 1                  | closing
T3                   | NC            | NS                       | NS                       | S                            | S >S9F9, T3                  | S T3                         | S                            | closing
T5                   | NC dial       | NS                       | NS                       | S                            | S                            | S                            | S                            | closing
T6                   | NC            | NS                       | closing T6, close        | S                            | S                            | S                            | closing T6, close            | closing
T7                   | NC            | closing close            | closing T7, close        | S                            | S                            | S                            | S                            | closing
T8                   | NC            | NC                       | NC T8                    | NC                           | NC T8                        | NC T8                        | NC T8                        | NC
linktest interval    | NC            | NS                       | NS                       | S >Linktest.req              | S                            | S                            | S                            | closing
select delay         | NC            | NS                       | NS                       | S                            | S                            | S                            | S                            | closing
connected            | NS >Select.req | NS                      | NS                       | S                            | S                            | S                            | S                            | closing
peer closes          | NC            | NC                       | NC closed                | NC                           | NC closed                    | NC closed                    | NC closed                    | NC
we end               | NC            | closing close            | closing closed, close    | closing >Separate.req, close | closing >Separate.req, closed, close | closing >Separate.req, closed, close | closing >Separate.req, closed, close | closing
";

/// HSMS-GS with the entities 1 to 3, of which another connection has 3. The columns: none is selected; a Select of entity
/// 1 is open; 1 is selected; 1 and 2 are; a Deselect of 1 is open; a request to entity 1 is open.
const GENERAL: &str = "
what                 | none                     | select 1 open            | 1                            | 1 and 2                      | deselect 1 open              | request to 1 open
S1F1 W to 1          | NS >Reject 4             | NS >Reject 4             | S primary                    | S primary                    | S primary                    | S primary
S1F1 W to 2          | NS >Reject 4             | NS >Reject 4             | S >Reject 4                  | S primary                    | S >Reject 4                  | S >Reject 4
S1F1 W to 9          | NS >Reject 4             | NS >Reject 4             | S >Reject 4                  | S >Reject 4                  | S >Reject 4                  | S >Reject 4
S1F2 of 1            | NS >Reject 4             | NS >Reject 4             | S                            | S                            | S                            | S reply
S1F2 of 2            | NS >Reject 4             | NS >Reject 4             | S >Reject 4                  | S                            | S >Reject 4                  | S >Reject 4
Select.req 1         | S >Select.rsp 0          | S >Select.rsp 0          | S >Select.rsp 6              | S >Select.rsp 6              | S >Select.rsp 6              | S >Select.rsp 6
Select.req 2         | S >Select.rsp 0          | S >Select.rsp 0          | S >Select.rsp 0              | S >Select.rsp 6              | S >Select.rsp 0              | S >Select.rsp 0
Select.req 3         | NS >Select.rsp 5         | NS >Select.rsp 5         | S >Select.rsp 5              | S >Select.rsp 5              | S >Select.rsp 5              | S >Select.rsp 5
Select.req 9         | NS >Select.rsp 4         | NS >Select.rsp 4         | S >Select.rsp 4              | S >Select.rsp 4              | S >Select.rsp 4              | S >Select.rsp 4
Select.req FFFF      | NS >Select.rsp 4         | NS >Select.rsp 4         | S >Select.rsp 1              | S >Select.rsp 1              | S >Select.rsp 1              | S >Select.rsp 1
Select.rsp 0         | NS >Reject 3             | S done                   | S >Reject 3                  | S >Reject 3                  | S >Reject 3                  | S >Reject 3
Select.rsp 5         | NS >Reject 3             | NS select 5              | S >Reject 3                  | S >Reject 3                  | S >Reject 3                  | S >Reject 3
Deselect.req 1       | NS >Deselect.rsp 1       | NS >Deselect.rsp 1       | NS >Deselect.rsp 0           | S >Deselect.rsp 0            | NS >Deselect.rsp 0           | NS >Deselect.rsp 0, unselected
Deselect.req 2       | NS >Deselect.rsp 1       | NS >Deselect.rsp 1       | S >Deselect.rsp 1            | S >Deselect.rsp 0            | S >Deselect.rsp 1            | S >Deselect.rsp 1
Deselect.req 3       | NS >Deselect.rsp 5       | NS >Deselect.rsp 5       | S >Deselect.rsp 5            | S >Deselect.rsp 5            | S >Deselect.rsp 5            | S >Deselect.rsp 5
Deselect.req 9       | NS >Deselect.rsp 4       | NS >Deselect.rsp 4       | S >Deselect.rsp 4            | S >Deselect.rsp 4            | S >Deselect.rsp 4            | S >Deselect.rsp 4
Deselect.rsp 0       | NS >Reject 3             | NS >Reject 3             | S >Reject 3                  | S >Reject 3                  | NS done                      | S >Reject 3
Deselect.rsp 2       | NS >Reject 3             | NS >Reject 3             | S >Reject 3                  | S >Reject 3                  | S deselect 2                 | S >Reject 3
Separate.req 1       | NS                       | NS                       | NS                           | S                            | NS                           | NS unselected
Separate.req 2       | NS                       | NS                       | S                            | S                            | S                            | S
Reject 4             | NS                       | closing rejected 4, close | S                           | S                            | S rejected 4                 | S rejected 4
T3                   | NS                       | NS                       | S                            | S                            | S                            | S >S9F9, T3
T6                   | NS                       | closing T6, close        | S                            | S                            | closing T6, close            | S
T7                   | closing close            | closing T7, close        | S                            | S                            | S                            | S
separate 1           | NS refused               | NS refused               | NS >Separate.req             | S >Separate.req              | NS >Separate.req             | NS >Separate.req, unselected
we end               | closing close            | closing closed, close    | closing >Separate.req, close | closing >Separate.req, >Separate.req, close | closing >Separate.req, closed, close | closing >Separate.req, closed, close
";

/// A session in one of the states, and the system bytes of what it has open.
struct Fixture {
    session: Session<()>,
    ours: u32,
    now: Instant,
    /// Keeps what another connection has selected.
    _other: Option<Session<()>>,
}

/// All timers an hour, but this one a second.
fn options(quick: Option<Timer>) -> SessionOptions {
    let time = |timer| if quick == Some(timer) { SECOND } else { HOUR };
    let timers = Timers::default()
        .t3(time(Timer::T3))
        .t5(time(Timer::T5))
        .t6(time(Timer::T6))
        .t7(time(Timer::T7));
    let delay = if quick == Some(Timer::SelectDelay) {
        SECOND
    } else {
        Duration::ZERO
    };
    SessionOptions::new(0)
        .timers(timers)
        .select_delay(delay)
        .linktest(Linktest::every(time(Timer::Linktest)))
}

fn system(session: &mut Session<()>) -> u32 {
    session.transmit().expect("a frame").header.system()
}

fn selected(mut session: Session<()>, id: u16, now: Instant) -> Session<()> {
    session.connected(now);
    session.received(&Header::select_req(id, THEIRS), &[], now);
    session
}

fn single(column: &str, quick: Option<Timer>) -> Fixture {
    let now = Instant::from_nanos(1_000_000_000_000);
    let passive = || Session::passive(options(quick).device(Device::Equipment), Entities::single());
    let active = || Session::active(options(quick).device(Device::Host), Entities::single());
    let passive_selected = || selected(passive(), Header::CONTROL, now);
    let mut ours = 0x4444;
    let session = match column {
        "NOT CONNECTED" => {
            let mut session = active();
            session.connected(now);
            session.disconnected(CloseReason::PeerClosed, now);
            session
        }
        "NOT SELECTED" => {
            let mut session = passive();
            session.connected(now);
            session
        }
        "select open" => {
            let mut session = Session::active(options(quick).select([]), Entities::single());
            session.connected(now);
            session.select(Header::CONTROL, Some(()), now).unwrap();
            ours = system(&mut session);
            session
        }
        "SELECTED" => passive_selected(),
        "request open" => {
            let mut session = passive_selected();
            ours = session.request(0, S1F1, 0, None, (), now).unwrap().system();
            session
        }
        "host, request open" => {
            let mut session = active();
            session.connected(now);
            if session.transmit().is_none() {
                session.expire(now + SECOND);
                session.transmit();
            }
            session.received(
                &Header::select_rsp(&Header::select_req(0xFFFF, 1), SelectStatus::Established),
                &[],
                now,
            );
            ours = session.request(0, S1F1, 0, None, (), now).unwrap().system();
            session
        }
        "linktest open" => {
            let mut session = passive_selected();
            while session.transmit().is_some() {}
            session.linktest(Some(()), now).unwrap();
            ours = system(&mut session);
            session
        }
        "closing" => {
            let mut session = passive_selected();
            session.received(&Header::separate_req(Header::CONTROL, 9), &[], now);
            session
        }
        other => panic!("no column {other}"),
    };
    Fixture::new(session, ours, now, None)
}

fn general(column: &str, quick: Option<Timer>) -> Fixture {
    let now = Instant::from_nanos(1_000_000_000_000);
    let entities = Entities::general([1, 2, 3]);
    let other = selected(Session::passive(options(None), entities.clone()), 3, now);
    let options = options(quick).device(Device::Equipment).select([]);
    let mut session = Session::active(options, entities);
    session.connected(now);
    let mut ours = 0x4444;
    if column == "select 1 open" {
        session.select(1, Some(()), now).unwrap();
        ours = system(&mut session);
    } else if column != "none" {
        session.received(&Header::select_req(1, THEIRS), &[], now);
        while session.transmit().is_some() {}
    }
    match column {
        "1 and 2" => {
            session.received(&Header::select_req(2, THEIRS), &[], now);
        }
        "deselect 1 open" => {
            session.deselect(1, Some(()), now).unwrap();
            ours = system(&mut session);
        }
        "request to 1 open" => ours = session.request(1, S1F1, 0, None, (), now).unwrap().system(),
        "none" | "select 1 open" | "1" => {}
        other => panic!("no column {other}"),
    }
    Fixture::new(session, ours, now, Some(other))
}

impl Fixture {
    /// With nothing left to be sent or done.
    fn new(mut session: Session<()>, ours: u32, now: Instant, other: Option<Session<()>>) -> Self {
        while session.transmit().is_some() {}
        while session.action().is_some() {}
        Self {
            session,
            ours,
            now,
            _other: other,
        }
    }

    fn receive(&mut self, header: Header, text: &[u8]) -> String {
        let verdict = self.session.received(&header, text, self.now);
        self.result(match verdict {
            Received::Handled => None,
            Received::Primary => Some("primary"),
            Received::Reply(()) => Some("reply"),
        })
    }

    fn run_out(&mut self) -> String {
        self.session.expire(self.now + SECOND);
        self.result(None)
    }

    /// What has come of it, as a cell has it.
    fn result(&mut self, verdict: Option<&str>) -> String {
        let (mut parts, mut closing) = (Vec::new(), false);
        while let Some(outgoing) = self.session.transmit() {
            parts.push(format!(">{}", name(&outgoing.header)));
            assert_eq!(
                outgoing.about.is_some(),
                outgoing.header.is_data() && outgoing.header.stream() == 9
            );
        }
        parts.extend(verdict.map(str::to_owned));
        while let Some(action) = self.session.action() {
            match action {
                Action::Completed((), outcome) => parts.push(ending(&outcome)),
                Action::Close(_) => parts.push("close".to_owned()),
                Action::Dial => parts.push("dial".to_owned()),
                Action::Event(_) => {}
            }
        }
        // A closing session takes no command.
        if self.session.linktest(None, self.now).is_err() && self.session.state() != State::NotConnected {
            closing = true;
        }
        let state = match self.session.state() {
            State::NotConnected => "NC",
            State::NotSelected if closing => "closing",
            State::NotSelected => "NS",
            State::Selected => "S",
        };
        format!("{state} {}", parts.join(", ")).trim_end().to_owned()
    }
}

fn name(header: &Header) -> String {
    let code = header.byte3();
    match header.s_type() {
        SType::Data => format!("{}{}", header.stream_function(), if header.w() { " W" } else { "" }),
        SType::RejectReq => format!("Reject {code}"),
        kind @ (SType::SelectRsp | SType::DeselectRsp) => format!("{kind} {code}"),
        kind => kind.to_string(),
    }
}

fn ending(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done => "done".to_owned(),
        Outcome::SelectRefused(status) => format!("select {}", u8::from(*status)),
        Outcome::DeselectRefused(status) => format!("deselect {}", u8::from(*status)),
        Outcome::Aborted => "aborted".to_owned(),
        Outcome::StreamNine(function) => format!("S9F{function}"),
        Outcome::Rejected(reason) => format!("rejected {}", u8::from(*reason)),
        Outcome::TimedOut { timer, .. } => format!("{timer:?}"),
        Outcome::NotSelected => "unselected".to_owned(),
        Outcome::Closed(CloseReason::TimedOut(timer)) => format!("{timer:?}"),
        Outcome::Closed(CloseReason::SelectRefused(_) | CloseReason::SelectRejected(_)) => "closed".to_owned(),
        Outcome::Closed(_) => "closed".to_owned(),
        other => panic!("{other:?}"),
    }
}

/// Does what a row of the first table says.
fn single_row(what: &str, column: &str) -> String {
    let quick = match what {
        "T3" => Some(Timer::T3),
        "T5" => Some(Timer::T5),
        "T6" => Some(Timer::T6),
        "T7" => Some(Timer::T7),
        "linktest interval" => Some(Timer::Linktest),
        "select delay" => Some(Timer::SelectDelay),
        _ => None,
    };
    let mut at = single(column, quick);
    let (ours, now) = (at.ours, at.now);
    if quick.is_some() {
        return at.run_out();
    }
    let data = |stream, function, w| Header::data(0, StreamFunction::new(stream, function), w, THEIRS);
    let select = Header::select_req(Header::CONTROL, ours);
    let raw = |p_type, s_type| Header::from_bytes([0, 0, 0, 0, p_type, s_type, 0, 0, 0, 9]);
    let reject =
        |system, reason: u8| Header::reject_req(&data(1, 1, true).with_system(system), RejectReason::from(reason));
    let quote = |system| {
        let mut text = vec![0x21, 10];
        text.extend(data(1, 1, true).with_system(system).to_bytes());
        text
    };
    match what {
        "S1F1 W" => at.receive(data(1, 1, true), &[]),
        "S1F1" => at.receive(data(1, 1, false), b"text"),
        "S1F1 W, foreign id" => at.receive(data(1, 1, true).with_session_id(5), &[]),
        "S1F1, foreign id" => at.receive(data(1, 1, false).with_session_id(5), &[]),
        "S9F1, foreign id" => at.receive(data(9, 1, false).with_session_id(5), &[]),
        "S1F2 W" => at.receive(data(1, 2, true).with_system(ours), &[]),
        "S1F1 W, our system" => at.receive(data(1, 1, true).with_system(ours), &[]),
        "S1F2" => at.receive(data(1, 2, false).with_system(ours), &[]),
        "S1F2, foreign id" => at.receive(data(1, 2, false).with_system(ours).with_session_id(5), &[]),
        "S1F2, other system" => at.receive(data(1, 2, false), &[]),
        "S1F4" => at.receive(data(1, 4, false).with_system(ours), &[]),
        "S2F2" => at.receive(data(2, 2, false).with_system(ours), &[]),
        "S1F0" => at.receive(data(1, 0, false).with_system(ours), &[]),
        "S9F5 about ours" => at.receive(data(9, 5, false), &quote(ours)),
        "S9F9 about ours" => at.receive(data(9, 9, false), &quote(ours)),
        "S9F5 about others" => at.receive(data(9, 5, false), &quote(THEIRS)),
        "Select.req" => at.receive(Header::select_req(Header::CONTROL, THEIRS), &[]),
        "Select.req, id 5" => at.receive(Header::select_req(5, THEIRS), &[]),
        "Select.rsp, unasked" => at.receive(Header::select_rsp(&select.with_system(THEIRS), 0.into()), &[]),
        "Deselect.req" => at.receive(Header::deselect_req(Header::CONTROL, THEIRS), &[]),
        "Linktest.req" => at.receive(Header::linktest_req(THEIRS), &[]),
        "Linktest.rsp" => at.receive(Header::linktest_rsp(&Header::linktest_req(ours)), &[]),
        "Linktest.rsp, unasked" => at.receive(Header::linktest_rsp(&Header::linktest_req(THEIRS)), &[]),
        "Reject 1" => at.receive(reject(ours, 1), &[]),
        "Reject 4" => at.receive(reject(ours, 4), &[]),
        "Reject 3, unasked" => at.receive(reject(THEIRS, 3), &[]),
        "Reject with text" => at.receive(reject(ours, 1), b"text"),
        "Separate.req" => at.receive(Header::separate_req(Header::CONTROL, THEIRS), &[]),
        "SType 8" => at.receive(raw(0, 8), &[]),
        "SType 10" => at.receive(raw(0, 10), &[]),
        "SType 200" => at.receive(raw(0, 200), b"text"),
        "PType 1" => at.receive(raw(1, 0), &[]),
        "PType 1, Select.req" => at.receive(raw(1, 1), &[]),
        "PType 1, Reject" => at.receive(raw(1, 7), &[]),
        "Select.req with text" => at.receive(select, b"text"),
        "Separate with text" => at.receive(Header::separate_req(Header::CONTROL, 9), b"text"),
        "T8" => {
            at.session.disconnected(CloseReason::TimedOut(Timer::T8), now);
            at.result(None)
        }
        "connected" => {
            at.session.connected(now);
            at.result(None)
        }
        "peer closes" => {
            at.session.disconnected(CloseReason::PeerClosed, now);
            at.result(None)
        }
        "we end" => {
            at.session.end(now);
            at.result(None)
        }
        _ => match what.rsplit_once(' ') {
            Some(("Select.rsp", status)) => at.receive(Header::select_rsp(&select, code(status).into()), &[]),
            Some(("Deselect.rsp", status)) => at.receive(
                Header::deselect_rsp(&Header::deselect_req(0xFFFF, ours), code(status).into()),
                &[],
            ),
            _ => panic!("no row {what}"),
        },
    }
}

fn code(text: &str) -> u8 {
    text.parse().unwrap()
}

/// Does what a row of the second table says.
fn general_row(what: &str, column: &str) -> String {
    let quick = match what {
        "T3" => Some(Timer::T3),
        "T6" => Some(Timer::T6),
        "T7" => Some(Timer::T7),
        _ => None,
    };
    let mut at = general(column, quick);
    let (ours, now) = (at.ours, at.now);
    let (kind, last) = what.rsplit_once(' ').unwrap_or((what, ""));
    let id = || {
        if last == "FFFF" {
            Header::CONTROL
        } else {
            last.parse().unwrap()
        }
    };
    match kind {
        _ if quick.is_some() => at.run_out(),
        "S1F1 W to" => at.receive(Header::data(id(), S1F1, true, THEIRS), &[]),
        "S1F2 of" => at.receive(Header::data(id(), S1F1.secondary(), false, ours), &[]),
        "Select.req" => at.receive(Header::select_req(id(), THEIRS), &[]),
        "Select.rsp" => at.receive(Header::select_rsp(&Header::select_req(1, ours), code(last).into()), &[]),
        "Deselect.req" => at.receive(Header::deselect_req(id(), THEIRS), &[]),
        "Deselect.rsp" => at.receive(
            Header::deselect_rsp(&Header::deselect_req(1, ours), code(last).into()),
            &[],
        ),
        "Separate.req" => at.receive(Header::separate_req(id(), THEIRS), &[]),
        "Reject" => at.receive(Header::reject_req(&Header::select_req(1, ours), code(last).into()), &[]),
        "separate" => match at.session.separate(id(), now) {
            Ok(()) => at.result(None),
            Err(_) => at.result(Some("refused")),
        },
        "we" => {
            at.session.end(now);
            at.result(None)
        }
        _ => panic!("no row {what}"),
    }
}

/// Compares every cell; prints the table as it is if one differs.
fn check(table: &str, row: impl Fn(&str, &str) -> String) {
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let mut lines = table.trim().lines();
    let columns = cells(lines.next().unwrap());
    let (mut differences, mut actual) = (Vec::new(), String::new());
    for line in lines {
        let expected = cells(line);
        assert_eq!(expected.len(), columns.len(), "{line}");
        let what = &expected[0];
        actual += &format!("{what:20}");
        for (column, expected) in columns.iter().zip(&expected).skip(1) {
            let cell = row(what, column);
            actual += &format!(" | {cell:24}");
            if cell != *expected {
                differences.push(format!(
                    "{what} while {column}: `{cell}`, but it should be `{expected}`"
                ));
            }
        }
        actual += "\n";
    }
    assert!(differences.is_empty(), "{}\n\n{actual}", differences.join("\n"));
}

#[test]
fn single_session_in_every_state() {
    check(SINGLE, single_row);
}

#[test]
fn general_session_in_every_state() {
    check(GENERAL, general_row);
}
