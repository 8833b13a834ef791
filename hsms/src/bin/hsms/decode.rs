//! `hsms decode`: recordings to SML.

use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use hsms::capture::Decoder;

use crate::args::Decode;
use crate::{UNANSWERED, failed};

pub(crate) fn run(arguments: &Decode) -> ExitCode {
    let name = arguments.file.as_deref().filter(|path| *path != Path::new("-"));
    let mut recording = Vec::new();
    let read = match name {
        Some(path) => std::fs::read(path).map(|bytes| recording = bytes),
        None => std::io::stdin().lock().read_to_end(&mut recording).map(drop),
    };
    let name = name.map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
    if let Err(error) = read {
        return failed(&format!("{name}: {error}"));
    }
    let mut decoder = Decoder::default().form(arguments.form.into());
    if let Some(port) = arguments.port {
        decoder = decoder.port(port);
    }
    let mut output = BufWriter::new(std::io::stdout().lock());
    let mut written = Ok(());
    let decoded = decoder.decode(&recording, &mut |record| {
        if written.is_ok() {
            written = writeln!(output, "{record}");
        }
    });
    match (decoded, written.and_then(|()| output.flush())) {
        (Err(error), _) => failed(&format!("{name}: {error}")),
        (_, Err(error)) => failed(&format!("standard output: {error}")),
        (Ok(summary), Ok(())) if summary.faults > 0 => {
            eprintln!("hsms: {name}: {} faults", summary.faults);
            ExitCode::from(UNANSWERED)
        }
        (Ok(_), Ok(())) => ExitCode::SUCCESS,
    }
}
