//! The numbers that answers consist of.

use crate::{FromItem, ToItem};

/// Enums of one byte of B, with `Other` for numbers that have no name here.
macro_rules! acks {
    ($($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $number:literal,)* })*) => {$(
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ToItem, FromItem)]
        #[secs(binary)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant = $number,)*
            /// A number without a name here.
            #[secs(other)]
            Other(u8),
        }

        impl $name {
            /// Whether it is the 0 that all such answers have for yes.
            #[must_use]
            pub fn is_accepted(self) -> bool {
                matches!(self, Self::Accepted)
            }
        }
    )*};
}

acks! {
    /// Answers an alarm, an event or a trace (ACKC5, ACKC6).
    Accepted {
        /// Accepted.
        Accepted = 0,
        /// An error.
        Error = 1,
    }

    /// Answers S1F13 (COMMACK).
    Commack {
        /// Communication is established.
        Accepted = 0,
        /// Denied: try again.
        Denied = 1,
    }

    /// Answers S1F15 (OFLACK).
    Oflack {
        /// Going offline.
        Accepted = 0,
    }

    /// Answers S1F17 (ONLACK).
    Onlack {
        /// Going online.
        Accepted = 0,
        /// Not allowed.
        NotAllowed = 1,
        /// Online already.
        Already = 2,
    }

    /// Answers new constants (EAC).
    Eac {
        /// All are set.
        Accepted = 0,
        /// At least one does not exist.
        Unknown = 1,
        /// Busy.
        Busy = 2,
        /// At least one is out of range.
        OutOfRange = 3,
    }

    /// Answers a new time (TIACK).
    Tiack {
        /// It is set.
        Accepted = 0,
        /// An error.
        Error = 1,
    }

    /// Answers the definition of reports (DRACK).
    Drack {
        /// They are defined.
        Accepted = 0,
        /// No space.
        NoSpace = 1,
        /// A format is wrong.
        Format = 2,
        /// A report is defined already.
        Defined = 3,
        /// A variable does not exist.
        UnknownVariable = 4,
    }

    /// Answers the links of events to reports (LRACK).
    Lrack {
        /// They are linked.
        Accepted = 0,
        /// No space.
        NoSpace = 1,
        /// A format is wrong.
        Format = 2,
        /// An event is linked already.
        Linked = 3,
        /// An event does not exist.
        UnknownEvent = 4,
        /// A report does not exist.
        UnknownReport = 5,
    }

    /// Answers the enabling of events (ERACK).
    Erack {
        /// Done.
        Accepted = 0,
        /// An event does not exist.
        UnknownEvent = 1,
    }

    /// Answers a host command (HCACK).
    Hcack {
        /// Done.
        Accepted = 0,
        /// There is no such command.
        UnknownCommand = 1,
        /// Not now.
        CannotNow = 2,
        /// A parameter is wrong.
        Parameter = 3,
        /// It will be done; an event will tell.
        Later = 4,
        /// It is so already.
        Already = 5,
        /// There is no such object.
        UnknownObject = 6,
    }

    /// What is wrong with a parameter of a host command (CPACK).
    Cpack {
        /// Nothing.
        Accepted = 0,
        /// There is no such parameter.
        Unknown = 1,
        /// Its value is illegal.
        Value = 2,
        /// Its format is.
        Format = 3,
    }

    /// Answers an inquiry to send data (GRANT6).
    Grant6 {
        /// Send it.
        Accepted = 0,
        /// Busy: try again.
        Busy = 1,
        /// Not interested.
        NotInterested = 2,
    }

    /// Answers a request for spooled data (RSDA).
    Rsda {
        /// It will be done.
        Accepted = 0,
        /// Busy: try again.
        Busy = 1,
        /// There is none.
        Nothing = 2,
    }

    /// Answers an inquiry to load a process program (PPGNT).
    Ppgnt {
        /// Send it.
        Accepted = 0,
        /// It is here already.
        Already = 1,
        /// No space.
        NoSpace = 2,
        /// Its name is wrong.
        Name = 3,
        /// Busy: try again.
        Busy = 4,
        /// Not wanted.
        Denied = 5,
    }

    /// Answers a process program (ACKC7).
    Ackc7 {
        /// Accepted.
        Accepted = 0,
        /// Not allowed.
        NotAllowed = 1,
        /// Its length is wrong.
        Length = 2,
        /// No space.
        NoSpace = 3,
        /// There is none of this name.
        Unknown = 4,
    }

    /// Answers a text for a terminal, or of one (ACKC10).
    Ackc10 {
        /// It will be shown.
        Accepted = 0,
        /// It will not.
        NotShown = 1,
        /// There is no such terminal.
        UnknownTerminal = 2,
    }
}
