//! Frames and items of HSMS, without I/O.

use crate::Outcome;
use crate::cpu::{Account, Meter, Spent};
use crate::harness::{Comparison, Effort, Measure, Row, Sample};
use crate::python::SECSGEM;
use crate::target::Bound::AtMost;
use crate::target::Target;
use bytes::{Bytes, BytesMut};
use hsms::item::{Event, Format, Item, ItemRef, Parser, Writer};
use hsms::net_core::framing::{Decoded, Framing};
use hsms::{Header, StreamFunction, frame};
use std::hint::black_box;
use std::time::{Duration, Instant};
use tokio_util::codec::{Decoder as _, Encoder as _, LengthDelimitedCodec};

/// Frames of a batch.
const FRAMES: u32 = 1000;
const LENGTHS: &str = "LengthDelimitedCodec, the header as bytes";
const ORIGINAL: &str = "secsgem 0.3.0";

/// Makes the tables of frames.
///
/// # Errors
/// None.
pub fn frames() -> Outcome<Vec<Comparison>> {
    let table = |name: &str, about: &str, rows| Comparison {
        name: name.into(),
        operation: "frame",
        measure: Measure::Cpu,
        about: format!("{about} One thread, its own processor time."),
        rows,
    };
    let nothing = Target::allocations(AtMost(0.0));
    Ok(vec![
        table(
            "hsms-frame/encode",
            "S1F1 W, 14 bytes on the wire, into a buffer that is there.",
            vec![
                row("14 bytes, copied", FRAMES, copied()),
                row("hsms", FRAMES, encoded())
                    .target(Target::figure(AtMost(25.0)))
                    .target(nothing),
                row(LENGTHS, FRAMES, encoded_by_codec()),
            ],
        ),
        table(
            "hsms-frame/decode",
            "The same out of a buffer: the length, the header and its system bytes.",
            vec![
                row("slice walk", FRAMES, walked()),
                row("hsms", FRAMES, decoded())
                    .target(Target::figure(AtMost(20.0)))
                    .target(nothing),
                row(LENGTHS, FRAMES, decoded_by_codec()),
            ],
        ),
    ])
}

/// Makes the tables of items.
///
/// # Errors
/// If the items can't be written.
pub fn items() -> Outcome<Vec<Comparison>> {
    let rows: Vec<(u32, &str, u32)> = (0..250).map(|number| (number, "abcdefgh", number)).collect();
    let numbers: Vec<u32> = (0..1000).collect();
    let mixed = Item::list((0..255_u32).map(|number| match number % 5 {
        0 => Item::u4(number),
        1 => Item::ascii("ab"),
        2 => Item::f4(1.5),
        3 => Item::boolean(true),
        _ => Item::u2(7),
    }));
    let (nested, flat) = (Item::of(&rows)?, Item::of(&numbers)?);
    Ok(vec![
        table(
            "nested",
            "250 lists of U4, A of 8 letters, U4",
            &nested,
            1001,
            Some(encode(rows)),
            15.0,
        ),
        table("flat", "1000 times U4", &flat, 1001, Some(encode(numbers)), 8.0),
        // 2 µs in all.
        table("mixed", "255 items of five formats", &mixed, 256, None, 7.8),
    ])
}

