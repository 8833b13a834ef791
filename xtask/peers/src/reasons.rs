//! Why a target is missed: what we know about it, beside the row that it is about.
//!
//! A reason is shown in the report while a target that it fits is missed, and not otherwise; a missed target without a
//! reason is shown as unexplained. Figures of a day don't belong here: the report has them.

/// What is known about a gap between a row and its target.
#[derive(Clone, Copy, Debug)]
pub struct Reason {
    /// The tables, each by its whole name, or a group's by `group/*`.
    tables: &'static [&'static str],
    /// The row's name.
    row: &'static str,
    /// What the promise begins with, as the report words it (`p99`, `of odem-rs`, `<= 20`); empty for any.
    promise: &'static str,
    /// The reason.
    why: &'static str,
}

/// All reasons.
pub const ALL: &[Reason] = &[
    Reason {
        tables: &["round-trip/*"],
        row: "net-core, lent frames",
        promise: "",
        why: TURN,
    },
    Reason {
        tables: &["oneline/round-trip"],
        row: "oneline, Handler::command",
        promise: "",
        why: TURN,
    },
    Reason {
        tables: &["pipelined/*"],
        row: "net-core, lent frames",
        promise: "<=",
        why: FRAME,
    },
    Reason {
        tables: &["pipelined/*"],
        row: "net-core, Sender",
        promise: "<=",
        why: "The same, and a lock for each frame, since other tasks may send too.",
    },
    Reason {
        tables: &["line-decode/16"],
        row: "net-core, lent",
        promise: "",
        why: "The bare cursor buffer is hardly better: the limit leaves next to nothing for a framing with checks.",
    },
    Reason {
        tables: &["length-decode/14"],
        row: "net-core, lent",
        promise: "<=",
        why: "Some 3 ns for each frame, of which the walk is 2: where the next frame begins is kept in memory, because the \
              frame is lent to somebody else's loop.",
    },
    Reason {
        tables: &["length-decode/65536", "length-decode/1048576"],
        row: "net-core, owned",
        promise: "",
        why: "Room grows with what has come, to four times that, and each growth copies it: a frame of 1 MiB is copied by \
              two thirds on its way. The codec believes the length that the peer claims.",
    },
    Reason {
        tables: &["bulk/receive"],
        row: "net-core Stream, 256 KiB reads",
        promise: "",
        why: "Wall figures of bulk transfer swing by a third within a run, since load and server share two cores: more than \
              the miss.",
    },
    Reason {
        tables: &["hsms-item/nested"],
        row: "hsms, pull walk",
        promise: "",
        why: "Some 55 instructions an item: format, length, depth, and the limits for depth, items and bytes that a hostile \
              text would break.",
    },
    Reason {
        tables: &["web/https"],
        row: "sim-io",
        promise: "",
        why: "TLS and HTTP over a pipe in memory take three fifths of it, as the first row shows; the rest is the simulated \
              network, and twice as many allocations.",
    },
    Reason {
        tables: &["idle"],
        row: "oneline, a client with a Handler",
        promise: "",
        why: "Half of it is net-core's part, the rest is the client's task: handler, time limits, who may ask it to end.",
    },
    Reason {
        tables: &["oneline/command"],
        row: "oneline, Handler::at_once",
        promise: "",
        why: "Some 570 instructions for a command of 15 bytes, of which net-core's part is 200, as in pipelined. Whether it is \
              UTF-8 takes 110, control characters in the reply 100; the rest are built-in names, catching panics, and whether \
              the session is to end.",
    },
    Reason {
        tables: &["timeouts/1", "timeouts/rearmed"],
        row: "sim-io",
        promise: "",
        why: "About 350 instructions: a handle that cancels when it is dropped, the trace hash, whoever watches, SimPy's \
              order for what waits on the same instant. odem-rs keeps its timers inside the processes.",
    },
    Reason {
        tables: &["timeouts/100", "timeouts/1000", "timeouts/10000", "timeouts/100000"],
        row: "sim-io",
        promise: "<=",
        why: "The heap alone takes most of it, and swings with the machine's caches more than the miss; compare with the \
              bare executor, which is judged besides.",
    },
    Reason {
        tables: &["timeouts/100"],
        row: "sim-io",
        promise: "x SimPy",
        why: "SimPy's figure swings by a tenth from run to run, which is more than the miss.",
    },
    Reason {
        tables: &["real-tcp/round-trip"],
        row: "sim-io, mio",
        promise: "of raw mio",
        why: "Both ends read exactly four bytes, which fills the buffer, so each looks once more before it waits: 8 system \
              calls and some 4,400 instructions for a round trip, where tokio takes 8 and 4,100, and the raw loop, which \
              knows that no more can come, 6 and 300.",
    },
    Reason {
        tables: &["real-tcp/*"],
        row: "sim-io, select",
        promise: "",
        why: SWEEP,
    },
    Reason {
        tables: &["real-tcp/*"],
        row: "sim-io, poll",
        promise: "",
        why: SWEEP,
    },
    Reason {
        tables: &["components/echo", "components/echo-cpu"],
        row: "components, an adapter and an echo",
        promise: "",
        why: "The system calls are tokio's: one read, one write, one wait. Some 3,400 instructions come to its 1,650 for an \
              echo: 800 for reading and writing (a third look at the socket, counters, a message for what was read), 750 in \
              the adapter's two turns, 650 in the handler and what runs it, 550 in boxes, 550 for two more turns of tasks, \
              150 for memory.",
    },
    Reason {
        tables: &["components/bulk"],
        row: "components, an adapter and an echo",
        promise: "",
        why: "Messages are of 32 KiB at most, as Kamaelia's, and tokio's loop reads 64: twice the reads (32 for a MB) and, as \
              messages are gathered, a third fewer writes (11). With `AdapterOptions::chunk` of 64 KiB the server's processor \
              time is within a few hundredths of tokio's.",
    },
    Reason {
        tables: &["messages/real-packets-64"],
        row: "sim-io, mio",
        promise: "",
        why: "The system calls are the same: two writes, reads and waits for 64 packets there and back. A packet there and \
              back takes some 500 instructions, by hand 280: half of them are the two ends' own work, 180 are net-core's for \
              a frame that is checked, counted and lent, 30 for memory, and the environment's share of a turn is the rest.",
    },
    Reason {
        tables: &["messages/real-messages-1"],
        row: "sim-io, mio",
        promise: "",
        why: "The system calls are the same: two writes, reads and waits. A round trip takes some 15,400 instructions, by hand \
              5,800: 4,600 for six steps of the environment, four of which are turns of the two channels' own tasks (one \
              reads and wakes who waits, one writes what that one gathered), 3,500 in net-core, 2,500 for JSON (by hand \
              1,600), 2,100 for the reactor, 1,400 for the protocol, 1,300 for memory and the rest. Fewer turns would take \
              who waits to drive the connection.",
    },
    Reason {
        tables: &["messages/virtual-messages-1"],
        row: "sim-io",
        promise: "",
        why: "Four polls of the channel's own task for each round trip, over half of some 10,000 instructions: it would take \
              who waits for the reply to drive the connection.",
    },
    Reason {
        tables: &["hsms-round-trip/s1f1"],
        row: "hsms",
        promise: "",
        why: "As many system calls as the bare loop, but some 13,000 instructions outside of them, where that has 4,000. \
              Three turns of a task: the host's connection sends what was asked, the equipment's reads and answers, the \
              host's reads and wakes who asked; a turn is waking, reading, framing, writing and sleeping, some 2,000. \
              Session, transaction and delegate are some 2,000 more. A fifth is tokio's clock and timers, which the bare \
              loop has none of: 16 readings of the clock for each round trip, 4 of them ours.",
    },
    Reason {
        tables: &["statechart/bare", "statechart/controller", "statechart/scripted"],
        row: "statechart-bridge",
        promise: ">=",
        why: "Some 660 instructions for a transition, of which 200 look for the enabled one and 100 fire it; the rest finds the \
              instance, begins and ends steps, and guards against panics. The tables are interpreted, and every option of \
              semantics is open at run time.",
    },
    Reason {
        tables: &["statechart/http-10", "statechart/http-100"],
        row: "statechart-bridge, http_echo_server.xml",
        promise: "",
        why: "One read and one write for each request, as anybody needs, and some 100,000 instructions besides: 44,000 run the \
              model's actions, 27,000 of them to read the request's header; 12,000 are the conditions of its transitions, \
              which are asked 33 times; 31,000 choose and take 9 transitions in 8 big steps of three instances; 5,000 follow \
              the links of casts; 8,000 are the socket's task, its events and tokio. Action code goes through its tree, and \
              makes most of the 80 allocations.",
    },
];

