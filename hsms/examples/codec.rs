//! How fast items are read and written on this machine: `cargo run --release -p hsms --example codec`.
//!
//! The workloads are flat and nested lists of a thousand items, a list of 256 mixed items, and large bodies; each figure is
//! the best of some rounds of the thread's time.

#![expect(clippy::disallowed_methods, reason = "it measures real time, without I/O")]

use std::hint::black_box;
use std::time::Instant;

use hsms::item::{Array, Event, Format, Item, ItemRef, Parser, Writer};
use hsms::net_core::framing::{Decoded, Framing};
use hsms::{Header, StreamFunction, frame};

fn main() {
    let nested = Item::list((0..250).map(|i| Item::list([Item::u4(i), Item::ascii("abcdefgh"), Item::u4(i)])));
    let flat = Item::list((0..1000).map(Item::u4));
    let mixed = Item::list((0..255_u32).map(|i| match i % 5 {
        0 => Item::u4(i),
        1 => Item::ascii("ab"),
        2 => Item::f4(1.5),
        3 => Item::boolean(true),
        _ => Item::u2(7),
    }));
    for (name, item, items) in [
        ("nested 1001", &nested, 1001),
        ("flat 1001", &flat, 1001),
        ("mixed 256", &mixed, 256),
    ] {
        let bytes = item.as_bytes();
        println!("{name}, {} bytes", bytes.len());
        row("  pull walk", items, || {
            let (mut lists, mut bytes_in_leaves) = (0, 0);
            for event in Parser::new(bytes) {
                match event {
                    Ok(Event::List(_)) => lists += 1,
                    Ok(Event::Leaf(leaf)) => bytes_in_leaves += leaf.as_bytes().len(),
                    Err(_) => break,
                }
            }
            lists + bytes_in_leaves
        });
        row("  limit: step over them, nothing checked", items, || {
            let (mut at, mut left) = (0, 1_u32);
            while left > 0 {
                let Some([format, length]) = bytes.get(at..at + 2) else {
                    break;
                };
                left -= 1;
                at += 2;
                if *format == 1 {
                    left += u32::from(*length);
                } else if *format == 2 {
                    left += u32::from(*length) << 8 | u32::from(bytes[at]);
                    at += 1;
                } else {
                    at += usize::from(*length);
                }
            }
            at
        });
        row("  check (Item::parse of shared bytes)", items, || {
            ItemRef::parse(bytes).map_or(0, ItemRef::len)
        });
        row("  borrowed: check, visit every value", items, || {
            ItemRef::parse(bytes).map_or(0, sum)
        });
    }
    let rows: Vec<(u32, &str, u32)> = (0..250).map(|i| (i, "abcdefgh", i)).collect();
    let numbers: Vec<u32> = (0..1000).collect();
    println!("Rust values");
    let mut buffer = Some(Vec::new());
    let mut write = |value: &dyn hsms::item::ToItem| {
        let mut taken = buffer.take().unwrap_or_default();
        taken.clear();
        let mut writer = Writer::after(taken);
        value.write(&mut writer);
        let bytes = writer.into_buffer().unwrap_or_default();
        let length = bytes.len();
        buffer = Some(bytes);
        length
    };
    row("  encode nested 1001", 1001, || write(&rows));
    row("  encode flat 1001", 1001, || write(&numbers));
    row("  read nested 1001 as Vec of tuples", 1001, || {
        nested.read::<Vec<(u32, &str, u32)>>().map_or(0, |rows| rows.len())
    });

    println!("large");
    let array: Vec<u32> = (0..250_000).collect();
    let item = Item::numbers(&array);
    let blob = Item::of(&(1_u32, vec![7_u8; 1 << 20].as_slice())).unwrap_or_else(|_| Item::list([]));
    let mut copy = Vec::with_capacity(1 << 20);
    row("  memcpy 1 MB", 1, || {
        copy.clear();
        copy.extend_from_slice(item.as_bytes());
        copy.len()
    });
    row("  decode U4[250 000]", 1, || {
        item.read::<Array<u32>>().map_or(0, |array| array.0.len())
    });
    let mut buffer = Some(Vec::new());
    row("  encode U4[250 000]", 1, || {
        let mut taken: Vec<u8> = buffer.take().unwrap_or_default();
        taken.clear();
        let mut writer = Writer::after(taken);
        writer.numbers(&array);
        let bytes = writer.into_buffer().unwrap_or_default();
        let length = bytes.len();
        buffer = Some(bytes);
        length
    });
    row("  check L{U4, B[1 MiB]}", 1, || {
        ItemRef::parse(blob.as_bytes()).map_or(0, ItemRef::len)
    });

    println!("frames of 14 bytes");
    let header = Header::data(0, StreamFunction::new(1, 1), true, 7);
    let mut out = Vec::with_capacity(1 << 16);
    row("  encode", 1000, || {
        out.clear();
        for system in 0..1000 {
            let _ = frame::encode(&header.with_system(system), b"", &mut out);
        }
        out.len()
    });
    let rules = frame::framing(frame::MAX_TEXT);
    row("  decode", 1000, || {
        let (mut at, mut sum) = (0, 0);
        while let Ok(Decoded::Frame(found)) = rules.decode(&mut (), &out[at..]) {
            if let Ok((header, _)) = frame::split(&out[at..][found.content]) {
                sum += header.system() as usize;
            }
            at += found.consumed;
        }
        sum
    });
}

/// Looks at every value.
fn sum(item: ItemRef<'_>) -> usize {
    match item.format() {
        Format::List => item.items().map(sum).sum(),
        Format::U4 => item.read::<u32>().map_or(0, |value| value as usize),
        Format::U2 => item.read::<u16>().map_or(0, usize::from),
        _ => item.data().first().map_or(0, |byte| usize::from(*byte)),
    }
}

/// The best of many short samples: on a shared machine most are disturbed.
fn row(name: &str, operations: u32, mut work: impl FnMut() -> usize) {
    let mut best = f64::MAX;
    let (begin, mut count) = (Instant::now(), 1_u32);
    while begin.elapsed().as_millis() < 200 {
        let sample = Instant::now();
        for _ in 0..count {
            black_box(work());
        }
        let took = sample.elapsed();
        best = best.min(took.as_secs_f64() * 1e9 / f64::from(count));
        if took.as_micros() < 50 {
            count *= 2;
        }
    }
    println!(
        "{name:42} {:9.2} ns each {best:12.0} ns in all",
        best / f64::from(operations)
    );
}
