//! What a program does with a connection that is there: reading and writing.

use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::task::Poll;

use super::Which;
use crate::environment::core::Core;
use crate::environment::queue::Slot;
use crate::network::world::{State, Waiter};

/// Storage of a ring that stays with an idle connection.
const KEPT: usize = 1024;

impl State {
    /// Whether there is something to read, be it the end or an error.
    pub(in crate::network) fn poll_readable(
        &mut self,
        slot: Slot,
        which: Which,
        waiter: impl FnOnce(&Rc<str>) -> Waiter,
    ) -> Poll<()> {
        let Some(conn) = self.conns.get_mut(slot) else {
            return Poll::Ready(());
        };
        let (end, way) = (&mut conn.ends[which], &conn.ways[1 - which]);
        if way.arrived > way.read || way.ended || end.error.is_some() || !end.alive {
            return Poll::Ready(());
        }
        end.reader = Some(waiter(&conn.name));
        Poll::Pending
    }

    pub(in crate::network) fn read(
        &mut self,
        core: &Core,
        slot: Slot,
        which: Which,
        into: &mut tokio::io::ReadBuf<'_>,
        waiter: impl FnOnce(&Rc<str>) -> Waiter,
    ) -> Option<io::Result<()>> {
        let Some(conn) = self.conns.get_mut(slot) else {
            return Some(Err(io::ErrorKind::ConnectionReset.into()));
        };
        let from = 1 - which;
        let way = &mut conn.ways[from];
        let there = usize::try_from(way.arrived - way.read).unwrap_or(usize::MAX);
        let n = there.min(into.remaining());
        if n == 0 {
            let end = &mut conn.ends[which];
            if into.remaining() == 0 || way.ended && there == 0 {
                return Some(Ok(()));
            }
            if let Some(error) = end.error.take() {
                return Some(Err(error.into()));
            }
            if !end.alive {
                return Some(Ok(()));
            }
            end.reader = Some(waiter(&conn.name));
            return None;
        }
        let (front, back) = way.ring.as_slices();
        let first = n.min(front.len());
        into.put_slice(&front[..first]);
        into.put_slice(&back[..n - first]);
        if n == way.ring.len() {
            way.ring.clear();
            if way.ring.capacity() > KEPT {
                way.ring = VecDeque::new();
            }
        } else {
            way.ring.drain(..n);
        }
        way.read += n as u64;
        // As Linux does: small openings of the window are not told, nor those that the next data's answer tells in time.
        let opened = way.read + way.receive_room - way.told;
        let much = opened * 4 >= way.receive_room || way.read == way.arrived;
        let near = way.written > way.sent || way.told.saturating_sub(way.sent) * 2 < way.receive_room;
        if much && near {
            conn.answer(&mut self.fabric, core, from);
        }
        Some(Ok(()))
    }

    pub(in crate::network) fn write(
        &mut self,
        core: &Core,
        slot: Slot,
        which: Which,
        slices: &[io::IoSlice<'_>],
        waiter: impl FnOnce(&Rc<str>) -> Waiter,
    ) -> Option<io::Result<usize>> {
        let Some(conn) = self.conns.get_mut(slot) else {
            return Some(Err(io::ErrorKind::BrokenPipe.into()));
        };
        let end = &mut conn.ends[which];
        if let Some(error) = end.error.take() {
            return Some(Err(error.into()));
        }
        let way = &mut conn.ways[which];
        if !end.alive || way.closing {
            return Some(Err(io::ErrorKind::BrokenPipe.into()));
        }
        way.hear(core.now());
        let mut room = way.room();
        let mut written = 0;
        for slice in slices {
            let n = slice.len().min(room);
            way.ring.extend(&slice[..n]);
            written += n;
            room -= n;
        }
        if written == 0 {
            if slices.iter().all(|slice| slice.is_empty()) {
                return Some(Ok(0));
            }
            end.writer = Some(waiter(&conn.name));
            if let Some(answer) = way.answers.front() {
                let at = answer.at;
                conn.at(core, at);
            }
            return None;
        }
        way.written += written as u64;
        conn.pump(&mut self.fabric, core, which);
        Some(Ok(written))
    }
}
