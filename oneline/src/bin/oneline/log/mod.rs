//! What happens, on standard error: each event of `tracing` as a line, behind the spans that it is in.
//!
//! tracing-subscriber's own way to do it needs seven crates more than the filter that is used of it here.

mod line;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::Targets;

use line::{Fields, Style};

/// Tells from now on, as much as `verbose` says. The environment variable RUST_LOG has the last word: levels by target,
/// for example `oneline=info,net_core=debug`.
pub(crate) fn start(verbose: u8) {
    let style = Style::new(std::io::stderr().is_terminal());
    let log = Log::new(filter(verbose), style, |line| {
        // A closed standard error is no reason not to serve.
        let _ = std::io::stderr().write_all(line.as_bytes());
    });
    // Fails only if there is one already, and there is none.
    let _ = tracing::subscriber::set_global_default(log);
}

fn filter(verbose: u8) -> Targets {
    let wanted = match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let wanted = Targets::new().with_default(wanted);
    match std::env::var("RUST_LOG") {
        Ok(text) if !text.trim().is_empty() => text.parse().unwrap_or_else(|error| {
            eprintln!("oneline: RUST_LOG is ignored, it should be like `oneline=info,net_core=debug`: {error}");
            wanted
        }),
        _ => wanted,
    }
}

struct Log<W> {
    filter: Targets,
    most: Option<LevelFilter>,
    style: Style,
    spans: Mutex<Spans>,
    write: W,
}

#[derive(Default)]
struct Spans {
    made: u64,
    open: BTreeMap<u64, Span>,
}

struct Span {
    /// The spans around it, as text.
    around: String,
    name: &'static str,
    fields: Fields,
    handles: usize,
}