const FRAME: &str = "Some 200 instructions for a frame that is found, checked, counted, lent, and copied with its end into the \
    out-buffer; the raw loop writes its read buffer back as it is. To it comes the cost of a turn, as in round-trip, divided \
    by the frames that share it: 64, 16 or 1.";

const TURN: &str = "What a turn (wake up, read, answer, write, wait) costs beside system calls: some 0.3 us of the server's \
    processor more than raw mio, twice what tokio by hand adds. Counters, the pool of buffers and the size of a \
    connection's state are in it; not broken down. Wall figures swing by more than they miss.";

const SWEEP: &str = "poll and select look at each socket at each wait. Wall figures swing by more than they miss; the \
    processor time of a round trip is within a tenth of mio's for poll, a sixth for select.";

impl Reason {
    fn fits(&self, table: &str, row: &str, promise: &str) -> bool {
        let named = |name: &&str| match name.strip_suffix('*') {
            Some(group) => table.starts_with(group),
            None => table == *name,
        };
        self.row == row && promise.starts_with(self.promise) && self.tables.iter().any(named)
    }
}

/// The reason for a missed target, if there is one.
#[must_use]
pub fn find(table: &str, row: &str, promise: &str) -> Option<&'static str> {
    let reason = ALL.iter().find(|reason| reason.fits(table, row, promise));
    reason.map(|reason| reason.why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tables;

    #[test]
    fn every_reason_is_about_something_that_there_is() {
        crate::limits::raise_open_files().unwrap();
        let groups = tables(&[]).unwrap();
        let comparisons: Vec<_> = groups.iter().flat_map(|group| &group.comparisons).collect();
        for reason in ALL {
            for table in reason.tables {
                let named = |name: &str| {
                    table
                        .strip_suffix('*')
                        .map_or(name == *table, |group| name.starts_with(group))
                };
                let rows = comparisons.iter().filter(|comparison| named(&comparison.name));
                let mut rows = rows.flat_map(|comparison| &comparison.rows);
                assert!(
                    rows.any(|row| row.name() == reason.row && !row.targets().is_empty()),
                    "{table}, {}: no such row, or it promises nothing",
                    reason.row
                );
            }
        }
    }

    #[test]
    fn a_reason_fits_its_own_promise_only() {
        let find = |table, row, promise| find(table, row, promise).is_some();
        assert!(find("length-decode/14", "net-core, lent", "<= 1.5"));
        assert!(!find(
            "length-decode/14",
            "net-core, lent",
            "x LengthDelimitedCodec >= 5"
        ));
        assert!(!find("length-decode/256", "net-core, lent", "<= 1.5"));
        assert!(find("round-trip/hsms", "net-core, lent frames", "p99 <= 1.15"));
    }
}
