//! Waiting with `select`: as with `poll`, only the sockets that somebody waits for take part.

mod call;
mod sets;

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

use rustix::io::Errno;

use self::sets::Storage;
use super::bell::Bell;
use super::poll::timespec;
use super::poller::{Ready, Wait, Wanted};
use crate::environment::core::Alarm;

pub(super) struct Select {
    bell: Bell,
    storage: Storage,
    /// Whose socket a descriptor is; sorted when it is looked at.
    places: Vec<(RawFd, u32)>,
}

impl Select {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            bell: Bell::new()?,
            storage: Storage::default(),
            places: Vec::new(),
        })
    }
}

impl Wait for Select {
    fn is_edge_triggered(&self) -> bool {
        false
    }

    fn add(&mut self, _: u32, _: BorrowedFd<'_>) -> io::Result<()> {
        Ok(())
    }

    fn remove(&mut self, _: BorrowedFd<'_>) {}

    fn wait<'a>(
        &mut self,
        wanted: &mut dyn Iterator<Item = Wanted<'a>>,
        limit: Option<Duration>,
        ready: &mut Vec<Ready>,
    ) -> io::Result<()> {
        let mut sets = self.storage.sets();
        sets.insert(self.bell.as_fd(), true, false);
        self.places.clear();
        for wanted in wanted {
            sets.insert(wanted.socket, wanted.read, wanted.write);
            self.places.push((wanted.socket.as_raw_fd(), wanted.place));
        }
        match call::wait(&mut sets, timespec(limit).as_ref()) {
            Ok(0) | Err(Errno::INTR) => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        self.places.sort_unstable();
        let bell = self.bell.as_fd().as_raw_fd();
        let mut rang = false;
        sets.each(|fd, read, write| {
            rang |= fd == bell;
            let found = self.places.binary_search_by_key(&fd, |(fd, _)| *fd);
            if let Some((_, place)) = found.ok().and_then(|index| self.places.get(index)) {
                ready.push(Ready {
                    place: *place,
                    read,
                    write,
                    ..Ready::default()
                });
            }
        });
        if rang {
            self.bell.silence();
        }
        Ok(())
    }

    fn alarm(&mut self) -> io::Result<Alarm> {
        self.bell.alarm()
    }
}
