//! Parses and prints sizes in bytes: kB, MB and GB are powers of 1000, KiB, MiB and GiB of 1024.

const UNITS: [(&str, u64); 8] = [
    ("", 1),
    ("b", 1),
    ("kb", 1000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
];

/// The bytes that `text` names: `64MB`, `1.5 GiB`, `67108864`. Units may be written in any case.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start().to_ascii_lowercase();
    let unit = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, bytes)| *bytes);
    let bytes = unit.and_then(|unit| match number.parse::<u64>() {
        Ok(whole) => whole.checked_mul(unit),
        Err(_) if unit > 1 => fraction(number, unit),
        Err(_) => None,
    });
    bytes.ok_or_else(|| {
        "use a number of bytes, or a number with kB, MB, GB, KiB, MiB or GiB, like 64MB".to_owned()
    })
}

/// A number with a decimal point, times `unit`, to the whole byte below. Every result is exact in a double.
fn fraction(number: &str, unit: u64) -> Option<u64> {
    let bytes = number.parse::<f64>().ok()? * unit as f64;
    (bytes < (1u64 << 53) as f64).then_some(bytes as u64)
}

/// A size as text: exact below 10 kB, with three digits above.
pub(crate) fn show(bytes: u64) -> String {
    pagevec::plan::size(bytes)
}

#[cfg(test)]
mod tests {
    use super::{parse, show};

    #[test]
    fn sizes_are_read_in_every_unit() {
        for (text, bytes) in [
            ("0", 0),
            ("67108864", 67_108_864),
            ("512B", 512),
            ("64MB", 64_000_000),
            ("64mb", 64_000_000),
            ("64 MiB", 67_108_864),
            (" 64MIB ", 67_108_864),
            ("3kB", 3000),
            ("3KiB", 3072),
            ("2GB", 2_000_000_000),
            ("2GiB", 2_147_483_648),
            ("1.5 GiB", 1_610_612_736),
            ("0.5kb", 500),
            (".5kb", 500),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in [
            "",
            " ",
            "MB",
            "-1",
            "+1",
            "1.5",
            "1.5B",
            "1e6",
            "64 M",
            "64Mb/s",
            "1,5GB",
            "1_000",
            "0x10",
            "..MB",
            "1.2.3MB",
            "18446744073709551616",
            "99999999999999GB",
            "9999999999.5GB",
            "inf GB",
            "NaNMB",
            "٣MB",
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains("MiB"), "{text:?}: {error}");
        }
    }

    #[test]
    fn sizes_are_shown_with_three_digits() {
        let shown: Vec<String> =
            [0, 9_999, 10_000, 123_456, 999_600, 45_231_808, 5_000_000_000].map(show).into();
        assert_eq!(shown, ["0 bytes", "9999 bytes", "10.0 kB", "123 kB", "1.00 MB", "45.2 MB", "5.00 GB"]);
    }
}
