//! Maps by name that are searched for each event.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// A map by name. Only the names of a model are put in, so nobody outside can choose names that collide.
pub(crate) type Names<T> = HashMap<Arc<str>, T, BuildHasherDefault<NameHasher>>;

/// A short hash for short names: each eight bytes are mixed in by a multiplication.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NameHasher(u64);

impl NameHasher {
    #[inline]
    fn mix(&mut self, word: u64) {
        // An odd number without pattern (the golden ratio); the rotation brings the good upper bits down.
        self.0 = (self.0 ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    }
}

impl Hasher for NameHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.mix(u64::from_le_bytes(last) ^ (bytes.len() as u64) << 56);
    }

    #[inline]
    fn write_u8(&mut self, _: u8) {
        // The end mark of texts; the length is mixed in already.
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::{BuildHasher, BuildHasherDefault};

    use super::NameHasher;

    #[test]
    fn names_get_different_hashes() {
        let build = BuildHasherDefault::<NameHasher>::default();
        let names = [
            "",
            "e",
            "f",
            "ee",
            "created_socket",
            "created_socket_",
            "abcdefgh",
            "abcdefghi",
        ];
        let numbered = (0..10_000).map(|number| format!("event_{number}"));
        let names: Vec<_> = names.into_iter().map(str::to_owned).chain(numbered).collect();
        let hashes: HashSet<u64> = names.iter().map(|name| build.hash_one(&**name)).collect();
        assert_eq!(hashes.len(), names.len());
        let buckets: HashSet<u64> = hashes.iter().map(|hash| hash % 16_384).collect();
        assert!(buckets.len() > 6_500, "{} of 16384 buckets", buckets.len());
    }
}
