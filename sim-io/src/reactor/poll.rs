//! Waiting with `poll`: only the sockets that somebody waits for take part, so that one that idles with an error never
//! ends a wait.

use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::bell::Bell;
use super::poller::{Ready, Wait, Wanted};
use crate::environment::core::Alarm;

pub(super) struct Poll {
    bell: Bell,
    places: Vec<u32>,
    /// Storage that is used again at each wait; empty between them.
    fds: Vec<PollFd<'static>>,
}

impl Poll {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            bell: Bell::new()?,
            places: Vec::new(),
            fds: Vec::new(),
        })
    }
}

/// A limit for the system; None if it is so long that there is none.
pub(super) fn timespec(limit: Option<Duration>) -> Option<Timespec> {
    limit.and_then(|limit| Timespec::try_from(limit).ok())
}

impl Wait for Poll {
    fn is_edge_triggered(&self) -> bool {
        false
    }

    fn add(&mut self, _: u32, _: std::os::fd::BorrowedFd<'_>) -> io::Result<()> {
        Ok(())
    }

    fn remove(&mut self, _: std::os::fd::BorrowedFd<'_>) {}

    fn wait<'a>(
        &mut self,
        wanted: &mut dyn Iterator<Item = Wanted<'a>>,
        limit: Option<Duration>,
        ready: &mut Vec<Ready>,
    ) -> io::Result<()> {
        self.places.clear();
        let mut fds: Vec<PollFd<'_>> = std::mem::take(&mut self.fds);
        fds.push(PollFd::from_borrowed_fd(self.bell.as_fd(), PollFlags::IN));
        for Wanted {
            place,
            socket,
            read,
            write,
        } in wanted
        {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, read);
            flags.set(PollFlags::OUT, write);
            self.places.push(place);
            fds.push(PollFd::from_borrowed_fd(socket, flags));
        }
        let some = match poll(&mut fds, timespec(limit).as_ref()) {
            Ok(ready) => ready > 0,
            Err(Errno::INTR) => false,
            Err(error) => return Err(error.into()),
        };
        if some && fds.first().is_some_and(|bell| !bell.revents().is_empty()) {
            self.bell.silence();
        }
        let polled = self.places.iter().zip(fds.iter().skip(1));
        for (&place, fd) in polled.filter(|_| some) {
            let flags = fd.revents();
            let over = flags.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL);
            if !flags.is_empty() {
                ready.push(Ready {
                    place,
                    read: over || flags.contains(PollFlags::IN),
                    write: over || flags.contains(PollFlags::OUT),
                    read_closed: over,
                    write_closed: over,
                });
            }
        }
        // Without its elements the storage has no lifetime but its own; collecting in place keeps it.
        fds.clear();
        self.fds = fds.into_iter().map_while(|_| None).collect();
        Ok(())
    }

    fn alarm(&mut self) -> io::Result<Alarm> {
        self.bell.alarm()
    }
}
