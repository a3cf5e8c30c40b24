//! Changes that somebody makes who knows the format: fields of a segment by their meaning, values of a manifest.

use super::data::Random;
use super::fields::{Field, Meaning, Part};
use super::format::{self, bits, put_bits};

/// A number that a field may be changed to.
fn other(random: &mut Random, file: &[u8], field: &Field, part: &Part) -> u64 {
    let old = bits(file, field.at, field.width);
    let most = u64::MAX >> (64 - field.width);
    if random.below(8) == 0 || field.meaning == Meaning::Bits {
        return random.next() & most;
    }
    if field.meaning == Meaning::Float {
        let special = [
            0,
            1 << 31,
            0x7fc0_0000,
            0xffc0_0000,
            0x7f80_0000,
            0xff80_0000,
            0x7f7f_ffff,
            1,
            0x0080_0000,
            0x7e00_0000,
            0x1e3c_e508,
            0x3f80_0000,
            0xbf80_0000,
            0x447a_0000,
        ];
        let word = special[random.below(special.len())];
        return match random.below(3) {
            0 => old ^ 1 << random.below(field.width),
            _ if field.width == 32 => word,
            _ => word >> (32 - field.width.min(32)),
        };
    }
    let sibling = part.fields[random.below(part.fields.len())];
    let count = u64::from(format::u32_at(file, 56));
    let length = file.len() as u64;
    let values = [
        0,
        1,
        2,
        7,
        8,
        9,
        63,
        64,
        255,
        256,
        count,
        count.wrapping_sub(1),
        count + 1,
        length,
        length - 1,
        length + 1,
        most,
        most - 1,
        most >> 1,
        (most >> 1) + 1,
        56,
        57,
        1 << 31,
        (1 << 31) - 1,
        u64::from(u32::MAX) + 1,
        old ^ 1 << random.below(field.width),
    ];
    let small = 1 + random.below(4) as u64;
    match random.below(4) {
        0 => old.wrapping_add(small),
        1 => old.wrapping_sub(small),
        2 => bits(file, sibling.at, sibling.width),
        _ => values[random.below(values.len())],
    }
}

/// Changes one to three fields or units of `parts`, which are those of the right file; what was changed.
pub(crate) fn change(random: &mut Random, file: &mut Vec<u8>, parts: &[Part]) -> Vec<String> {
    let mut said = Vec::new();
    for _ in 0..1 + random.below(6).saturating_sub(3) {
        let part = &parts[random.below(parts.len())];
        match random.below(16) {
            0 | 1 if part.units.len() > 1 => {
                let [a, b] = [(); 2].map(|()| part.units[random.below(part.units.len())].clone());
                let length = a.len().min(b.len());
                if file.len() < a.end.max(b.end) {
                    continue;
                }
                file.copy_within(a.start..a.start + length, b.start);
                said.push(format!("{}: {a:?} in the place of {b:?}", part.name));
            }
            // What one gains another loses: sums of lengths stay right.
            2 => {
                let at = random.below(part.fields.len().max(2) - 1);
                let Some([a, b]) = part.fields.get(at..at + 2) else { continue };
                let more = 1 + random.below(9) as u64;
                let [x, y] = [bits(file, a.at, a.width), bits(file, b.at, b.width)];
                put_bits(file, a.at, a.width, x.wrapping_add(more));
                put_bits(file, b.at, b.width, y.wrapping_sub(more));
                said.push(format!("{}: {more} from {b:?} to {a:?}", part.name));
            }
            3 if random.below(8) == 0 => {
                let length = random.below(file.len() + 64);
                file.resize(length.max(format::TABLE), 0);
                if random.below(2) == 0 {
                    format::put(file, 24, &(length as u64).to_le_bytes());
                }
                said.push(format!("{length} bytes long"));
            }
            _ => {
                let field = &part.fields[random.below(part.fields.len())];
                if file.len() <= (field.at + field.width) / 8 {
                    continue;
                }
                let value = other(random, file, field, part);
                put_bits(file, field.at, field.width, value);
                said.push(format!("{}: {value:#x} for {field:?}", part.name));
            }
        }
    }
    said
}

/// The values and the keys of a manifest: where each starts and ends.
fn tokens(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let Some(rest) = text.get(at..) else {
            at += 1;
            continue;
        };
        let length = match rest.as_bytes()[0] {
            b'"' => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
            b'0'..=b'9' => rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()),
            _ => 0,
        };
        if length > 0 {
            found.push(at..at + length);
        }
        at += length.max(1);
    }
    found
}

/// Changes one or two values of a manifest.
pub(crate) fn change_manifest(random: &mut Random, text: &str) -> String {
    let values = [
        "0",
        "1",
        "-1",
        "1e999",
        "0.5",
        "9007199254740993",
        "18446744073709551616",
        "null",
        "true",
        "{}",
        "[]",
        "[[0,0]]",
        "\"\"",
        "\"..\"",
        "\"../x\"",
        "\"/\"",
        "\"a/b\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"corrupt",
        "4294967296",
        "64",
    ];
    let mut text = text.to_owned();
    for _ in 0..1 + random.below(2) {
        let tokens = tokens(&text);
        if tokens.is_empty() {
            break;
        }
        let [a, b] = [(); 2].map(|()| tokens[random.below(tokens.len())].clone());
        match random.below(6) {
            0 => {
                let other = text[b].to_owned();
                text.replace_range(a, &other);
            }
            1 => {
                let mut bytes = std::mem::take(&mut text).into_bytes();
                let at = random.below(bytes.len()).min(127);
                bytes[at] ^= 1 << random.below(7);
                text = String::from_utf8_lossy(&bytes).into_owned();
            }
            2 => {
                let number = text[a.clone()].parse::<u64>().unwrap_or(7);
                text.replace_range(
                    a,
                    &number.wrapping_add(random.below(130) as u64).wrapping_sub(65).to_string(),
                );
            }
            3 => text.replace_range(a.start.min(b.start)..a.start.max(b.start), ""),
            _ => text.replace_range(a, values[random.below(values.len())]),
        }
    }
    text
}
