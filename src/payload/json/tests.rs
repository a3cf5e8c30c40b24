//! JSON against serde_json, and floats against the standard library.

use super::*;
use crate::hash::hash;
use serde_json::Value;

#[test]
fn values_are_kept_as_they_were_written() {
    let parsed = Json::parse(
        " {\"b\": [1, -2.5, 1e3, \"é\\u00e9\\ud83d\\ude00\\n\", null, true], \"a\":{} ,\"__proto__\": 0}\n",
    );
    let array = vec![
        Json::Integer(1),
        Json::Float(-2.5),
        Json::Float(1000.0),
        Json::Text("éé😀\n".to_owned()),
        Json::Null,
        Json::Bool(true),
    ];
    let fields =
        [("b", Json::Array(array)), ("a", Json::Object(Vec::new())), ("__proto__", Json::Integer(0))];
    assert_eq!(parsed, Ok(Json::Object(fields.map(|(name, value)| (name.to_owned(), value)).to_vec())));
}

#[test]
fn whole_numbers_are_exact_or_marked() {
    let exact = [("9007199254740991", MAX_SAFE), ("-9007199254740991", -MAX_SAFE), ("0", 0), ("-0", 0)];
    for (text, number) in exact {
        assert_eq!(Json::parse(text), Ok(Json::Integer(number)));
    }
    let long = "1".repeat(300);
    for text in
        ["9007199254740992", "-9007199254740993", "18446744073709551616", "100000000000000000000", &long]
    {
        assert_eq!(Json::parse(text), Ok(Json::Big(text.parse().expect("a number"))), "{text}");
    }
}

#[test]
fn what_is_not_json_is_an_error() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let objects = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    let cases = [
        ("", "a value is expected, but the text ends at line 1 column 1"),
        ("{\"a\": 1, \"b\": 2, \"\\u0061\": 3}", "the name \"a\" stands twice"),
        ("[{\"x\": [{\"y\": 1, \"y\": 1}]}]", "the name \"y\" stands twice"),
        ("[\"é\\ud800\"]", "half of a surrogate pair is no text at line 1 column 4"),
        ("\"\\ud800\\u0041\"", "half of a surrogate pair"),
        ("\"\\udc00x\"", "half of a surrogate pair"),
        ("\"\\u00g0\"", "four hexadecimal digits"),
        ("\"\\x\"", "no escape"),
        ("\"a\nb\"", "a control character"),
        ("\"a", "a text does not end"),
        ("NaN", "a value is expected"),
        ("nullx", "a value is expected"),
        ("[1e999]", "number out of range"),
        ("01", "no number of JSON"),
        ("-", "no number of JSON"),
        ("1.", "no number of JSON"),
        ("1e", "no number of JSON"),
        ("0x10", "no number of JSON"),
        ("{} {}", "more follows the value"),
        ("1, 2", "more follows the value"),
        ("[1\n 2]", "a comma or ] is expected at line 2 column 2"),
        ("[1,]", "a value is expected"),
        ("{\"a\": 1,}", "a name in double quotes is expected"),
        ("{\"a\": 1]", "a comma or } is expected"),
        ("{\"a\" 1}", "a colon is expected"),
        ("{a: 1}", "a name in double quotes is expected"),
        (&deep, "more than 127 levels of arrays and objects at line 1"),
        (&objects, "more than 127 levels of arrays and objects at line 1"),
    ];
    for (text, part) in cases {
        let told = Json::parse(text).expect_err(part);
        assert!(told.contains(part), "{told:?} does not have {part:?}");
    }
    let most = format!("{}{}", "[".repeat(127), "]".repeat(127));
    assert!(Json::parse(&most).is_ok() && serde_json::from_str::<Value>(&most).is_ok());
}

/// Texts with bytes changed, left out and doubled are taken and refused as serde_json does.
#[test]
fn serde_json_takes_the_same_texts() {
    let texts = [
        r#"{"pos": "n", "price": {"$lt": 50.25, "$gte": -1e-3}, "near": {"$geo": {"lat": 1, "lon": 2}}}"#,
        r#"[0, -0, 12, -3.5, 1e5, 2E+7, 5e-324, 0.1, [], {}, [[{"a": []}]], true, false, null]"#,
        r#"["", "\"\\\/\b\f\n\r\t", "\u0041\u00e9\ud83d\ude00", "é😀", "a b"]"#,
    ];
    let (mut taken, mut refused) = (0, 0);
    for seed in 0..60_000 {
        let random = |number: u64| hash(seed * 16 + number) as usize;
        let mut bytes = texts[random(0) % texts.len()].as_bytes().to_vec();
        for change in 0..random(1) % 3 {
            let at = random(3 * change as u64 + 2) % bytes.len();
            match random(3 * change as u64 + 3) % 4 {
                0 => drop(bytes.remove(at)),
                1 => bytes.insert(at, bytes[random(3 * change as u64 + 4) % bytes.len()]),
                _ => bytes[at] = b"\"\\u{}[]:,.-+eE0123456789dDntf \n"[random(3 * change as u64 + 4) % 31],
            }
        }
        let Ok(text) = String::from_utf8(bytes) else { continue };
        match (Json::parse(&text), serde_json::from_str::<Value>(&text)) {
            (Ok(ours), Ok(theirs)) => {
                assert!(same(&ours, &theirs), "{text}: {ours:?}, {theirs:?}");
                taken += 1;
            }
            (Err(_), Err(_)) => refused += 1,
            (Err(error), Ok(_)) if error.contains("stands twice") => {}
            (ours, theirs) => panic!("{text}: {ours:?}, {theirs:?}"),
        }
    }
    assert!(taken > 10_000 && refused > 10_000, "{taken} {refused}");
}

