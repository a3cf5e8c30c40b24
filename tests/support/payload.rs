//! Rows with fields of all types, filters over them, and which rows match by the definition: JSON against JSON, without an index.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use super::data::Random;
use serde_json::{Map, Value, json};

pub(crate) type Row = Map<String, Value>;

const COLOURS: [&str; 6] = ["red", "green", "blue", "größe", "日本", ""];
/// Metres of a degree on the sphere of the definition.
const RADIUS: f64 = 6_371_008.8;

/// The fields of so many rows. Some are missing, null or empty lists; some have several values.
pub(crate) fn rows(count: usize, seed: u64) -> Vec<Row> {
    let mut random = Random(seed);
    (0..count).map(|number| row(&mut random, number)).collect()
}

fn row(random: &mut Random, number: usize) -> Row {
    let mut row = Map::new();
    let mut put = |name: &str, value: Value| {
        row.insert(name.to_owned(), value);
    };
    let keep = |random: &mut Random| random.below(8) > 0;
    put("colour", json!(COLOURS[random.below(6).min(random.below(6))]));
    if keep(random) {
        let count = random.below(4);
        put("tags", (0..count).map(|_| json!(format!("tag{}", random.below(40)))).collect());
    }
    if keep(random) {
        put("size", json!(random.below(100) as i64 - 50));
    } else {
        put("size", Value::Null);
    }
    // Halves are exact.
    if keep(random) {
        put("price", json!(random.below(2000) as f64 / 2.0 - 100.0));
    }
    if random.below(10) == 0 {
        put("scores", (0..random.below(3)).map(|_| json!(random.below(50))).collect());
    }
    if keep(random) {
        put("stock", json!(random.below(3) > 0));
    }
    if keep(random) {
        let day = random.below(28) + 1;
        put("at", json!(format!("2026-{:02}-{day:02}T0{}:30:00Z", random.below(12) + 1, random.below(9))));
    }
    if keep(random) {
        // Around the antimeridian, the poles, and elsewhere; whole hundredths of a degree.
        let lat = [0, 8950, -8950, 5000][random.below(4)] + random.below(100) as i64 - 50;
        let lon = [-17990, 17990, 0, 900][random.below(4)] + random.below(20) as i64 - 10;
        let lon = if lon >= 18000 {
            lon - 36000
        } else if lon < -18000 {
            lon + 36000
        } else {
            lon
        };
        put("place", json!({ "lat": lat as f64 / 100.0, "lon": lon as f64 / 100.0 }));
    }
    if number.is_multiple_of(97) {
        put("rare", json!(format!("rare {}", number / 97)));
    }
    row
}

/// A filter: of one field, or of several combined.
pub(crate) fn filter(random: &mut Random, depth: usize) -> Value {
    let several = |key: &str, random: &mut Random| {
        let of: Vec<Value> = (0..random.below(3) + 1).map(|_| filter(random, depth - 1)).collect();
        json!({ key: of })
    };
    match random.below(if depth == 0 { 10 } else { 16 }) {
        0 => json!({ "colour": COLOURS[random.below(6)] }),
        1 => json!({ "colour": { "$in": [COLOURS[random.below(6)], COLOURS[random.below(6)], "none"] } }),
        2 => json!({ "tags": format!("tag{}", random.below(45)) }),
        3 => json!({ "tags": { "$ne": format!("tag{}", random.below(45)) } }),
        4 => {
            let low = random.below(120) as i64 - 60;
            json!({ "size": { "$gte": low, "$lt": low + random.below(60) as i64 } })
        }
        5 => {
            let bound = random.below(2200) as f64 / 2.0 - 150.0;
            json!({ "price": { ["$lt", "$lte", "$gt", "$gte"][random.below(4)]: bound } })
        }
        6 => json!({ "stock": random.below(2) == 0 }),
        7 => {
            let month = random.below(12) + 1;
            json!({ "at": { "$gte": format!("2026-{month:02}-01"), "$lt": format!("2026-{month:02}-20T12:00:00Z") } })
        }
        8 => area(random),
        9 => {
            json!({ ["tags", "size", "rare", "scores"][random.below(4)]: { "$exists": random.below(2) == 0 } })
        }
        10 => several("$and", random),
        11 => several("$or", random),
        12 => json!({ "$not": filter(random, depth - 1) }),
        13 => json!({ "scores": { "$gt": random.below(50), "$lt": random.below(50) } }),
        14 => json!({ "size": { "$nin": [random.below(50), 3, 4.5] }, "colour": { "$ne": "red" } }),
        _ => json!({ "rare": { "$in": [format!("rare {}", random.below(20)), "rare 3"] } }),
    }
}

fn area(random: &mut Random) -> Value {
    let lat = [0.0, 89.5, -89.5, 50.0][random.below(4)];
    let lon = [-179.9, 179.9, 0.0, 9.0][random.below(4)];
    match random.below(2) {
        0 => {
            json!({ "place": { "$geo": { "lat": lat, "lon": lon, "radius": 1000 * (1 + random.below(80)) } } })
        }
        // West beyond east: over the antimeridian.
        _ => {
            json!({ "place": { "$geo": { "south": lat - 0.3, "north": (lat + 0.2_f64).min(90.0), "west": 179.85, "east": -179.9 } } })
        }
    }
}

