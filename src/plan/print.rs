//! A plan as JSON for programs and as text for people: what both command lines print, and what JavaScript gets.

use std::fmt::{self, Write as _};

use super::{Missed, Plan};
use crate::error::Quoted;

/// A size as text: exact below 10 kB, with three digits above.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 10_000 {
        return format!("{bytes} bytes");
    }
    // In whole numbers: printing floats takes 17 kB of a WebAssembly module.
    let bytes = u128::from(bytes);
    let mut unit = 1000u128;
    let mut name = 0;
    while 2 * bytes >= 1999 * unit && name + 1 < UNITS.len() {
        unit *= 1000;
        name += 1;
    }
    let digits = if 1000 * bytes < 9995 * unit { 2 } else { u32::from(100 * bytes < 9995 * unit) };
    let tens = 10u128.pow(digits);
    let rounded = (2 * bytes * tens + unit) / (2 * unit);
    let name = UNITS.get(name).copied().unwrap_or_default();
    match digits {
        0 => format!("{rounded} {name}"),
        digits => format!("{}.{:0width$} {name}", rounded / tens, rounded % tens, width = digits as usize),
    }
}

/// A part of 1, with so many decimals.
fn part(value: f64, tens: u32) -> String {
    let width = tens.ilog10() as usize;
    let rounded = (value * f64::from(tens)).round() as u64;
    let tens = u64::from(tens);
    format!("{}.{:0width$}", rounded / tens, rounded % tens)
}

impl Plan {
    /// One JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        // A string takes all that is written.
        let _ = self.json(&mut out);
        out
    }

    fn json(&self, out: &mut String) -> fmt::Result {
        let quoted = |name: &str| Quoted(name).to_string();
        let or_null = |text: Option<String>| text.map_or("null".to_owned(), |text| quoted(&text));
        write!(out, "{{\"suggested\":{}", quoted(self.suggested.name()))?;
        write!(out, ",\"codec\":{}", quoted(&self.codec.to_string()))?;
        write!(out, ",\"refine\":{}", or_null(self.refine.map(|refine| refine.to_string())))?;
        write!(out, ",\"graph\":{},\"clusters\":{}", self.graph, self.clusters)?;
        write!(out, ",\"index\":{}", quoted(self.index))?;
        write!(out, ",\"residency\":{}", quoted(self.residency.name()))?;
        write!(out, ",\"memory_budget\":{},\"resident\":{{", self.memory_budget)?;
        for (name, bytes) in self.resident.parts() {
            write!(out, "{}:{bytes},", quoted(name))?;
        }
        write!(out, "\"total\":{}}},\"file\":{},\"sections\":{{", self.resident.total(), self.file)?;
        for (at, (name, bytes)) in self.sections.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            write!(out, "{comma}{}:{bytes}", quoted(name))?;
        }
        out.push('}');
        let [least, most] = self.profile.wal_buffer;
        let [hot, warm, cold] = self.profile.shares;
        write!(out, ",\"profile\":{},\"wal_buffer\":[{least},{most}]", quoted(self.profile.name))?;
        write!(out, ",\"shares\":{{\"hot\":{hot},\"warm\":{warm},\"cold\":{cold}}}")?;
        match self.missed {
            None => out.push_str(",\"missed\":null"),
            Some(Missed { codec, needed, missing }) => write!(
                out,
                ",\"missed\":{{\"codec\":{},\"needed\":{needed},\"missing\":{missing}}}",
                quoted(&codec.to_string()),
            )?,
        }
        match &self.expected {
            None => out.push_str(",\"expected\":null"),
            Some(expected) => write!(
                out,
                ",\"expected\":{{\"recall\":{},\"distances\":{},\"set\":{},\"dim\":{},\"rows\":[{},{}],\"measured\":{}}}",
                part(expected.recall, 10_000),
                expected.distances.round() as u64,
                quoted(expected.set.name),
                expected.set.dim,
                expected.rows[0],
                expected.rows[1],
                quoted(expected.set.date),
            )?,
        }
        let why: Vec<String> = self.why.iter().map(|why| quoted(why)).collect();
        write!(out, ",\"why\":[{}]}}", why.join(","))
    }

    /// Some lines of text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        let _ = self.text(&mut out);
        out
    }

    fn text(&self, out: &mut String) -> fmt::Result {
        let mut field = |name: &str, value: String| writeln!(out, "{name:<18} {value}");
        let built = |is: bool| if is { "yes" } else { "none" }.to_owned();
        field("suggested", self.suggested.name().to_owned())?;
        field("codes", self.codec.to_string())?;
        let refine = self.refine.map_or("none".to_owned(), |refine| refine.to_string());
        field("refine rows", refine)?;
        field("graph", built(self.graph))?;
        field("clusters", built(self.clusters))?;
        field("searched by", format!("{}, in {}", self.index, self.residency.name()))?;
        field("memory budget", size(self.memory_budget))?;
        field("file size", size(self.file))?;
        let [least, most] = self.profile.wal_buffer;
        let [hot, warm, cold] = self.profile.shares;
        let buffer = if least == most { size(least) } else { format!("{} to {}", size(least), size(most)) };
        field(
            "profile",
            format!("{}: log buffer {buffer}, shares {hot}/{warm}/{cold} %", self.profile.name),
        )?;
        if let Some(Missed { codec, needed, missing }) = self.missed {
            field(
                "not held",
                format!("{codec} and a graph, of {}: {} are missing", size(needed), size(missing)),
            )?;
        }
        if let Some(expected) = &self.expected {
            let (recall, distances) = (part(expected.recall, 1000), expected.distances.round() as u64);
            field("expected", format!("recall {recall}, {distances} distances ({})", expected.set.name))?;
        }
        field("resident", size(self.resident.total()))?;
        for (name, bytes) in self.resident.parts().into_iter().filter(|part| part.1 > 0) {
            field(&format!("  {name}"), size(bytes))?;
        }
        out.push('\n');
        self.why.iter().try_for_each(|why| writeln!(out, "{why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{part, size};

    #[test]
    fn sizes_have_three_digits() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (9_999, "9999 bytes"),
            (10_000, "10.0 kB"),
            (99_949, "99.9 kB"),
            (99_950, "100 kB"),
            (999_499, "999 kB"),
            (999_500, "1.00 MB"),
            (45_231_808, "45.2 MB"),
            (5_000_000_000, "5.00 GB"),
            (u64::MAX, "18446744 TB"),
        ] {
            assert_eq!(size(bytes), text);
        }
        assert_eq!([part(1.0, 1000), part(0.9956, 1000), part(0.05, 10_000)], ["1.000", "0.996", "0.0500"]);
    }
}
