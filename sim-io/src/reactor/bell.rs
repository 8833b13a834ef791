//! A pair of sockets by which other threads end a wait.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use net_core::sockets::Socket;

use crate::environment::core::Alarm;

pub(super) struct Bell {
    near: Socket,
    far: Socket,
}

impl Bell {
    pub(super) fn new() -> io::Result<Self> {
        let (near, far) = net_core::sockets::pair()?;
        Ok(Self { near, far })
    }

    /// What the wait looks at.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.near.as_fd()
    }

    /// Takes in what rang.
    pub(super) fn silence(&self) {
        let mut bytes = [0; 64];
        while (&self.near).read(&mut bytes).is_ok_and(|n| n == bytes.len()) {}
    }

    pub(super) fn alarm(&self) -> io::Result<Alarm> {
        let far = self.far.try_clone()?;
        Ok(Box::new(move || {
            // There is no room only if it rings already.
            let _ = (&far).write(&[0]);
        }))
    }
}