/// Whether they are the same; serde_json's floats may be a little off.
fn same(ours: &Json, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Json::Null, Value::Null) => true,
        (Json::Bool(ours), Value::Bool(theirs)) => ours == theirs,
        (Json::Text(ours), Value::String(theirs)) => ours == theirs,
        (Json::Integer(_) | Json::Big(_) | Json::Float(_), Value::Number(theirs)) => {
            let ours = match *ours {
                Json::Integer(number) => number as f64,
                Json::Big(number) | Json::Float(number) => number,
                _ => f64::NAN,
            };
            let theirs = theirs.as_f64().expect("a number");
            (ours - theirs).abs() <= theirs.abs() * 1e-15
        }
        (Json::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Json::Object(ours), Value::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().all(|(name, ours)| theirs.get(name).is_some_and(|theirs| same(ours, theirs)))
        }
        _ => false,
    }
}

#[test]
fn floats_are_the_nearest() {
    let check = |text: &str| {
        let expected: f64 = text.parse().expect("a number");
        assert_eq!(number::nearest(text.as_bytes()).to_bits(), expected.to_bits(), "{text}");
    };
    // At the ends of the range, and at midpoints of floats: those after 2^53, before the smallest, after the greatest.
    let hard = "0|0.0|0e999999999999|1|0.1|0.30000000000000004|123456789012345678|9007199254740993|9007199254740995|\
        9007199254740993.0000000000000000000000000000000000000001|9007199254740992.9999999999999999999999|1e22|1e23|\
        8.41e21|2.2250738585072011e-308|2.2250738585072014e-308|4.9e-324|5e-324|2.4703282292062327e-324|\
        2.4703282292062328e-324|1e-400|1e-99999999999|1e999999999999|1.7976931348623157e308|1.7976931348623158e308|\
        1.7976931348623159e308|17976931348623158079372897140530341507993413271003e259|0.000000000000000000001e21|\
        6.631236846766476e-316|3.237883913302901e-319|100000000000000000000|0e0|00.000|1.00000000000000011102230246251565";
    hard.split('|').for_each(check);
    for seed in 0..40_000 {
        let float = f64::from_bits(hash(seed) >> 1);
        if float.is_finite() {
            check(&format!("{float:e}"));
            check(&format!("{float:.*e}", (hash(seed + 1) % 30) as usize));
        }
        check(&format!("{}.{}e{}", hash(seed) % 1000, hash(seed + 2), hash(seed + 3) % 40));
    }
}

/// The middle of two floats goes to the even one, whatever is beside it to its own.
#[test]
fn middles_of_floats_go_to_the_even_one() {
    for seed in 0..300 {
        // (2m + 1) / 2^power, written as (2m + 1) x 5^power / 10^power.
        let power = [1075, 1075, 1 + hash(seed) % 1075][(hash(seed + 1) % 3) as usize] as usize;
        let mantissa = (hash(seed + 2) >> 11) | u64::from(power < 1075) << 52;
        let mantissa = if seed < 4 { seed } else { mantissa };
        let mut digits: Vec<u8> =
            (2 * mantissa + 1).to_string().bytes().rev().map(|digit| digit - b'0').collect();
        for _ in 0..power {
            let mut carry = 0;
            for digit in &mut digits {
                let value = *digit * 5 + carry;
                (*digit, carry) = (value % 10, value / 10);
            }
            digits.extend((carry > 0).then_some(carry));
        }
        let tie: String = digits.iter().rev().map(|digit| char::from(digit + b'0')).collect();
        let less = &tie[..tie.len() - 1];
        for text in [
            format!("{tie}e-{power}"),
            format!("{tie}.{}1e-{power}", "0".repeat(1000)),
            format!("{less}4{}e-{power}", ".".to_owned() + &"9".repeat(1000)),
        ] {
            let expected: f64 = text.parse().expect("a number");
            assert_eq!(number::nearest(text.as_bytes()).to_bits(), expected.to_bits(), "{text}");
        }
        let even = number::nearest(format!("{tie}e-{power}").as_bytes());
        assert_eq!(even.to_bits() % 2, 0, "{mantissa} {power}");
    }
}
