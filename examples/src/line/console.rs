//! The operators' console: oneline commands, for the program `oneline`, for `nc`, for whatever sends lines.

use std::time::Duration;

use net_core::{Endpoint, Net};
use oneline::{Router, Running, Server};

use super::host::{Books, Desk};
use super::news::Wish;

/// How long an operator waits until the line does what they want.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a begun line may take. A terminal that hangs in the middle of a command is not to keep others waiting.
const LINE: Duration = Duration::from_secs(30);

/// Starts the console.
pub(crate) async fn start(net: &Net, at: &Endpoint, books: &Books, desk: &Desk) -> oneline::Result<Running> {
    let [status, lots, alarms] = [books.clone(), books.clone(), books.clone()];
    let router = Router::new()
        .on("status", "Tells how the line is.", move |()| {
            let line = status.status_line();
            async { line }
        })
        .on(
            "lots [all]",
            "Tells the lots that are not done, or all.",
            move |(all,): (Option<String>,)| {
                let lines = match all.as_deref() {
                    None => Ok(lots.lot_lines(false)),
                    Some("all") => Ok(lots.lot_lines(true)),
                    Some(other) => Err(format!("lots or lots all, not lots {other}")),
                };
                async { lines }
            },
        )
        .on("alarms", "Tells the alarms that are set.", move |()| {
            let lines = alarms.alarm_lines();
            async { lines }
        })
        .on(
            "hold",
            "Pauses the line: what is in a chamber is finished.",
            wish(net, books, desk, Wish::Hold),
        )
        .on("resume", "Lets it go on.", wish(net, books, desk, Wish::Resume));
    Server::with_router(router)
        .allow_shutdown(false)
        .line_timeout(LINE)
        .start(net, at)
        .await
}

/// Tells the controller by way of the host, and answers when the line is so.
fn wish(
    net: &Net,
    books: &Books,
    desk: &Desk,
    wish: Wish,
) -> impl Fn(()) -> std::pin::Pin<Box<dyn Future<Output = Result<&'static str, String>> + Send>> + Send + Sync + use<> {
    let (net, books, desk) = (net.clone(), books.clone(), desk.clone());
    move |()| {
        let (net, books, desk) = (net.clone(), books.clone(), desk.clone());
        Box::pin(async move {
            desk.wish(wish).await;
            let (answer, so): (_, fn(&str) -> bool) = match wish {
                Wish::Hold => ("ok, the line is paused", |state| state == "paused"),
                Wish::Resume => ("ok, the line goes on", |state| state != "paused"),
            };
            match net.timeout(PATIENCE, books.until_line_is(so)).await {
                Ok(()) => Ok(answer),
                Err(_) => Err(format!("noted, but {}", books.status_line())),
            }
        })
    }
}
