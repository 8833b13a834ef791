//! The same bytes by hand on tokio: frames that are looked at where they lie, one write for all that has gathered.

use super::{CONTENT, Job, Level, packet};
use crate::Outcome;
use crate::cpu::{Account, Meter, Spent};
use crate::networks::{duplex, real};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const BUFFER: usize = 16 * 1024;
const REQUEST: u8 = 0;
const SUCCESS: u8 = 1;

/// A pipe in memory instead of a network.
///
/// # Errors
/// If the work is done wrong.
pub fn pipe(job: Job) -> Outcome<Spent> {
    duplex::meet(async move |client, server| {
        let server = tokio::task::spawn_local(serve(server, job));
        let spent = drive(client, job).await?;
        server.await??;
        Ok(spent)
    })
}

/// On real sockets, both ends as tasks of one thread.
///
/// # Errors
/// If the work is done wrong.
pub fn real(job: Job) -> Outcome<Spent> {
    real::meet_on_tokio(
        async move |stream| serve(stream, job).await,
        async move |stream| drive(stream, job).await,
    )
}

/// Frames with a length of 4 bytes before them.
pub(super) struct Frames<S> {
    stream: S,
    input: Vec<u8>,
    /// Where in the input the next frame begins.
    head: usize,
    output: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Frames<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            input: Vec::with_capacity(BUFFER),
            head: 0,
            output: Vec::with_capacity(BUFFER),
        }
    }

    /// Gathers a frame.
    pub(super) fn push<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        let start = self.output.len() + 4;
        self.output.extend_from_slice(&[0; 4]);
        write(&mut self.output)?;
        let length = (self.output.len() - start) as u32;
        self.output[start - 4..start].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }

    /// The next frame. What has gathered leaves before this waits.
    pub(super) async fn next(&mut self) -> io::Result<Option<&[u8]>> {
        loop {
            let unread = &self.input[self.head..];
            if let Some((header, rest)) = unread.split_first_chunk() {
                let length = u32::from_be_bytes(*header) as usize;
                if rest.len() >= length {
                    let start = self.head + 4;
                    self.head = start + length;
                    return Ok(Some(&self.input[start..self.head]));
                }
            }
            self.input.drain(..self.head);
            self.head = 0;
            if !self.output.is_empty() {
                self.stream.write_all(&self.output).await?;
                self.output.clear();
            }
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Ok(None);
            }
        }
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, job: Job) -> Outcome<()> {
    let mut frames = Frames::new(stream);
    while let Some(frame) = frames.next().await? {
        match job.level {
            Level::Packets => {
                let packet = <[u8; 4]>::try_from(frame)?;
                frames.push(|out| {
                    out.extend_from_slice(&packet);
                    Outcome::Ok(())
                })?;
            }
            Level::Messages => {
                let (kind, id, content): (u8, u64, String) = serde_json::from_slice(frame)?;
                if kind != REQUEST {
                    return Err(format!("a message of kind {kind}").into());
                }
                frames.push(|out| serde_json::to_writer(out, &(SUCCESS, id, content)))?;
            }
        }
    }
    Ok(())
}

async fn drive(stream: impl AsyncRead + AsyncWrite + Unpin, job: Job) -> Outcome<Spent> {
    let mut frames = Frames::new(stream);
    let meter = Meter::start(Account::ThisThread)?;
    for batch in job.batches() {
        for number in batch.clone() {
            match job.level {
                Level::Packets => frames.push(|out| {
                    out.extend_from_slice(&packet(number));
                    Outcome::Ok(())
                })?,
                Level::Messages => frames.push(|out| serde_json::to_writer(out, &(REQUEST, number, CONTENT)))?,
            }
        }
        for number in batch {
            let frame = frames.next().await?.ok_or("the connection has ended")?;
            let right = match job.level {
                Level::Packets => frame == packet(number),
                Level::Messages => {
                    let (kind, id, content): (u8, u64, String) = serde_json::from_slice(frame)?;
                    (kind, id, content.as_str()) == (SUCCESS, number, CONTENT)
                }
            };
            if !right {
                return Err(format!("{frame:?} came back for {number}").into());
            }
        }
    }
    meter.stop()
}
