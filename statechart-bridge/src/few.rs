//! An ordered map that mostly holds one pair, which then lies in the map itself.

use std::collections::BTreeMap;

#[derive(Clone, Debug, Default)]
pub(crate) enum Few<K, V = ()> {
    #[default]
    None,
    One(K, V),
    Many(BTreeMap<K, V>),
}

impl<K: Ord, V> Few<K, V> {
    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self {
            Self::None => *self = Self::One(key, value),
            Self::One(known, old) if *known == key => *old = value,
            Self::One(..) => {
                let mut all = BTreeMap::from([(key, value)]);
                if let Self::One(key, value) = std::mem::take(self) {
                    all.insert(key, value);
                }
                *self = Self::Many(all);
            }
            Self::Many(all) => drop(all.insert(key, value)),
        }
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        match self {
            Self::Many(all) => all.remove(key),
            Self::One(known, _) if known == key => match std::mem::take(self) {
                Self::One(_, value) => Some(value),
                Self::None | Self::Many(_) => None,
            },
            Self::None | Self::One(..) => None,
        }
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        match self {
            Self::One(known, value) if known == key => Some(value),
            Self::None | Self::One(..) => None,
            Self::Many(all) => all.get(key),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::One(..) => 1,
            Self::Many(all) => all.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pairs in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let (one, many) = match self {
            Self::None => (None, None),
            Self::One(key, value) => (Some((key, value)), None),
            Self::Many(all) => (None, Some(all.iter())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// The keys in order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Few;

    #[test]
    fn it_is_a_map() {
        let (mut few, mut map) = (Few::None, BTreeMap::new());
        let mut number = 1_u64;
        for step in 0..2000 {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // Times with one key, and times with many.
            let keys = if step / 100 % 2 == 0 { 2 } else { 20 };
            let key = (number >> 33) % keys;
            if !(number >> 20).is_multiple_of(3) && step % 100 < 80 {
                few.insert(key, step);
                map.insert(key, step);
            } else {
                assert_eq!(few.remove(&key), map.remove(&key));
            }
            assert_eq!(few.get(&key), map.get(&key));
            assert_eq!((few.len(), few.is_empty()), (map.len(), map.is_empty()));
            assert!(few.iter().eq(&map) && few.keys().eq(map.keys()));
        }
    }
}
