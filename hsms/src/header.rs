//! The ten bytes at the head of each message.

use std::fmt;

use crate::{DeselectStatus, RejectReason, SType, SelectStatus, StreamFunction};

/// The header of a message: ten bytes, big-endian (E37).
///
/// | bytes | meaning |
/// |---|---|
/// | 0–1 | session id: the device id in HSMS-SS data (15 bits), [`CONTROL`](Self::CONTROL) in its control messages |
/// | 2 | data: the W-bit above the stream. Reject.req: what was rejected |
/// | 3 | data: the function. Responses: the status. Reject.req: the reason |
/// | 4 | PType: 0 is SECS-II |
/// | 5 | SType |
/// | 6–9 | system bytes: the same in a request and its answer |
///
/// Any ten bytes are a header; what they mean is the session's matter. The text form is the one that logs of such
/// systems have:
///
/// ```
/// use hsms::Header;
///
/// assert_eq!(
///     Header::select_req(Header::CONTROL, 1).to_string(),
///     "{session_id:0xffff, stream:00, function:00, p_type:0x00, s_type:0x01, system:0x00000001, require_response:0}"
/// );
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Header([u8; Self::LENGTH]);

impl Header {
    /// How many bytes a header has.
    pub const LENGTH: usize = 10;

    /// The session id of control messages in HSMS-SS, and of every Linktest.
    pub const CONTROL: u16 = 0xFFFF;

    /// A SECS-II message. `w` asks for a reply.
    #[must_use]
    #[inline]
    pub const fn data(session_id: u16, about: StreamFunction, w: bool, system: u32) -> Self {
        let stream = about.stream() | if w { 0x80 } else { 0 };
        Self::raw(session_id, stream, about.function(), 0, system)
    }

    /// Asks to select `session_id`: [`CONTROL`](Self::CONTROL) in HSMS-SS, the entity's in HSMS-GS.
    #[must_use]
    pub const fn select_req(session_id: u16, system: u32) -> Self {
        Self::raw(session_id, 0, 0, 1, system)
    }

    /// Answers a Select.req.
    #[must_use]
    pub fn select_rsp(request: &Self, status: SelectStatus) -> Self {
        Self::raw(request.session_id(), 0, status.into(), 2, request.system())
    }

    /// Asks to end the selection of `session_id`.
    #[must_use]
    pub const fn deselect_req(session_id: u16, system: u32) -> Self {
        Self::raw(session_id, 0, 0, 3, system)
    }

    /// Answers a Deselect.req.
    #[must_use]
    pub fn deselect_rsp(request: &Self, status: DeselectStatus) -> Self {
        Self::raw(request.session_id(), 0, status.into(), 4, request.system())
    }

    /// Asks whether the peer is there.
    #[must_use]
    pub const fn linktest_req(system: u32) -> Self {
        Self::raw(Self::CONTROL, 0, 0, 5, system)
    }

    /// Answers a Linktest.req.
    #[must_use]
    pub const fn linktest_rsp(request: &Self) -> Self {
        Self::raw(request.session_id(), 0, 0, 6, request.system())
    }

    /// Rejects a message: it carries that one's session id and system bytes, and its SType, or its PType if that is
    /// what was wrong.
    #[must_use]
    pub fn reject_req(rejected: &Self, reason: RejectReason) -> Self {
        let what = match reason {
            RejectReason::PTypeNotSupported => rejected.p_type(),
            _ => rejected.s_type().into(),
        };
        Self::raw(rejected.session_id(), what, reason.into(), 7, rejected.system())
    }

    /// Ends communication.
    #[must_use]
    pub const fn separate_req(session_id: u16, system: u32) -> Self {
        Self::raw(session_id, 0, 0, 9, system)
    }

    /// Of ten bytes as they come.
    #[must_use]
    #[inline]
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// The ten bytes, as they go, and as stream 9 quotes them.
    #[must_use]
    #[inline]
    pub const fn to_bytes(self) -> [u8; Self::LENGTH] {
        self.0
    }

    const fn raw(session_id: u16, byte2: u8, byte3: u8, s_type: u8, system: u32) -> Self {
        let id = session_id.to_be_bytes();
        let own = system.to_be_bytes();
        Self([id[0], id[1], byte2, byte3, 0, s_type, own[0], own[1], own[2], own[3]])
    }

