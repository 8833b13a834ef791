//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

const RUN: &str = "\
Input, a line for each event:
  port.event                    an event on an inport
  port.event(1, \"text\", b\"\\x00\")  with parameters: constants of the action language
  event                         on the only inport; without a port if there is not exactly one
  +1.5 port.event               1.5 seconds from now
Empty lines and lines that begin with # are skipped. A line that makes no sense, or an event that no transition waits
for, is told on standard error.

Output, a line for each event:  SECONDS #INSTANCE port.event(parameters)
What the model prints comes as it is. Faults of the model and the trace come on standard error; with --sockets also each
error of a socket that no transition caught, and what is no command of the socket service.

It ends when the input has ended and nothing waits: no event, no timer, no open socket; or by Ctrl-C or SIGTERM.

Exit codes:
  0  it ended
  1  the model was refused, or could not be created
  2  the command line makes no sense";

const TEST: &str = "\
Each `test` of a model runs in virtual time, with a new instance of the default class.

Exit codes:
  0  all passed
  1  one failed, or a model was refused
  2  the command line makes no sense";

/// Statecharts that use sockets by events: models in SCCD's XML or SCXML.
#[derive(Debug, Parser)]
#[command(name = "statechart", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) action: Action,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Runs a model: events from standard input, output events to standard output
    #[command(after_help = RUN)]
    Run(RunArguments),
    /// Reads models and tells what is wrong with them, with file, line and column
    Check {
        /// Model files
        #[arg(required = true, value_name = "MODEL")]
        models: Vec<PathBuf>,
    },
    /// Runs the tests that stand in models
    #[command(after_help = TEST)]
    Test {
        /// Model files
        #[arg(required = true, value_name = "MODEL")]
        models: Vec<PathBuf>,
    },
    /// Draws the charts of a model
    Draw(DrawArguments),
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// The model file
    pub(crate) model: PathBuf,
    /// A parameter of the default class's constructor; a constant of the action language, or else a text
    #[arg(short, long = "parameter", value_name = "NAME=VALUE")]
    pub(crate) parameters: Vec<String>,
    /// Runs the socket service on the ports `socket_out` and `socket_in`; their events are not printed
    #[arg(long)]
    pub(crate) sockets: bool,
    /// Tells each step on standard error: time, instance, what was entered, left, fired, raised
    #[arg(long)]
    pub(crate) trace: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DrawArguments {
    /// The model file
    pub(crate) model: PathBuf,
    /// In which form
    #[arg(short, long, value_enum, default_value_t = Form::Dot)]
    pub(crate) format: Form,
    /// Where to; standard output by default
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Graphviz's language
    Dot,
    /// Mermaid's language
    Mermaid,
    /// A picture, by the program `dot` of Graphviz
    Svg,
}
