//! Items of all kinds, for property tests.

use hsms::item::{Encoding, Item};
use proptest::prelude::*;

/// Any item: all formats, nested, of some hundred bytes.
pub(crate) fn item() -> impl Strategy<Value = Item> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..12);
    let leaf = prop_oneof![
        bytes().prop_map(Item::binary),
        bytes().prop_map(Item::ascii),
        bytes().prop_map(Item::jis8),
        (0..16_u16, bytes()).prop_map(|(code, bytes)| Item::localized(Encoding(code), bytes)),
        prop::collection::vec(any::<bool>(), 0..4).prop_map(Item::booleans),
        prop::collection::vec(any::<u8>(), 0..4).prop_map(Item::numbers),
        prop::collection::vec(any::<u16>(), 0..4).prop_map(Item::numbers),
        prop::collection::vec(any::<u32>(), 0..4).prop_map(Item::numbers),
        prop::collection::vec(any::<u64>(), 0..4).prop_map(Item::numbers),
        prop::collection::vec(any::<i8>(), 0..4).prop_map(Item::numbers),
        prop::collection::vec(any::<i16>(), 0..4).prop_map(Item::numbers),
        prop::collection::vec(any::<i32>(), 0..4).prop_map(Item::numbers),
        prop::collection::vec(any::<i64>(), 0..4).prop_map(Item::numbers),
        prop::collection::vec(any::<f32>(), 0..4).prop_map(Item::numbers),
        prop::collection::vec(any::<f64>(), 0..4).prop_map(Item::numbers),
        prop::collection::vec(any::<u8>(), 250..270).prop_map(Item::binary),
    ];
    leaf.prop_recursive(6, 64, 5, |inner| {
        prop::collection::vec(inner, 0..5).prop_map(Item::list)
    })
}