    /// The session id.
    #[must_use]
    #[inline]
    pub const fn session_id(&self) -> u16 {
        u16::from_be_bytes([self.0[0], self.0[1]])
    }

    /// Byte 2 as it is: W-bit and stream, or what was rejected.
    #[must_use]
    #[inline]
    pub const fn byte2(&self) -> u8 {
        self.0[2]
    }

    /// Byte 3 as it is: the function, a status or a reason.
    #[must_use]
    #[inline]
    pub const fn byte3(&self) -> u8 {
        self.0[3]
    }

    /// Byte 2 without its top bit. In a control message this is no stream.
    #[must_use]
    #[inline]
    pub const fn stream(&self) -> u8 {
        self.0[2] & 0x7F
    }

    /// Byte 3. In a control message this is no function.
    #[must_use]
    #[inline]
    pub const fn function(&self) -> u8 {
        self.0[3]
    }

    /// Stream and function together.
    #[must_use]
    #[inline]
    pub const fn stream_function(&self) -> StreamFunction {
        StreamFunction::new(self.stream(), self.function())
    }

    /// The W-bit: the sender waits for a reply.
    #[must_use]
    #[inline]
    pub const fn w(&self) -> bool {
        self.0[2] & 0x80 != 0
    }

    /// The presentation type: 0 is SECS-II.
    #[must_use]
    #[inline]
    pub const fn p_type(&self) -> u8 {
        self.0[4]
    }

    /// What kind of message it is.
    #[must_use]
    #[inline]
    pub fn s_type(&self) -> SType {
        self.0[5].into()
    }

    /// The system bytes.
    #[must_use]
    #[inline]
    pub const fn system(&self) -> u32 {
        u32::from_be_bytes([self.0[6], self.0[7], self.0[8], self.0[9]])
    }

    /// The status of a Select.rsp: byte 3.
    #[must_use]
    pub fn select_status(&self) -> SelectStatus {
        self.byte3().into()
    }

    /// The status of a Deselect.rsp: byte 3.
    #[must_use]
    pub fn deselect_status(&self) -> DeselectStatus {
        self.byte3().into()
    }

    /// The reason of a Reject.req: byte 3.
    #[must_use]
    pub fn reject_reason(&self) -> RejectReason {
        self.byte3().into()
    }

    /// Whether it is a data message.
    #[must_use]
    #[inline]
    pub const fn is_data(&self) -> bool {
        self.0[5] == 0
    }

    /// Whether it is a data message that begins a transaction: its function is odd, or it asks for a reply.
    #[must_use]
    #[inline]
    pub const fn is_primary(&self) -> bool {
        self.is_data() && (self.function() % 2 == 1 || self.w())
    }

    /// The header of the reply to this primary: the next function, no W-bit, the same session id and system bytes.
    #[must_use]
    #[inline]
    pub const fn secondary(&self) -> Self {
        let about = self.stream_function().secondary();
        Self::data(self.session_id(), about, false, self.system())
    }

    /// The header that aborts the transaction of this primary: function 0.
    #[must_use]
    pub const fn abort(&self) -> Self {
        let about = self.stream_function().abort();
        Self::data(self.session_id(), about, false, self.system())
    }

    /// With other system bytes.
    #[must_use]
    #[inline]
    pub const fn with_system(mut self, system: u32) -> Self {
        let own = system.to_be_bytes();
        self.0[6] = own[0];
        self.0[7] = own[1];
        self.0[8] = own[2];
        self.0[9] = own[3];
        self
    }

    /// With another session id.
    #[must_use]
    #[inline]
    pub const fn with_session_id(mut self, session_id: u16) -> Self {
        let id = session_id.to_be_bytes();
        self.0[0] = id[0];
        self.0[1] = id[1];
        self
    }
}

impl From<[u8; Self::LENGTH]> for Header {
    #[inline]
    fn from(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }
}

impl From<Header> for [u8; Header::LENGTH] {
    #[inline]
    fn from(header: Header) -> Self {
        header.0
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{{session_id:0x{:04x}, stream:{:02}, function:{:02}, p_type:0x{:02x}, s_type:0x{:02x}, system:0x{:08x}, \
             require_response:{}}}",
            self.session_id(),
            self.stream(),
            self.function(),
            self.p_type(),
            self.0[5],
            self.system(),
            u8::from(self.w()),
        )
    }
}

impl fmt::Debug for Header {
    /// The same text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