fn table(name: &str, what: &str, item: &Item, items: u32, encode: Option<Work>, borrowed: f64) -> Comparison {
    let bytes = item.as_bytes().to_vec();
    let read = |work: fn(&[u8]) -> usize| {
        let bytes = bytes.clone();
        Box::new(move || work(&bytes)) as Work
    };
    let shared = Bytes::from(bytes.clone());
    let nothing = || Target::allocations(AtMost(0.0));
    let mut rows = vec![
        row("step over them, nothing checked", items, read(step)),
        row("hsms, pull walk", items, read(walk))
            .target(Target::figure(AtMost(2.4)))
            .target(nothing()),
        row("hsms, borrowed: checked, every value seen", items, read(visit))
            .target(Target::figure(AtMost(borrowed)))
            .target(nothing()),
        // 5 µs in all for the mixed ones.
        row("hsms, owned: checked, one item in its buffer", items, {
            let shared = shared.clone();
            Box::new(move || Item::parse(shared.clone()).map_or(0, |item| sum(item.view()) + 1))
        })
        .target(Target::figure(AtMost(19.5)))
        .target(nothing()),
        row(
            "hsms, owned: checked, every item of its own",
            items,
            Box::new(move || Item::parse(shared.clone()).map_or(0, |item| own(item.view()))),
        ),
    ];
    if let Some(work) = encode {
        rows.push(row("hsms, encode from Rust values", items, work).target(Target::figure(AtMost(3.0))));
    }
    for job in ["decode", "encode"] {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let of_original = Row::new(format!("{ORIGINAL}, {job}"), move |effort| {
            let passes = effort.amount(20);
            let arguments = [job.to_owned(), passes.to_string(), hex.clone()];
            let [proof, cpu, wall] = SECSGEM.numbers(include_str!("../../python/secsgem_items.py"), &arguments)?;
            if proof != passes * hex.len() as u64 / 2 {
                return Err(format!("{proof} bytes in {passes} passes").into());
            }
            let spent = Spent {
                cpu: Duration::from_nanos(cpu),
                wall: Duration::from_nanos(wall),
                allocations: None,
            };
            Ok(Sample::new(passes * u64::from(items), spent))
        });
        rows.push(of_original.after(|| SECSGEM.prepare()));
    }
    Comparison {
        name: format!("hsms-item/{name}"),
        operation: "item",
        measure: Measure::Cpu,
        about: format!(
            "{what}, in {} bytes; the list counts too. One thread, its own processor time.",
            bytes.len()
        ),
        rows,
    }
}

type Work = Box<dyn FnMut() -> usize>;

/// A row that repeats a pass; each must give the same proof.
fn row(name: &str, operations: u32, mut pass: Work) -> Row {
    Row::new(name, move |effort: &Effort| {
        let proof = pass();
        let mut repeat = |time: Duration| -> Outcome<u64> {
            let (start, mut passes) = (Instant::now(), 0);
            while start.elapsed() < time {
                for _ in 0..16 {
                    if black_box(pass()) != proof {
                        return Err("a pass had another result".into());
                    }
                }
                passes += 16;
            }
            Ok(passes)
        };
        repeat(effort.warm_up)?;
        let meter = Meter::start(Account::ThisThread)?;
        let passes = repeat(effort.sample)?;
        let spent = meter.stop()?;
        if proof == 0 {
            return Err("nothing was done".into());
        }
        Ok(Sample::new(passes * u64::from(operations), spent))
    })
}

fn header(system: u32) -> Header {
    Header::data(0, StreamFunction::new(1, 1), true, system)
}

fn stream() -> Vec<u8> {
    let mut out = Vec::new();
    for system in 0..FRAMES {
        // A header alone is never too long.
        let _ = frame::encode(&header(system), b"", &mut out);
    }
    out
}

fn copied() -> Work {
    let mut out = Vec::with_capacity(1 << 16);
    Box::new(move || {
        out.clear();
        for system in 0..FRAMES {
            let mut bytes = [0, 0, 0, 10, 0, 0, 0x81, 1, 0, 0, 0, 0, 0, 0];
            bytes[10..].copy_from_slice(&black_box(system).to_be_bytes());
            out.extend_from_slice(&bytes);
        }
        out.len()
    })
}

fn encoded() -> Work {
    let mut out = Vec::with_capacity(1 << 16);
    Box::new(move || {
        out.clear();
        for system in 0..FRAMES {
            let _ = frame::encode(&header(black_box(system)), b"", &mut out);
        }
        out.len()
    })
}

