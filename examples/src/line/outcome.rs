//! Whether the shift went as it should.

use super::args::Args;
use super::plan::WAFERS;
use super::shift::Record;
use super::story::{Checks, Story};
use super::tool::Memory;

/// Tells what holds of the outcome, and whether all of it does.
pub(crate) fn check(story: &Story, args: &Args, tool: &Memory, record: &Record) -> bool {
    let mut checks = Checks::default();
    let passed = &record.passed;
    story.line("\nThe outcome:");

    if !args.serve {
        let lots = u64::from(args.lots);
        checks.fact(
            story,
            format_args!("all {lots} lots came, were started, and are done"),
            (passed.came, passed.started, passed.done) == (lots, lots, lots),
        );
        let (good, scrapped) = tool.wafers();
        checks.fact(
            story,
            format_args!(
                "all {} wafers are accounted for: {good} done, {scrapped} scrapped",
                lots as u32 * WAFERS
            ),
            good + scrapped == lots as u32 * WAFERS && (passed.good, passed.scrapped) == (good, scrapped),
        );
        let events = tool.events();
        checks.fact(
            story,
            format_args!(
                "the host saw each of the tool's {} events once, in order ({} came again and were known)",
                events.count, passed.repeated
            ),
            passed.events == events && passed.missing == 0 && tool.lost() == 0,
        );
        checks.fact(
            story,
            "so did the display on the wall, by WebSocket",
            record.wall == Some(events),
        );
        let alarms = tool.alarms();
        checks.fact(
            story,
            format_args!(
                "each of {} alarms was told as it was set and cleared, and none is left",
                alarms.count / 2
            ),
            passed.alarms == alarms && passed.open_alarms == 0,
        );
        checks.fact(story, "nothing waits in the tool to be told", tool.spooled() == 0);
    }
    checks.fact(story, "no lot overtook a hot one", passed.overtaken == 0);
    checks.fact(
        story,
        format_args!(
            "of {} commands to the tool {} were answered, and of {} the controller knows that they were not",
            passed.orders, passed.answers, passed.unanswered
        ),
        passed.orders == passed.answers + passed.unanswered && (args.sim || passed.unanswered == 0),
    );
    checks.fact(
        story,
        format_args!(
            "the controller heard all of {} lines since it last connected ({} times)",
            passed.told, passed.greeted
        ),
        passed.heard == Some(passed.told),
    );
    let (asked, answers) = record.asked.counts();
    checks.fact(
        story,
        format_args!("all {asked} questions of operators were answered"),
        asked == answers && (args.serve || asked > 0),
    );
    let served = &record.served;
    checks.fact(
        story,
        format_args!(
            "{} displays came, all have gone, {} news were missed by slow ones",
            served.came, served.missed
        ),
        served.came == served.gone && (args.serve || served.missed == 0),
    );
    for trouble in &record.trouble {
        checks.fact(story, trouble, false);
    }
    checks.conclude(story)
}