thread_local! {
    /// The spans that the thread has entered, the innermost last.
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

impl<W: Fn(&str)> Log<W> {
    fn new(filter: Targets, style: Style, write: W) -> Self {
        let levels = filter.iter().map(|(_, level)| level);
        Self {
            most: levels.chain(filter.default_level()).max(),
            filter,
            style,
            spans: Mutex::default(),
            write,
        }
    }

    fn spans(&self) -> MutexGuard<'_, Spans> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The spans around something new, as text.
    fn around(&self, spans: &Spans, parent: Option<&Id>, contextual: bool) -> String {
        let parent = match parent {
            Some(parent) => Some(parent.into_u64()),
            None if contextual => ENTERED.with_borrow(|entered| entered.last().copied()),
            None => None,
        };
        let parent = parent.and_then(|parent| spans.open.get(&parent));
        parent.map_or_else(String::new, |span| {
            span.around.clone() + &self.style.span(span.name, &span.fields)
        })
    }
}

impl<W: Fn(&str) + 'static> Subscriber for Log<W> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.filter.would_enable(metadata.target(), metadata.level())
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.most
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut fields = Fields::new(self.style);
        attributes.record(&mut fields);
        let mut spans = self.spans();
        let around = self.around(&spans, attributes.parent(), attributes.is_contextual());
        spans.made += 1;
        let id = spans.made;
        spans.open.insert(
            id,
            Span {
                around,
                name: attributes.metadata().name(),
                fields,
                handles: 1,
            },
        );
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        if let Some(span) = self.spans().open.get_mut(&span.into_u64()) {
            values.record(&mut span.fields);
        }
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::new(self.style);
        event.record(&mut fields);
        let around = self.around(&self.spans(), event.parent(), event.is_contextual());
        (self.write)(&self.style.line(event.metadata(), &around, &fields));
    }

    fn enter(&self, span: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(span.into_u64()));
    }

    fn exit(&self, span: &Id) {
        ENTERED.with_borrow_mut(|entered| {
            if let Some(at) = entered.iter().rposition(|id| *id == span.into_u64()) {
                entered.remove(at);
            }
        });
    }

    fn clone_span(&self, id: &Id) -> Id {
        if let Some(span) = self.spans().open.get_mut(&id.into_u64()) {
            span.handles += 1;
        }
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let mut spans = self.spans();
        let Some(span) = spans.open.get_mut(&id.into_u64()) else {
            return false;
        };
        span.handles -= 1;
        let closed = span.handles == 0;
        if closed {
            spans.open.remove(&id.into_u64());
        }
        closed
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tracing::{debug, debug_span, info, info_span, trace_span, warn};

    use super::*;

    /// What is logged meanwhile, without the times.
    fn logged(filter: &str, style: Style, work: impl FnOnce()) -> Vec<String> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        let log = Log::new(filter.parse().unwrap(), style, move |line| {
            let (_, line) = line.split_once(' ').unwrap();
            kept.lock().unwrap().push(line.strip_suffix('\n').unwrap().to_owned());
        });
        tracing::subscriber::with_default(log, work);
        Arc::into_inner(lines).unwrap().into_inner().unwrap()
    }

    #[test]
    fn events_are_lines_behind_their_spans() {
        let lines = logged("trace", Style::new(false), || {
            info!(target: "a", endpoint = %"tcp://x", "listening");
            let outer = debug_span!("connection", id = 7, peer = %"p", late = tracing::field::Empty);
            let inner = info_span!(parent: &outer, "client", name = "n\u{1b}[1m");
            outer.record("late", true);
            let _entered = inner.enter();
            warn!(target: "a", "said\n\u{1b}[31mred");
            info!(target: "a", parent: None, "apart");
            debug!(target: "a", n = 1, "in between");
            outer.in_scope(|| info!(target: "a", "outside"));
            info!(target: "a", "inside");
        });
        assert_eq!(
            lines,
            [
                " INFO a: listening endpoint=tcp://x",
                " WARN connection{id=7 peer=p}:client{name=\"n\\u{1b}[1m\"}: a: said\\n\\u{1b}[31mred",
                " INFO a: apart",
                "DEBUG connection{id=7 peer=p}:client{name=\"n\\u{1b}[1m\"}: a: in between n=1",
                " INFO connection{id=7 peer=p late=true}: a: outside",
                " INFO connection{id=7 peer=p}:client{name=\"n\\u{1b}[1m\"}: a: inside",
            ]
        );
    }

    #[test]
    fn the_filter_knows_levels_and_targets() {
        let lines = logged("warn,a=debug,a::quiet=off", Style::new(false), || {
            let _hidden = trace_span!(target: "a", "hidden").entered();
            debug!(target: "a::b", "debug of a");
            warn!(target: "a::quiet", "quiet");
            info!(target: "b", "info of b");
            warn!(target: "b", "warn of b");
        });
        assert_eq!(lines, ["DEBUG a::b: debug of a", " WARN b: warn of b"]);
        let log = Log::new("warn,a=debug".parse().unwrap(), Style::new(false), |_| {});
        assert_eq!(log.max_level_hint(), Some(LevelFilter::DEBUG));
    }

    #[test]
    fn a_terminal_gets_colours() {
        let lines = logged("info", Style::new(true), || {
            let _client = info_span!("client").entered();
            warn!(target: "a", n = 1, "well");
        });
        let well = "\u{1b}[33m WARN\u{1b}[0m \u{1b}[1mclient\u{1b}[0m\u{1b}[2m:\u{1b}[0m \u{1b}[2ma:\u{1b}[0m well \
                    \u{1b}[3mn\u{1b}[0m\u{1b}[2m=\u{1b}[0m1";
        assert_eq!(lines, [well]);
    }

    #[test]
    fn a_span_is_forgotten_with_its_last_handle() {
        let log = Arc::new(Log::new("info".parse().unwrap(), Style::new(false), |_| {}));
        tracing::subscriber::with_default(Arc::clone(&log), || {
            let span = info_span!("client");
            let other = span.clone();
            drop(span);
            assert_eq!(log.spans().open.len(), 1);
            other.in_scope(|| info!("in it"));
            drop(other);
            assert_eq!(log.spans().open.len(), 0);
        });
    }
}
