//! The numbers in headers that have names: session types, statuses and reasons.

use std::fmt;

/// An enum over the bytes that have a name, with `Other` for those that have none.
macro_rules! codes {
    (
        $(#[$about:meta])*
        $name:ident {
            $($(#[$doc:meta])* $variant:ident = $value:literal, $text:literal;)*
        }
        other: $other:literal
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)*
            /// A number without a name here. [`From<u8>`] makes it of such numbers only.
            Other(u8),
        }

        impl From<u8> for $name {
            #[inline]
            fn from(code: u8) -> Self {
                match code {
                    $($value => Self::$variant,)*
                    other => Self::Other(other),
                }
            }
        }

        impl From<$name> for u8 {
            #[inline]
            fn from(code: $name) -> u8 {
                match code {
                    $($name::$variant => $value,)*
                    $name::Other(other) => other,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant => f.write_str($text),)*
                    Self::Other(other) => write!(f, concat!($other, " {}"), other),
                }
            }
        }
    };
}

codes! {
    /// What kind of message it is: the header's byte 5 (E37: session type).
    SType {
        /// A SECS-II message, or one of another presentation type.
        Data = 0, "Data";
        /// Asks to select: to begin communication.
        SelectReq = 1, "Select.req";
        /// Answers it, with a [`SelectStatus`].
        SelectRsp = 2, "Select.rsp";
        /// Asks to end the selection.
        DeselectReq = 3, "Deselect.req";
        /// Answers it, with a [`DeselectStatus`].
        DeselectRsp = 4, "Deselect.rsp";
        /// Asks whether the peer is there.
        LinktestReq = 5, "Linktest.req";
        /// Answers it.
        LinktestRsp = 6, "Linktest.rsp";
        /// Says that a message was not understood or not expected, with a [`RejectReason`]. Is never answered.
        RejectReq = 7, "Reject.req";
        /// Ends communication. Is never answered.
        SeparateReq = 9, "Separate.req";
    }
    other: "SType"
}

codes! {
    /// What a Select.rsp says.
    SelectStatus {
        /// Communication is established.
        Established = 0, "communication established";
        /// It was before.
        AlreadyActive = 1, "communication already active";
        /// The peer is not yet ready.
        NotReady = 2, "connection not ready";
        /// The peer has a selected connection, and no room for another.
        Exhausted = 3, "connections exhausted";
        /// HSMS-GS: the peer has no such session entity.
        NoSuchEntity = 4, "no such session entity";
        /// HSMS-GS: another connection has selected the entity.
        EntityInUse = 5, "session entity in use by another connection";
        /// HSMS-GS: this connection has selected the entity before.
        EntitySelected = 6, "session entity already selected";
    }
    other: "select status"
}

codes! {
    /// What a Deselect.rsp says.
    DeselectStatus {
        /// Communication has ended.
        Ended = 0, "communication ended";
        /// There was none.
        NotEstablished = 1, "communication not established";
        /// The peer is busy, and communication goes on.
        Busy = 2, "communication busy";
        /// HSMS-GS: the peer has no such session entity.
        NoSuchEntity = 4, "no such session entity";
        /// HSMS-GS: another connection has selected the entity.
        EntityInUse = 5, "session entity in use by another connection";
        /// HSMS-GS: this connection has selected the entity before.
        EntitySelected = 6, "session entity already selected";
    }
    other: "deselect status"
}

codes! {
    /// Why a Reject.req was sent.
    RejectReason {
        /// The receiver does not know the [`SType`].
        STypeNotSupported = 1, "SType not supported";
        /// The receiver does not know the presentation type.
        PTypeNotSupported = 2, "PType not supported";
        /// A response to what was never asked, or not any more.
        TransactionNotOpen = 3, "transaction not open";
        /// Data while not selected.
        NotSelected = 4, "entity not selected";
    }
    other: "reject reason"
}
