//! `statechart draw`.

use std::io::{Read as _, Write as _};
use std::process::{Command, ExitCode, Stdio};

use crate::args::{DrawArguments, Form};
use crate::{failed, open};

pub(crate) fn run(arguments: &DrawArguments) -> ExitCode {
    let document = match open(&arguments.model) {
        Ok(document) => document,
        Err(code) => return code,
    };
    let picture = match arguments.format {
        Form::Dot => document.dot().into_bytes(),
        Form::Mermaid => document.mermaid().into_bytes(),
        Form::Svg => match svg(document.dot()) {
            Ok(picture) => picture,
            Err(error) => return failed(error),
        },
    };
    let written = match &arguments.output {
        Some(path) => std::fs::write(path, picture).map_err(|error| format!("{}: {error}", path.display())),
        None => match std::io::stdout().write_all(&picture) {
            // As for what is printed elsewhere: nobody reading it is no error.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(format!("standard output: {error}")),
            _ => Ok(()),
        },
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(error),
    }
}

/// What Graphviz makes of it.
fn svg(dot: String) -> Result<Vec<u8>, String> {
    let child = Command::new("dot")
        .arg("-Tsvg")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.map_err(|error| {
        format!("the program `dot` of Graphviz can't be started ({error}): install it, or use --format dot or mermaid")
    })?;
    // Both pipes may fill up: one of them needs a thread of its own.
    let writer = child
        .stdin
        .take()
        .map(|mut stdin| std::thread::spawn(move || stdin.write_all(dot.as_bytes())));
    let mut picture = Vec::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout
            .read_to_end(&mut picture)
            .map_err(|error| format!("dot: {error}"))?;
    }
    if let Some(writer) = writer {
        let _ = writer.join();
    }
    let status = child.wait().map_err(|error| format!("dot: {error}"))?;
    if status.success() {
        Ok(picture)
    } else {
        Err(format!("dot: {status}"))
    }
}
