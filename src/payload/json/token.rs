//! The parts of a JSON text: texts, words and numbers.

use super::{Json, MAX_SAFE, number};

pub(super) struct Tokens<'a> {
    text: &'a str,
    /// What was read ends here, between two letters.
    at: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Tokens { text, at: 0 }
    }

    /// A fault with its place.
    pub(super) fn located(&self, fault: &str) -> String {
        let before = &self.text[..self.at];
        let line = before.split('\n').count();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{fault} at line {line} column {column}")
    }

    /// The next byte that is no space.
    pub(super) fn next_byte(&mut self) -> Option<u8> {
        let spaces = self.rest().iter().take_while(|byte| b" \t\n\r".contains(byte)).count();
        self.skip(spaces);
        self.peek()
    }

    /// Goes beyond so many bytes of ASCII.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Whether the next byte that is no space is this one, which then is taken.
    pub(super) fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.next_byte() == Some(byte);
        self.skip(usize::from(is_next));
        is_next
    }

    /// Takes the end of an array or object.
    pub(super) fn end(&mut self, byte: u8) -> Result<(), String> {
        if self.takes(byte) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("a comma or {}", char::from(byte))))
        }
    }

    /// Takes the name of a field and its colon.
    pub(super) fn name(&mut self) -> Result<String, String> {
        if self.next_byte() != Some(b'"') {
            return Err(self.unexpected("a name in double quotes"));
        }
        let name = self.string()?;
        if self.takes(b':') { Ok(name) } else { Err(self.unexpected("a colon")) }
    }

    /// Takes a value that is neither array nor object.
    pub(super) fn scalar(&mut self) -> Result<Json, String> {
        match self.peek() {
            Some(b'"') => return self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => return self.number(),
            _ => {}
        }
        for (word, value) in [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))]
        {
            let goes_on = |rest: &[u8]| rest.first().is_some_and(u8::is_ascii_alphanumeric);
            if self.rest().strip_prefix(word.as_bytes()).is_some_and(|rest| !goes_on(rest)) {
                self.skip(word.len());
                return Ok(value);
            }
        }
        Err(self.unexpected("a value"))
    }

    fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn unexpected(&self, wanted: &str) -> String {
        match self.peek() {
            Some(_) => format!("{wanted} is expected"),
            None => format!("{wanted} is expected, but the text ends"),
        }
    }

    /// Takes a text with its quotes.
    fn string(&mut self) -> Result<String, String> {
        let mut text = String::new();
        self.skip(1);
        loop {
            let plain = self.rest().iter().take_while(|&&byte| byte >= b' ' && byte != b'"' && byte != b'\\');
            let end = self.at + plain.count();
            text.push_str(&self.text[self.at..end]);
            self.at = end;
            match self.peek() {
                Some(b'"') => {
                    self.skip(1);
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(_) => {
                    return Err("a control character has to be written as \\u and four digits".to_owned());
                }
                None => return Err("a text does not end".to_owned()),
            }
        }
    }

    /// Takes what begins with a backslash.
    fn escape(&mut self) -> Result<char, String> {
        let letter = match self.rest().get(1) {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(&byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'u') => return self.unicode(),
            _ => return Err("no escape begins so: a backslash itself is written twice".to_owned()),
        };
        self.skip(2);
        Ok(letter)
    }

    /// Takes `\uXXXX`, or two of them.
    fn unicode(&mut self) -> Result<char, String> {
        let unit = |at: usize| -> Option<u32> {
            let digits = self.rest().get(at..at + 6)?.strip_prefix(b"\\u")?;
            digits.iter().try_fold(0, |unit, &digit| Some((unit << 4) | char::from(digit).to_digit(16)?))
        };
        let first = unit(0).ok_or("\\u is followed by four hexadecimal digits")?;
        let (letter, bytes) = match (first, unit(6)) {
            (0xD800..0xDC00, Some(second @ 0xDC00..0xE000)) => {
                (0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00), 12)
            }
            _ => (first, 6),
        };
        let letter = char::from_u32(letter).ok_or("half of a surrogate pair is no text")?;
        self.skip(bytes);
        Ok(letter)
    }

    /// Takes a number.
    fn number(&mut self) -> Result<Json, String> {
        let text = self.rest();
        let digits = |from: usize| {
            let rest = text.get(from..).unwrap_or_default();
            rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
        };
        let sign = usize::from(text[0] == b'-');
        let whole = digits(sign);
        let mut end = sign + whole;
        let mut is_right = whole > 0 && (whole == 1 || text[sign] != b'0');
        let mut is_whole = true;
        if text.get(end) == Some(&b'.') {
            let fraction = digits(end + 1);
            (end, is_right, is_whole) = (end + 1 + fraction, is_right && fraction > 0, false);
        }
        if let Some(b'e' | b'E') = text.get(end) {
            let signed = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits(end + 1 + signed);
            (end, is_right, is_whole) = (end + 1 + signed + exponent, is_right && exponent > 0, false);
        }
        if !is_right || text.get(end).is_some_and(u8::is_ascii_alphanumeric) {
            return Err("no number of JSON is written so".to_owned());
        }
        let float = number::nearest(&text[sign..end]);
        let float = if sign == 1 { -float } else { float };
        if float.is_infinite() {
            return Err("number out of range".to_owned());
        }
        self.skip(end);
        Ok(match is_whole {
            true if float.abs() <= MAX_SAFE as f64 => Json::Integer(float as i64),
            true => Json::Big(float),
            false => Json::Float(float),
        })
    }
}
