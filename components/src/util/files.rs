//! Files, read and written in threads of their own.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::ByteRateRequestControl;
use crate::component::{Component, Outcome};
use crate::threaded::in_thread;
use crate::{Boxes, Carousel, Context, Failure, Inbox, Outbox, Pipeline};

/// The largest message that is read from a file; what is asked for beyond it comes in several.
const PIECE: usize = 1024 * 1024;

/// What a [`PromptedFileReader`] counts in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Unit {
    #[default]
    Bytes,
    Lines,
}

/// Reads as much of a file as it is asked for, and ends at the file's end.
///
/// A message is 1 MiB at most; who asks for more gets several. An error of the file fails it.
#[derive(Boxes, Debug)]
pub struct PromptedFileReader {
    /// How many bytes, or lines, are asked for.
    inbox: Inbox<usize>,
    /// What the file has.
    outbox: Outbox<Bytes>,
    path: PathBuf,
    unit: Unit,
}

impl PromptedFileReader {
    /// Reads this file when it runs.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            path: path.into(),
            unit: Unit::Bytes,
        }
    }

    /// Is asked for lines, and sends one at a time, with its LF. Default: bytes.
    #[must_use]
    pub fn lines(mut self) -> Self {
        self.unit = Unit::Lines;
        self
    }

    /// A reader with the speed of a rate: Kamaelia's `RateControlledFileReader`.
    pub fn at_rate(self, rate: ByteRateRequestControl) -> Pipeline<ByteRateRequestControl, Self> {
        Pipeline::new(rate).then(self)
    }

    /// One reader after another, each for a file that is named at `next`: Kamaelia's `ReusableFileReader`.
    pub fn reusable() -> Carousel<PathBuf, Self, impl FnMut(PathBuf) -> Self + Send + 'static> {
        Carousel::new(Self::new)
    }
}

impl Component for PromptedFileReader {
    async fn main(mut self, context: Context) -> Outcome {
        in_thread("PromptedFileReader", context, move |_| {
            let mut file = BufReader::new(open(&self.path)?);
            while let Some(mut left) = self.inbox.recv_blocking() {
                while left > 0 {
                    let (piece, count) = match self.unit {
                        Unit::Bytes => {
                            let piece = bytes(&mut file, left.min(PIECE)).map_err(|error| at(&self.path, error))?;
                            let count = piece.len();
                            (piece, count)
                        }
                        Unit::Lines => (line(&mut file).map_err(|error| at(&self.path, error))?, 1),
                    };
                    if piece.is_empty() {
                        return Ok(());
                    }
                    left -= count;
                    self.outbox.send_blocking(piece.into())?;
                }
            }
            Ok(())
        })
        .await
    }
}

/// Reads the lines of a file, each with its LF, and ends at the file's end. A line longer than 1 MiB comes in parts; an
/// error of the file fails it.
#[derive(Boxes, Debug)]
pub struct SimpleReader {
    /// Lines.
    outbox: Outbox<Bytes>,
    path: PathBuf,
}

impl SimpleReader {
    /// Reads this file when it runs.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            outbox: Outbox::new(),
            path: path.into(),
        }
    }
}

impl Component for SimpleReader {
    async fn main(mut self, context: Context) -> Outcome {
        in_thread("SimpleReader", context, move |context| {
            let mut file = BufReader::new(open(&self.path)?);
            while !context.is_finishing() {
                let line = line(&mut file).map_err(|error| at(&self.path, error))?;
                if line.is_empty() {
                    break;
                }
                self.outbox.send_blocking(line.into())?;
            }
            Ok(())
        })
        .await
    }
}

/// Writes what it gets to a file. Everything that was sent before its end is in the file when it has ended.
#[derive(Boxes, Debug)]
pub struct SimpleFileWriter {
    /// What is written.
    inbox: Inbox<Bytes>,
    path: PathBuf,
    append: bool,
}

impl SimpleFileWriter {
    /// Makes this file anew when it runs.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            inbox: Inbox::new(),
            path: path.into(),
            append: false,
        }
    }

    /// Writes behind what the file has. Default: it is emptied.
    #[must_use]
    pub fn append(mut self) -> Self {
        self.append = true;
        self
    }
}

impl Component for SimpleFileWriter {
    async fn main(mut self, context: Context) -> Outcome {
        in_thread("SimpleFileWriter", context, move |_| {
            let file = OpenOptions::new()
                .create(true)
                .write(true)
                .append(self.append)
                .truncate(!self.append)
                .open(&self.path);
            let mut file = file.map_err(|error| at(&self.path, error))?;
            while let Some(bytes) = self.inbox.recv_blocking() {
                file.write_all(&bytes).map_err(|error| at(&self.path, error))?;
            }
            file.flush().map_err(|error| at(&self.path, error))
        })
        .await
    }
}

/// Writes whole files: for each name and content it tells the name when the file is there.
#[derive(Boxes, Debug, Default)]
pub struct WholeFileWriter {
    /// Names and contents.
    inbox: Inbox<(PathBuf, Bytes)>,
    /// The names of what is written.
    #[boxes(name = "done")]
    outbox: Outbox<PathBuf>,
}

impl WholeFileWriter {
    /// One of them.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where it tells what is written.
    pub fn done(&self) -> &Outbox<PathBuf> {
        &self.outbox
    }
}

impl Component for WholeFileWriter {
    async fn main(mut self, context: Context) -> Outcome {
        in_thread("WholeFileWriter", context, move |_| {
            while let Some((path, content)) = self.inbox.recv_blocking() {
                std::fs::write(&path, &content).map_err(|error| at(&path, error))?;
                self.outbox.send_blocking(path)?;
            }
            Ok(())
        })
        .await
    }
}

fn open(path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|error| at(path, error))
}

/// An error, with the file's name.
fn at(path: &Path, error: io::Error) -> Failure {
    io::Error::new(error.kind(), format!("{}: {error}", path.display())).into()
}

/// So many bytes, less at the end.
fn bytes(file: &mut impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A line with its end, or a piece of a long one; nothing at the end.
fn line(file: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    file.take(PIECE as u64).read_until(b'\n', &mut line)?;
    Ok(line)
}
