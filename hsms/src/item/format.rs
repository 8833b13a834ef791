//! The sixteen formats of SECS-II items.

use std::fmt;

/// What an item holds (E5: item format).
///
/// The names in brackets are those of [SML](crate::sml); the size is that of one value in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Format {
    /// A list of items (`L`).
    List = 0o00,
    /// Bytes (`B`).
    Binary = 0o10,
    /// Truth values of one byte: 0 is false (`BOOLEAN`).
    Boolean = 0o11,
    /// Text, 7 bits a character by the standard; many peers send other encodings (`A`).
    Ascii = 0o20,
    /// Text in JIS X 0201 (`J`).
    Jis8 = 0o21,
    /// Text after two bytes that tell its encoding (`W`).
    Localized = 0o22,
    /// Signed integers of 8 bytes (`I8`).
    I8 = 0o30,
    /// Signed integers of 1 byte (`I1`).
    I1 = 0o31,
    /// Signed integers of 2 bytes (`I2`).
    I2 = 0o32,
    /// Signed integers of 4 bytes (`I4`).
    I4 = 0o34,
    /// IEEE 754 numbers of 8 bytes (`F8`).
    F8 = 0o40,
    /// IEEE 754 numbers of 4 bytes (`F4`).
    F4 = 0o44,
    /// Unsigned integers of 8 bytes (`U8`).
    U8 = 0o50,
    /// Unsigned integers of 1 byte (`U1`).
    U1 = 0o51,
    /// Unsigned integers of 2 bytes (`U2`).
    U2 = 0o52,
    /// Unsigned integers of 4 bytes (`U4`).
    U4 = 0o54,
}

impl Format {
    /// All sixteen.
    pub const ALL: [Self; 16] = [
        Self::List,
        Self::Binary,
        Self::Boolean,
        Self::Ascii,
        Self::Jis8,
        Self::Localized,
        Self::I8,
        Self::I1,
        Self::I2,
        Self::I4,
        Self::F8,
        Self::F4,
        Self::U8,
        Self::U1,
        Self::U2,
        Self::U4,
    ];

    /// By the six bits of the format byte.
    #[must_use]
    #[inline]
    pub const fn from_code(code: u8) -> Option<Self> {
        if code < 64 { BY_CODE[code as usize] } else { None }
    }

    /// The six bits that stand for it in a format byte.
    #[must_use]
    #[inline]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// How many bytes a value takes; 1 for text, 0 for a list.
    #[must_use]
    #[inline]
    pub const fn size(self) -> usize {
        SIZE[self as usize] as usize
    }

    /// Its name in SML.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::List => "L",
            Self::Binary => "B",
            Self::Boolean => "BOOLEAN",
            Self::Ascii => "A",
            Self::Jis8 => "J",
            Self::Localized => "W",
            Self::I8 => "I8",
            Self::I1 => "I1",
            Self::I2 => "I2",
            Self::I4 => "I4",
            Self::F8 => "F8",
            Self::F4 => "F4",
            Self::U8 => "U8",
            Self::U1 => "U1",
            Self::U2 => "U2",
            Self::U4 => "U4",
        }
    }

    /// Whether it is text: A, J or W.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Ascii | Self::Jis8 | Self::Localized)
    }

    /// Whether it holds numbers: I, U or F of any size.
    #[must_use]
    pub const fn is_number(self) -> bool {
        self as u8 >= Self::I8 as u8
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

const BY_CODE: [Option<Format>; 64] = {
    let mut table = [None; 64];
    let mut i = 0;
    while i < Format::ALL.len() {
        table[Format::ALL[i] as usize] = Some(Format::ALL[i]);
        i += 1;
    }
    table
};

const SIZE: [u8; 64] = {
    let mut table = [1; 64];
    table[Format::List as usize] = 0;
    table[Format::I2 as usize] = 2;
    table[Format::U2 as usize] = 2;
    table[Format::I4 as usize] = 4;
    table[Format::U4 as usize] = 4;
    table[Format::F4 as usize] = 4;
    table[Format::I8 as usize] = 8;
    table[Format::U8 as usize] = 8;
    table[Format::F8 as usize] = 8;
    table
};
