//! Changes of some members of an object, as texts: what is not changed stays as it was written.

use super::json::Json;
use crate::error::Error;

/// The members of an object in its text: names with their quotes, and values.
struct Members<'a>(&'a str);

/// `base` with the members of `patch` in place of its own of the same names, and new ones behind them. What is `null` in the patch
/// is left out. Both are objects whose texts were parsed before, or empty.
///
/// # Errors
/// `internal` for other texts.
pub(crate) fn patched(base: &str, patch: &str) -> Result<String, Error> {
    let mut members: Vec<(String, &str, Option<&str>)> = Vec::new();
    for (text, is_patch) in [(base, false), (patch, true)] {
        for (quoted, value) in Members(inside(text)) {
            let Ok(Json::Text(name)) = Json::parse(quoted) else {
                return Err(Error::internal("fields that were checked are no JSON"));
            };
            let value = (value != "null" || !is_patch).then_some(value);
            match members.iter_mut().find(|member| member.0 == name) {
                Some(member) => member.2 = value,
                None => members.push((name, quoted, value)),
            }
        }
    }
    let mut out = String::with_capacity(base.len() + patch.len());
    for (_, quoted, value) in members {
        let Some(value) = value else { continue };
        out.push(if out.is_empty() { '{' } else { ',' });
        out.extend([quoted, ":", value]);
    }
    if !out.is_empty() {
        out.push('}');
    }
    Ok(out)
}

/// What is between the braces.
fn inside(object: &str) -> &str {
    let object = object.trim_ascii();
    object.strip_prefix('{').and_then(|object| object.strip_suffix('}')).unwrap_or_default()
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.0;
        if text.trim_ascii().is_empty() {
            return None;
        }
        let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
        let (mut colon, mut end) = (None, text.len());
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                _ if quoted => {}
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                b':' if depth == 0 && colon.is_none() => colon = Some(at),
                b',' if depth == 0 => {
                    end = at;
                    break;
                }
                _ => {}
            }
        }
        let (name, value) = text[..end].split_at(colon.unwrap_or(end));
        self.0 = text.get(end + 1..).unwrap_or_default();
        Some((name.trim_ascii(), value.get(1..).unwrap_or_default().trim_ascii()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_replaced_added_and_removed() {
        let table = [
            ("", "", ""),
            ("", "{}", ""),
            (r#"{"a":1}"#, "{}", r#"{"a":1}"#),
            ("", r#"{"a":1}"#, r#"{"a":1}"#),
            (r#"{"a":1,"b":2}"#, r#"{"a":3}"#, r#"{"a":3,"b":2}"#),
            (r#"{"a":1,"b":2}"#, r#"{"c":[1, {"a":2}]}"#, r#"{"a":1,"b":2,"c":[1, {"a":2}]}"#),
            (r#"{"a":1,"b":2}"#, r#"{"a":null}"#, r#"{"b":2}"#),
            (r#"{"a":1}"#, r#"{"a":null,"b":null}"#, ""),
            (r#"{"a":null}"#, r#"{"a":null}"#, ""),
            (r#"{"a":null,"b":2}"#, r#"{"b":3}"#, r#"{"a":null,"b":3}"#),
            // What is kept is kept as it was written.
            (
                r#" { "n" : 1.50e+2 , "big":123456789012345678901 } "#,
                r#"{"x":1}"#,
                r#"{"n":1.50e+2,"big":123456789012345678901,"x":1}"#,
            ),
            (r#"{"a\\\"b":"},{:,"}"#, r#"{"c":"\"}"}"#, r#"{"a\\\"b":"},{:,","c":"\"}"}"#),
            // The same name, however it is written.
            (r#"{"\u0061":1}"#, r#"{"a":2}"#, r#"{"\u0061":2}"#),
            (r#"{"o":{"a":1,"b":2}}"#, r#"{"o":{"a":3}}"#, r#"{"o":{"a":3}}"#),
        ];
        for (base, patch, expected) in table {
            assert_eq!(patched(base, patch).unwrap(), expected, "{base} {patch}");
        }
        assert!(patched("{1:2}", "{}").is_err());
    }
}