fn encoded_by_codec() -> Work {
    let mut codec = LengthDelimitedCodec::new();
    let mut out = BytesMut::with_capacity(1 << 16);
    Box::new(move || {
        out.clear();
        for system in 0..FRAMES {
            let bytes = Bytes::copy_from_slice(&header(black_box(system)).to_bytes());
            if codec.encode(bytes, &mut out).is_err() {
                return 0;
            }
        }
        out.len()
    })
}

fn walked() -> Work {
    let stream = stream();
    Box::new(move || {
        let (mut rest, mut sum) = (&stream[..], 1);
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let Some((body, after)) = after.split_at_checked(u32::from_be_bytes(*length) as usize) else {
                break;
            };
            sum += body
                .last_chunk()
                .map_or(0, |system| u32::from_be_bytes(*system) as usize);
            rest = after;
        }
        sum
    })
}

fn decoded() -> Work {
    let (stream, rules) = (stream(), frame::framing(frame::MAX_TEXT));
    Box::new(move || {
        let (mut at, mut sum) = (0, 1);
        while let Ok(Decoded::Frame(found)) = rules.decode(&mut (), &stream[at..]) {
            if let Ok((header, _)) = frame::split(&stream[at..][found.content]) {
                sum += header.system() as usize;
            }
            at += found.consumed;
        }
        sum
    })
}

fn decoded_by_codec() -> Work {
    let stream = stream();
    let mut codec = LengthDelimitedCodec::new();
    let mut buffer = BytesMut::with_capacity(1 << 16);
    Box::new(move || {
        buffer.extend_from_slice(&stream);
        let mut sum = 1;
        while let Ok(Some(bytes)) = codec.decode(&mut buffer) {
            sum += frame::split(&bytes).map_or(0, |(header, _)| header.system() as usize);
        }
        sum
    })
}

/// Knows lengths of one and two bytes only, and trusts them.
fn step(bytes: &[u8]) -> usize {
    let (mut at, mut left) = (0, 1_u32);
    while left > 0 {
        let Some([format, length]) = bytes.get(at..at + 2) else {
            break;
        };
        left -= 1;
        at += 2;
        match format {
            1 => left += u32::from(*length),
            2 => {
                left += u32::from(*length) << 8 | u32::from(bytes[at]);
                at += 1;
            }
            _ => at += usize::from(*length),
        }
    }
    at
}

fn walk(bytes: &[u8]) -> usize {
    let (mut lists, mut in_leaves) = (0, 0);
    for event in Parser::new(bytes) {
        match event {
            Ok(Event::List(_)) => lists += 1,
            Ok(Event::Leaf(leaf)) => in_leaves += leaf.as_bytes().len(),
            Err(_) => return 0,
        }
    }
    lists + in_leaves
}

fn visit(bytes: &[u8]) -> usize {
    ItemRef::parse(bytes).map_or(0, |item| sum(item) + 1)
}

fn sum(item: ItemRef<'_>) -> usize {
    match item.format() {
        Format::List => item.items().map(sum).sum(),
        Format::U4 => item.read::<u32>().map_or(0, |value| value as usize),
        Format::U2 => item.read::<u16>().map_or(0, usize::from),
        _ => item.data().first().map_or(0, |byte| usize::from(*byte)),
    }
}

/// Every item of a list as one of its own, as long as the whole lasts.
fn own(item: ItemRef<'_>) -> usize {
    let items: Vec<Item> = item.items().map(ItemRef::to_item).collect();
    items.len()
}

fn encode(value: impl hsms::ToItem + 'static) -> Work {
    let mut buffer = Some(Vec::with_capacity(1 << 16));
    Box::new(move || {
        let mut taken = buffer.take().unwrap_or_default();
        taken.clear();
        let mut writer = Writer::after(taken);
        value.write(&mut writer);
        let bytes = writer.into_buffer().unwrap_or_default();
        let length = bytes.len();
        buffer = Some(bytes);
        length
    })
}
