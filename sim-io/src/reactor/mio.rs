//! Waiting with mio: epoll or kqueue, edge-triggered.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use ::mio::unix::SourceFd;
use ::mio::{Events, Interest, Token, Waker};

use super::poller::{Ready, Wait, Wanted};
use super::precise::Precise;
use crate::environment::core::Alarm;

/// Behind all places of sockets.
const ALARM: Token = Token(usize::MAX);
const TIMER: Token = Token(usize::MAX - 1);

pub(super) struct Mio {
    poll: ::mio::Poll,
    events: Events,
    alarm: Arc<Waker>,
    timer: Precise,
}

impl Mio {
    pub(super) fn new() -> io::Result<Self> {
        let poll = ::mio::Poll::new()?;
        let alarm = Arc::new(Waker::new(poll.registry(), ALARM)?);
        let timer = Precise::new(|timer| {
            let timer = timer.as_raw_fd();
            poll.registry()
                .register(&mut SourceFd(&timer), TIMER, Interest::READABLE)
        })?;
        Ok(Self {
            poll,
            events: Events::with_capacity(1024),
            alarm,
            timer,
        })
    }
}

impl Wait for Mio {
    fn is_edge_triggered(&self) -> bool {
        true
    }

    fn add(&mut self, place: u32, socket: BorrowedFd<'_>) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        let token = Token(place as usize);
        self.poll
            .registry()
            .register(&mut SourceFd(&socket.as_raw_fd()), token, interest)
    }

    fn remove(&mut self, socket: BorrowedFd<'_>) {
        // It can fail only if the system has let it go by itself.
        let _ = self.poll.registry().deregister(&mut SourceFd(&socket.as_raw_fd()));
    }

    fn wait<'a>(
        &mut self,
        _: &mut dyn Iterator<Item = Wanted<'a>>,
        limit: Option<Duration>,
        ready: &mut Vec<Ready>,
    ) -> io::Result<()> {
        let limit = self.timer.set(limit)?;
        match self.poll.poll(&mut self.events, limit) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for event in &self.events {
            match event.token() {
                ALARM => {}
                TIMER => self.timer.went_off(),
                Token(place) => ready.push(Ready {
                    place: u32::try_from(place).unwrap_or(u32::MAX),
                    read: event.is_readable() || event.is_read_closed() || event.is_error(),
                    write: event.is_writable() || event.is_write_closed() || event.is_error(),
                    read_closed: event.is_read_closed() || event.is_error(),
                    write_closed: event.is_write_closed() || event.is_error(),
                }),
            }
        }
        Ok(())
    }

    fn alarm(&mut self) -> io::Result<Alarm> {
        let alarm = Arc::clone(&self.alarm);
        Ok(Box::new(move || {
            // It fails only if the poller is gone, and then nobody sleeps.
            let _ = alarm.wake();
        }))
    }
}
