//! The router: words and quotes, typed arguments, help; and its parser's properties.

mod common;

use common::backend::on_each_backend;
use common::{Raw, connect, serving};
use oneline::words::{self, WordsError};
use oneline::{Router, Server};
use proptest::prelude::*;

on_each_backend!(
    arguments_are_typed,
    what_does_not_fit_is_told_with_the_usage,
    help_is_made_of_the_commands,
    others_may_be_answered_otherwise,
    invalid_text_is_an_error,
);

fn router() -> Router {
    Router::new()
        .on("add <a> <b>", "Adds two numbers.", async |(a, b): (i64, i64)| {
            (a + b).to_string()
        })
        .on(
            "scale <factor> [values…]",
            "",
            async |(factor, values): (f64, Vec<f64>)| {
                values
                    .into_iter()
                    .map(|value| (value * factor).to_string())
                    .collect::<Vec<_>>()
            },
        )
        .on("light <on>", "Switches the light.", async |(on,): (bool,)| {
            format!("light {on}")
        })
        .on("set name <text>", "Sets the name.", async |(text,): (String,)| text)
        .on(
            "set <port> [speed]",
            "Sets a port.",
            async |(port, speed): (u16, Option<u32>)| format!("{port} {speed:?}"),
        )
        .on("quiet", "Answers nothing.", async |()| ())
        .on("fail", "Fails.", async |()| Err::<(), _>("as you wished"))
}

async fn ask_all(router: Router, commands: &[(&str, &[&str])]) {
    let (net, running) = serving(&Server::with_router(router)).await;
    let mut client = connect(&net, running.endpoint()).await.unwrap();
    for (command, wanted) in commands {
        let replies = client.collect(command).await.unwrap();
        let replies: Vec<_> = replies.iter().map(ToString::to_string).collect();
        assert_eq!(replies, *wanted, "{command}");
    }
}

async fn arguments_are_typed() {
    ask_all(
        router(),
        &[
            ("add 2 -3", &["-1"]),
            ("  add\t2   3 ", &["5"]),
            ("scale 2 1 2.5 -1", &["2", "5", "-2"]),
            ("scale 2", &[]),
            ("light ON", &["light true"]),
            (r#"set name "a \"b\" c""#, &[r#"a "b" c"#]),
            ("set name ''", &[""]),
            ("set 80", &["80 None"]),
            ("set 80 9600", &["80 Some(9600)"]),
            ("quiet", &[]),
            ("fail", &["error: as you wished"]),
        ],
    )
    .await;
}

async fn what_does_not_fit_is_told_with_the_usage() {
    ask_all(
        router(),
        &[
            ("add", &["error: add: <a> is missing; usage: add <a> <b>"]),
            ("add 1", &["error: add: <b> is missing; usage: add <a> <b>"]),
            (
                "add 1 x",
                &[r#"error: add: <b> is "x", not a whole number; usage: add <a> <b>"#],
            ),
            ("add 1 2 3", &[r#"error: add: "3" is too much; usage: add <a> <b>"#]),
            (
                "light 2",
                &[r#"error: light: <on> is "2", not one of on, off, true, false, 1, 0; usage: light <on>"#],
            ),
            (
                "set 70000",
                &[r#"error: set: <port> is "70000", not a whole number from 0 up; usage: set <port> [speed]"#],
            ),
            (
                "scale 1 2 x",
                &[r#"error: scale: argument 3 is "x", not a number; usage: scale <factor> [values…]"#],
            ),
            ("unknown 1", &["error: unknown command unknown; try help"]),
            ("", &["error: empty command; try help"]),
            ("add \"1", &["error: a \" is not closed"]),
            (
                "add \"1\"2",
                &["error: '2' follows a closing quote: put a space between"],
            ),
        ],
    )
    .await;
}

async fn help_is_made_of_the_commands() {
    let all = [
        "add <a> <b> - Adds two numbers.",
        "fail - Fails.",
        "light <on> - Switches the light.",
        "quiet - Answers nothing.",
        "scale <factor> [values…]",
        "set <port> [speed] - Sets a port.",
        "set name <text> - Sets the name.",
        "help [command] - Tells what commands there are.",
    ];
    ask_all(
        router(),
        &[
            ("help", &all),
            (
                "help set",
                &["set <port> [speed] - Sets a port.", "set name <text> - Sets the name."],
            ),
            ("help set name", &["set name <text> - Sets the name."]),
            ("help nothing", &["error: no command begins with nothing"]),
        ],
    )
    .await;
}

async fn others_may_be_answered_otherwise() {
    let router = router().otherwise(async |words: Vec<String>| format!("{words:?}?"));
    ask_all(
        router,
        &[("what 'is this'", &[r#"["what", "is this"]?"#]), ("add 1 1", &["2"])],
    )
    .await;
    let own_help = router_with_own_help();
    ask_all(own_help, &[("help", &["mine"])]).await;
}

fn router_with_own_help() -> Router {
    Router::new().on("help", "My own.", async |()| "mine")
}

async fn invalid_text_is_an_error() {
    let (net, running) = serving(&Server::with_router(router())).await;
    let mut client = Raw::connect(&net, &running).await;
    client.send(b"add 1 \xff\n").await;
    assert_eq!(client.line().await.unwrap(), "error: the line is not valid text");
}

#[test]
fn words_are_split_as_in_redis() {
    for (line, wanted) in [
        ("", &[][..]),
        (" \t ", &[]),
        ("a  b\tc", &["a", "b", "c"]),
        (r#""a b" c"#, &["a b", "c"]),
        (r#""\x41\n\t\"\\\q""#, &["A\n\t\"\\q"]),
        (r#""\xc3\xa9""#, &["é"]),
        (r#""\xg""#, &["xg"]),
        (r"'a\'b\n'", &["a'b\\n"]),
        (r#"a"b c""#, &["ab c"]),
        ("''", &[""]),
        ("é\u{a0}x", &["é\u{a0}x"]),
    ] {
        assert_eq!(words::split(line).unwrap(), wanted, "{line}");
    }
    for (line, error) in [
        ("\"a", WordsError::OpenQuote('"')),
        ("\"a\\", WordsError::OpenQuote('"')),
        ("'a\\'", WordsError::OpenQuote('\'')),
        ("'a'b", WordsError::AfterQuote('b')),
        (r#""\xff""#, WordsError::NotUtf8),
    ] {
        assert_eq!(words::split(line), Err(error), "{line}");
    }
}

proptest! {
    #[test]
    fn quoted_words_come_back(words in proptest::collection::vec(any::<String>(), 0..8)) {
        let line = words.iter().map(|word| words::quote(word)).collect::<Vec<_>>().join(" ");
        prop_assert!(!line.contains(['\n', '\r', '\0']));
        prop_assert_eq!(words::split(&line).unwrap(), words);
    }

    #[test]
    fn no_line_is_too_odd(line in "[ \t\"'\\\\xnaé0-9a-f]{0,30}") {
        if let Ok(words) = words::split(&line) {
            prop_assert!(words.len() <= line.len());
        }
    }

    #[test]
    fn any_text_is_split_or_refused(line: String) {
        let _ = words::split(&line);
    }
}
