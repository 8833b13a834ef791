//! Commands of words with typed arguments, and a `help` made of them.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::words::{self, quote};
use crate::{Command, Handler, HandlerError, IntoReplies, Replies};

/// Finds the closure for a command by its first words, and gives it the rest as typed arguments.
///
/// Words may be quoted, as [`words`](mod@crate::words) says. The type of the closure's one parameter, a tuple, says how many
/// arguments there are and what they are: numbers, [`bool`], [`char`], [`String`], [`Option`] for those that may be
/// left out at the end, and a [`Vec`] for all that remain. What does not fit is answered with an error that shows the
/// usage. `help` lists all commands, and `help WORD…` those that begin so.
///
/// ```
/// use oneline::{Client, Net, Router, Server};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> oneline::Result<()> {
/// let router = Router::new()
///     .on("add <a> <b>", "Adds two numbers.", async |(a, b): (i64, i64)| (a + b).to_string())
///     .on("set name <text>", "Sets the name.", async |(name,): (String,)| format!("now {name}"));
/// let net = Net::os();
/// let running = Server::with_router(router).start(&net, &"mem:router".parse()?).await?;
///
/// let mut client = Client::connect(&net, running.endpoint()).await?;
/// assert_eq!(client.request("add 2 3").await?, "5");
/// assert_eq!(client.request(r#"set name "a b""#).await?, "now a b");
/// assert_eq!(client.request("add 2").await?, "error: add: <b> is missing; usage: add <a> <b>");
/// assert_eq!(client.request("add 2 x").await?, r#"error: add: <b> is "x", not a whole number; usage: add <a> <b>"#);
/// client.send("help").await?;
/// assert_eq!(client.recv().await?, "add <a> <b> - Adds two numbers.");
/// # Ok(()) }
/// ```
#[derive(Default)]
pub struct Router {
    routes: BTreeMap<String, Route>,
    /// The most words that a command's name has.
    longest: usize,
    otherwise: Option<Run>,
}

struct Route {
    usage: String,
    help: String,
    names: Vec<String>,
    run: Run,
}

type Work<'a> = Pin<Box<dyn Future<Output = Result<(), HandlerError>> + Send + 'a>>;
/// Runs a command with its arguments, or says what is wrong with them.
type Run = Box<dyn for<'a> Fn(&Words<'_>, &'a mut Replies<'_>) -> Result<Work<'a>, ArgumentError> + Send + Sync>;

impl Router {
    /// A router that knows `help` only.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a command. The usage is its name, of one word or more, and names for its arguments in any brackets:
    /// `move <x> <y> [speed]`. A command of the same name is replaced.
    #[must_use]
    pub fn on<A, F, W, R>(mut self, usage: &str, help: &str, answer: F) -> Self
    where
        A: Arguments,
        F: Fn(A) -> W + Send + Sync + 'static,
        W: Future<Output = R> + Send + 'static,
        R: IntoReplies + Send + 'static,
    {
        let (names, name): (Vec<&str>, Vec<&str>) =
            usage.split_whitespace().partition(|word| word.starts_with(['<', '[']));
        self.longest = self.longest.max(name.len());
        let route = Route {
            usage: usage.to_owned(),
            help: help.to_owned(),
            names: names.into_iter().map(str::to_owned).collect(),
            run: Box::new(move |words, replies| {
                let work = answer(A::parse(words)?);
                Ok(Box::pin(async move { work.await.into_replies(replies) }))
            }),
        };
        self.routes.insert(name.join(" "), route);
        self
    }

    /// Sets who answers a command that is not known; it gets all words. By default that is an error that points to
    /// `help`.
    #[must_use]
    pub fn otherwise<F, W, R>(mut self, answer: F) -> Self
    where
        F: Fn(Vec<String>) -> W + Send + Sync + 'static,
        W: Future<Output = R> + Send + 'static,
        R: IntoReplies + Send + 'static,
    {
        self.otherwise = Some(Box::new(move |words, replies| {
            let work = answer(words.words.to_vec());
            Ok(Box::pin(async move { work.await.into_replies(replies) }))
        }));
        self
    }

    /// The lines of `help`, for commands that begin with these words.
    pub fn help(&self, prefix: &[String]) -> Vec<String> {
        let fits = |name: &str| {
            let mut name = name.split(' ');
            prefix.iter().all(|word| name.next() == Some(word))
        };
        let routes = self.routes.iter().filter(|(name, _)| fits(name));
        let mut lines: Vec<String> = routes.map(|(_, route)| route.line()).collect();
        if !self.routes.contains_key("help") && prefix.first().is_none_or(|word| word == "help") {
            lines.push("help [command] - Tells what commands there are.".to_owned());
        }
        lines
    }

    /// A handler that uses this router, for a server with a state of its own around it.
    pub fn handler(self: &Arc<Self>) -> impl Handler + use<> {
        Routed(Arc::clone(self))
    }

