//! Arithmetic as it stands in constants (`64 << 10`, `(1 << 31) - 1`), in annotations and in formulas of documents
//! (`2·d + ⌈d/8⌉`). A value is a list, of one number for all but arrays.

/// Finds what a name stands for.
pub(crate) type Names<'a> = &'a dyn Fn(&str) -> Result<Vec<f64>, String>;

/// The value of the whole `text`.
pub(crate) fn evaluate(text: &str, names: Names) -> Result<Vec<f64>, String> {
    let text: Vec<char> =
        text.replace("**", "^").replace(['·', '×'], "*").replace('−', "-").chars().collect();
    let mut parser = Parser { text, at: 0, names };
    let value = parser.shift()?;
    parser.space();
    match parser.text.get(parser.at) {
        None => Ok(value),
        Some(rest) => Err(format!("{rest:?} is not expected here")),
    }
}

struct Parser<'a> {
    text: Vec<char>,
    at: usize,
    names: Names<'a>,
}

impl Parser<'_> {
    fn space(&mut self) {
        while self.text.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
    }

    fn takes(&mut self, word: &str) -> bool {
        self.space();
        let word: Vec<char> = word.chars().collect();
        let is = self.text[self.at..].starts_with(&word);
        self.at += if is { word.len() } else { 0 };
        is
    }

    fn run(&mut self, of: fn(char) -> bool) -> String {
        let start = self.at;
        while self.text.get(self.at).is_some_and(|&c| of(c)) {
            self.at += 1;
        }
        self.text[start..self.at].iter().collect()
    }

    fn shift(&mut self) -> Result<Vec<f64>, String> {
        let mut value = self.sum()?;
        while self.takes("<<") {
            value = both(&value, &self.sum()?, |a, b| a * b.exp2())?;
        }
        Ok(value)
    }

    fn sum(&mut self) -> Result<Vec<f64>, String> {
        let mut value = self.product()?;
        loop {
            if self.takes("+") {
                value = both(&value, &self.product()?, |a, b| a + b)?;
            } else if self.takes("-") {
                value = both(&value, &self.product()?, |a, b| a - b)?;
            } else {
                return Ok(value);
            }
        }
    }

    fn product(&mut self) -> Result<Vec<f64>, String> {
        let mut value = self.power()?;
        loop {
            if self.takes("*") {
                value = both(&value, &self.power()?, |a, b| a * b)?;
            } else if self.takes("/") {
                value = both(&value, &self.power()?, |a, b| a / b)?;
            } else {
                return Ok(value);
            }
        }
    }

    fn power(&mut self) -> Result<Vec<f64>, String> {
        let base = self.atom()?;
        if self.takes("^") { both(&base, &self.atom()?, f64::powf) } else { Ok(base) }
    }

    fn atom(&mut self) -> Result<Vec<f64>, String> {
        if self.takes("(") {
            return self.closed(")");
        }
        if self.takes("⌈") {
            return Ok(self.closed("⌉")?.into_iter().map(f64::ceil).collect());
        }
        if self.takes("[") {
            let mut items = self.shift()?;
            while self.takes(",") && !self.takes("]") {
                items.extend(self.shift()?);
            }
            self.takes("]");
            return Ok(items);
        }
        self.space();
        let word = self.run(|c| c.is_alphanumeric() || "_.:-/".contains(c) && c != '-' && c != '/');
        if word.is_empty() {
            return Err("a number or a name is missing".to_owned());
        }
        let value = if word.starts_with(|c: char| c.is_ascii_digit()) {
            vec![number(&word).ok_or_else(|| format!("{word} is not a number"))?]
        } else {
            (self.names)(&word)?
        };
        if !self.takes("[") {
            return Ok(value);
        }
        let index = self.closed("]")?[0] as usize;
        value.get(index).map(|&item| vec![item]).ok_or_else(|| format!("{word} has no item {index}"))
    }

    fn closed(&mut self, by: &str) -> Result<Vec<f64>, String> {
        let value = self.shift()?;
        if self.takes(by) { Ok(value) } else { Err(format!("{by} is missing")) }
    }
}

fn both(a: &[f64], b: &[f64], f: fn(f64, f64) -> f64) -> Result<Vec<f64>, String> {
    match (a, b) {
        (&[a], &[b]) => Ok(vec![f(a, b)]),
        _ => Err("arithmetic takes single numbers".to_owned()),
    }
}

/// A number as source or prose writes it: `30_000`, `30,000`, `0x4C49`, `64u64`, `0.95`.
pub(crate) fn number(text: &str) -> Option<f64> {
    let plain = text.replace([',', '_'], "");
    if let Some(hex) = plain.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok().map(|value| value as f64);
    }
    let plain = ["usize", "u64", "u32", "u16", "u8", "i32", "f32", "f64"]
        .iter()
        .find_map(|suffix| plain.strip_suffix(suffix))
        .unwrap_or(&plain);
    plain.parse().ok()
}
