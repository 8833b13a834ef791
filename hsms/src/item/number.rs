//! Numbers in big-endian bytes, singly and by the array.

use super::Format;

/// A type whose values are the values of an item format: the integers of 1, 2, 4 and 8 bytes, `f32` and `f64`.
pub trait Number: sealed::Sealed + Copy + Default + PartialEq + std::fmt::Debug + 'static {
    /// The format.
    const FORMAT: Format;

    #[doc(hidden)]
    fn read_all(data: &[u8], into: &mut Vec<Self>);

    #[doc(hidden)]
    fn write_all(values: &[Self], out: &mut Vec<u8>);

    #[doc(hidden)]
    fn read_one(data: &[u8]) -> Option<Self>;
}

mod sealed {
    #[expect(unnameable_types, reason = "so that nobody else can implement it")]
    pub trait Sealed {}
}

macro_rules! numbers {
    ($($type:ident $format:ident $size:literal),*) => {$(
        impl sealed::Sealed for $type {}

        impl Number for $type {
            const FORMAT: Format = Format::$format;

            #[inline]
            fn read_all(data: &[u8], into: &mut Vec<Self>) {
                let (values, _) = data.as_chunks::<$size>();
                into.extend(values.iter().map(|value| Self::from_be_bytes(*value)));
            }

            #[inline]
            fn write_all(values: &[Self], out: &mut Vec<u8>) {
                // Small blocks of a fixed size: they are swapped in registers, and nothing is written twice.
                const BLOCK: usize = 64 / $size;
                out.reserve(size_of_val(values));
                let (blocks, rest) = values.as_chunks::<BLOCK>();
                for block in blocks {
                    out.extend_from_slice(block.map(<$type>::to_be_bytes).as_flattened());
                }
                for value in rest {
                    out.extend_from_slice(&value.to_be_bytes());
                }
            }

            #[inline]
            fn read_one(data: &[u8]) -> Option<Self> {
                data.first_chunk().map(|value| Self::from_be_bytes(*value))
            }
        }
    )*};
}

numbers!(i8 I1 1, i16 I2 2, i32 I4 4, i64 I8 8, u8 U1 1, u16 U2 2, u32 U4 4, u64 U8 8, f32 F4 4, f64 F8 8);
