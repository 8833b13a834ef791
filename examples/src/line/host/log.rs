//! What of the news is worth a line of the timeline.

use std::time::Duration;

use super::Books;
use crate::line::clock::TimeOfDay;
use crate::line::news::News;
use crate::line::plan::WAFERS;
use crate::line::story::Story;
use crate::line::tool::EventKind;

/// From when on a report is told with the time at which it happened.
const LATE: Duration = Duration::from_secs(60);

pub(super) fn tell(story: &Story, books: &Books, news: &News) {
    let late = |at: Duration| {
        let now = story.clock().now();
        if now.saturating_sub(at) > LATE {
            format!(" (at {}, told late)", TimeOfDay(at))
        } else {
            String::new()
        }
    };
    match news {
        News::Online(model) => story.tell("host", format_args!("the tool is online: {model}")),
        News::Offline(why) => story.tell("host", format_args!("the tool is offline: {why}")),
        News::Event(event) => match event.kind {
            EventKind::WaferStarted => {}
            EventKind::WaferDone => {
                let passed = books.passed();
                let (done, came, good) = (passed.done, passed.came, passed.good);
                story.progress(format_args!("{done} of {came} lots done, {good} wafers"));
            }
            _ => story.tell("tool", format_args!("{event}{}", late(event.at))),
        },
        News::Alarm(alarm) => {
            let what = if alarm.set { "SET    " } else { "cleared" };
            story.tell("alarm", format_args!("{what} {}{}", alarm.text, late(alarm.at)));
        }
        News::Waiting(lot) => {
            let hot = if lot.hot { ", hot: it goes first" } else { "" };
            let (name, recipe) = (&lot.name, lot.recipe);
            story.tell(
                "stocker",
                format_args!("{name} has come: {WAFERS} wafers, {recipe}{hot}"),
            );
        }
        News::State(name) => story.tell("controller", format_args!("the line is {name}")),
        News::Answer(answer) => {
            if let Some(why) = &answer.refused {
                let lot = answer.order.lot.as_deref().unwrap_or_default();
                story.tell("host", format_args!("{} {lot}: {why}", answer.order.command));
            }
        }
        News::Wish(_) | News::Greeting(_) | News::Over => {}
    }
}