    /// Answers one command.
    ///
    /// # Errors
    /// What the client should read as an error: an unknown command, arguments that do not fit, the closure's own error.
    pub async fn answer(&self, command: &Command<'_>, replies: &mut Replies<'_>) -> Result<(), HandlerError> {
        if command.is_invalid() {
            return Err("the line is not valid text".into());
        }
        let words = words::split(command.text())?;
        for count in (1..=self.longest.min(words.len())).rev() {
            let (name, arguments) = words.split_at(count);
            let name = name.join(" ");
            if let Some(route) = self.routes.get(&name) {
                let words = Words {
                    words: arguments,
                    names: &route.names,
                };
                return match (route.run)(&words, replies) {
                    Ok(work) => work.await,
                    Err(error) => Err(format!("{name}: {error}; usage: {}", route.usage).into()),
                };
            }
        }
        match words.split_first() {
            Some((first, prefix)) if first == "help" => {
                let lines = self.help(prefix);
                if lines.is_empty() {
                    return Err(format!("no command begins with {}", quote(&prefix.join(" "))).into());
                }
                for line in lines {
                    replies.send(line).await?;
                }
                Ok(())
            }
            Some(_) if let Some(otherwise) = &self.otherwise => {
                let words = Words {
                    words: &words,
                    names: &[],
                };
                match otherwise(&words, replies) {
                    Ok(work) => work.await,
                    Err(error) => Err(error.into()),
                }
            }
            Some((first, _)) => Err(format!("unknown command {}; try help", quote(first)).into()),
            None => Err("empty command; try help".into()),
        }
    }
}

impl Route {
    fn line(&self) -> String {
        if self.help.is_empty() {
            self.usage.clone()
        } else {
            format!("{} - {}", self.usage, self.help)
        }
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router")
            .field("help", &self.help(&[]))
            .finish_non_exhaustive()
    }
}

struct Routed(Arc<Router>);

impl Handler for Routed {
    async fn command(&mut self, command: Command<'_>, replies: &mut Replies<'_>) -> Result<(), HandlerError> {
        self.0.answer(&command, replies).await
    }
}

/// The words behind a command's name, and what its usage calls them.
#[derive(Debug)]
pub struct Words<'a> {
    words: &'a [String],
    names: &'a [String],
}

impl<'a> Words<'a> {
    fn get(&self, index: usize) -> Option<&'a str> {
        self.words.get(index).map(String::as_str)
    }

    fn name(&self, index: usize) -> String {
        match self.names.get(index) {
            Some(name) => name.clone(),
            None => format!("argument {}", index + 1),
        }
    }
}

/// What is wrong with a command's arguments, in words for its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgumentError(String);

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ArgumentError {}

/// The arguments of a command: tuples of up to six [`Argument`]s.
pub trait Arguments: Sized + Send + 'static {
    /// Makes them of the words.
    ///
    /// # Errors
    /// If there are too few or too many words, or one can't be read.
    fn parse(words: &Words<'_>) -> Result<Self, ArgumentError>;
}

/// One argument of a command; made for a type of one's own with [`read`](Self::read) alone.
pub trait Argument: Sized + Send + 'static {
    /// What it is, as in "not a whole number".
    const KIND: &'static str;

    /// Reads it from its word; `None` if the word is none.
    fn read(word: &str) -> Option<Self>;

    /// Takes it from the words, beginning with the one at `index`.
    ///
    /// # Errors
    /// If the word is missing or can't be read.
    fn take(words: &Words<'_>, index: &mut usize) -> Result<Self, ArgumentError> {
        let at = *index;
        let word = words
            .get(at)
            .ok_or_else(|| ArgumentError(format!("{} is missing", words.name(at))))?;
        *index += 1;
        Self::read(word).ok_or_else(|| ArgumentError(format!("{} is {word:?}, not {}", words.name(at), Self::KIND)))
    }
}

macro_rules! arguments_from_text {
    ($($kind:literal: $($type:ty),*;)*) => {$($(
        impl Argument for $type {
            const KIND: &'static str = $kind;
            fn read(word: &str) -> Option<Self> {
                word.parse().ok()
            }
        }
    )*)*};
}

arguments_from_text! {
    "a whole number": i8, i16, i32, i64, i128, isize;
    "a whole number from 0 up": u8, u16, u32, u64, u128, usize;
    "a number": f32, f64;
    "one character": char;
    "text": String;
}

impl Argument for bool {
    const KIND: &'static str = "one of on, off, true, false, 1, 0";
    fn read(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "on" | "true" | "1" => Some(true),
            "off" | "false" | "0" => Some(false),
            _ => None,
        }
    }
}

impl<T: Argument> Argument for Option<T> {
    const KIND: &'static str = T::KIND;
    fn read(word: &str) -> Option<Self> {
        T::read(word).map(Some)
    }
    fn take(words: &Words<'_>, index: &mut usize) -> Result<Self, ArgumentError> {
        match words.get(*index) {
            Some(_) => T::take(words, index).map(Some),
            None => Ok(None),
        }
    }
}

impl<T: Argument> Argument for Vec<T> {
    const KIND: &'static str = T::KIND;
    fn read(word: &str) -> Option<Self> {
        T::read(word).map(|value| vec![value])
    }
    fn take(words: &Words<'_>, index: &mut usize) -> Result<Self, ArgumentError> {
        let mut values = Self::new();
        while words.get(*index).is_some() {
            values.push(T::take(words, index)?);
        }
        Ok(values)
    }
}

macro_rules! tuples {
    ($(($($name:ident),*);)*) => {$(
        impl<$($name: Argument),*> Arguments for ($($name,)*) {
            #[allow(unused_mut, clippy::unused_unit, reason = "the empty tuple takes nothing")]
            fn parse(words: &Words<'_>) -> Result<Self, ArgumentError> {
                let mut index = 0;
                let arguments = ($($name::take(words, &mut index)?,)*);
                match words.get(index) {
                    None => Ok(arguments),
                    Some(word) => Err(ArgumentError(format!("{word:?} is too much"))),
                }
            }
        }
    )*};
}

tuples! {
    ();
    (A);
    (A, B);
    (A, B, C);
    (A, B, C, D);
    (A, B, C, D, E);
    (A, B, C, D, E, F);
}