/// Whether a row matches.
pub(crate) fn matches(filter: &Value, row: &Row) -> bool {
    let all = filter.as_object().expect("a filter is an object");
    all.iter().all(|(key, value)| match key.as_str() {
        "$and" => value.as_array().unwrap().iter().all(|each| matches(each, row)),
        "$or" => value.as_array().unwrap().iter().any(|each| matches(each, row)),
        "$not" => !matches(value, row),
        field => {
            let values = values(row.get(field));
            match value.as_object() {
                Some(ops) => {
                    // One value must lie within all bounds.
                    let bounds: Vec<(&String, &Value)> =
                        ops.iter().filter(|(op, _)| BOUNDS.contains(&op.as_str())).collect();
                    let within = |v: &Value| bounds.iter().all(|(op, bound)| holds(op, v, bound));
                    (bounds.is_empty() || values.iter().any(within))
                        && ops
                            .iter()
                            .filter(|(op, _)| !BOUNDS.contains(&op.as_str()))
                            .all(|(op, operand)| passes(op, operand, &values))
                }
                None => values.iter().any(|v| equal(v, value)),
            }
        }
    })
}

fn values(value: Option<&Value>) -> Vec<Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(all)) => all.iter().filter(|v| !v.is_null()).cloned().collect(),
        Some(one) => vec![one.clone()],
    }
}

fn passes(op: &str, operand: &Value, values: &[Value]) -> bool {
    match op {
        "$in" => operand.as_array().unwrap().iter().any(|o| values.iter().any(|v| equal(v, o))),
        "$nin" => !operand.as_array().unwrap().iter().any(|o| values.iter().any(|v| equal(v, o))),
        "$ne" => !values.iter().any(|v| equal(v, operand)),
        "$exists" => operand.as_bool().unwrap() != values.is_empty(),
        "$geo" => values.iter().any(|v| inside(operand, degrees(v, "lat"), degrees(v, "lon"))),
        _ => panic!("{op}"),
    }
}

const BOUNDS: [&str; 4] = ["$lt", "$lte", "$gt", "$gte"];

fn holds(op: &str, value: &Value, bound: &Value) -> bool {
    let (value, bound) = (number(value), number(bound));
    match op {
        "$lt" => value < bound,
        "$lte" => value <= bound,
        "$gt" => value > bound,
        _ => value >= bound,
    }
}

fn equal(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// A number, or the hours since the beginning of 2026 of a date.
fn number(value: &Value) -> f64 {
    const DAYS: [u32; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let Some(text) = value.as_str() else { return value.as_f64().unwrap() };
    let part = |range: std::ops::Range<usize>| text.get(range).map_or(0, |t| t.parse::<u32>().unwrap());
    let days = DAYS[part(5..7) as usize - 1] + part(8..10);
    f64::from(days * 24 + part(11..13)) + f64::from(part(14..16)) / 60.0
}

fn degrees(value: &Value, name: &str) -> f64 {
    value[name].as_f64().unwrap()
}

fn inside(area: &Value, lat: f64, lon: f64) -> bool {
    let of = |name: &str| degrees(area, name);
    if area.get("radius").is_none() {
        let (west, east) = (of("west"), of("east"));
        let between = if west <= east { west <= lon && lon <= east } else { lon >= west || lon <= east };
        return of("south") <= lat && lat <= of("north") && between;
    }
    let [a, b] = [of("lat"), lat].map(f64::to_radians);
    let (dlat, dlon) = ((b - a) / 2.0, ((lon - of("lon")).to_radians()) / 2.0);
    let h = dlat.sin().powi(2) + a.cos() * b.cos() * dlon.sin().powi(2);
    2.0 * RADIUS * h.sqrt().min(1.0).asin() <= of("radius")
}

/// The least value of a field of numbers or times, or the greatest.
pub(crate) fn extreme(row: &Row, field: &str, greatest: bool) -> Option<f64> {
    let numbers = values(row.get(field)).into_iter().map(|value| number(&value));
    if greatest { numbers.reduce(f64::max) } else { numbers.reduce(f64::min) }
}

/// A value in its order: numbers and times, or texts by their bytes.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub(crate) enum Key {
    Number(f64),
    Text(String),
}

/// The least value of a row in a field of any type but points, or the greatest.
pub(crate) fn extreme_key(row: &Row, field: &str, greatest: bool) -> Option<Key> {
    if !matches!(field, "colour" | "tags" | "stock" | "rare") {
        return extreme(row, field, greatest).map(Key::Number);
    }
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let texts = values(row.get(field)).into_iter().map(text);
    let text = if greatest { texts.max() } else { texts.min() };
    text.map(Key::Text)
}

/// How many values a row has in a field.
pub(crate) fn extent(row: &Row, field: &str) -> usize {
    values(row.get(field)).len()
}
