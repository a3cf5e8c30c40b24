//! Random filters over random rows, against an evaluator that reads the JSON of both.

use super::super::Filter;
use super::matches;
use crate::hash::hash;
use serde_json::{Map, Value, json};

#[test]
fn programs_agree_with_an_evaluator_of_the_json() {
    let (mut hits, mut all) = (0, 0);
    for seed in 0..4_000 {
        let mut random = Random(hash(seed) | 1);
        let query = random.query(3);
        let filter = Filter::parse(&query.to_string()).unwrap_or_else(|error| panic!("{query}: {error}"));
        for _ in 0..20 {
            let row = random.row();
            let expected = model(&query, &row);
            assert_eq!(matches(&filter, &row), expected, "seed {seed}: {query} of {row}");
            hits += usize::from(expected);
            all += 1;
        }
    }
    assert!(hits * 5 > all && hits * 5 < all * 4, "{hits} of {all} match");
}

/// Whether a row matches an object of fields and operators.
fn model(query: &Value, row: &Value) -> bool {
    let each = |filters: &Value| -> Vec<bool> {
        filters.as_array().expect("an array").iter().map(|query| model(query, row)).collect()
    };
    query.as_object().expect("an object").iter().all(|(name, value)| match name.as_str() {
        "$and" => !each(value).contains(&false),
        "$or" => each(value).contains(&true),
        "$nor" => !each(value).contains(&true),
        "$not" => !model(value, row),
        field => {
            let values = match row.get(field) {
                None | Some(Value::Null) => vec![],
                Some(Value::Array(values)) => values.iter().filter(|value| !value.is_null()).collect(),
                Some(value) => vec![value],
            };
            operators(value, &values)
        }
    })
}

/// Whether the values of a field match what it is compared with.
fn operators(wanted: &Value, values: &[&Value]) -> bool {
    let Value::Object(operators_) = wanted else {
        return values.iter().any(|value| order(value, wanted) == Some(0));
    };
    let any_of = |list: &Value| {
        let list = list.as_array().expect("an array");
        values.iter().any(|value| list.iter().any(|wanted| order(value, wanted) == Some(0)))
    };
    let in_range = |value: &&Value| {
        operators_.iter().all(|(operator, bound)| match operator.as_str() {
            "$gt" => order(value, bound) == Some(1),
            "$gte" => matches!(order(value, bound), Some(0 | 1)),
            "$lt" => order(value, bound) == Some(-1),
            "$lte" => matches!(order(value, bound), Some(-1 | 0)),
            _ => true,
        })
    };
    operators_.iter().all(|(operator, wanted)| match operator.as_str() {
        "$eq" => values.iter().any(|value| order(value, wanted) == Some(0)),
        "$ne" => !values.iter().any(|value| order(value, wanted) == Some(0)),
        "$in" => any_of(wanted),
        "$nin" => !any_of(wanted),
        "$all" => wanted.as_array().expect("an array").iter().all(|wanted| any_of(&json!([wanted]))),
        "$exists" => *wanted == json!(!values.is_empty()),
        "$not" => !operators(wanted, values),
        "$geo" => values.iter().any(|value| near(value, wanted)),
        _ => values.iter().any(in_range),
    })
}

/// The sign of the difference of two values, if they can be compared.
fn order(a: &Value, b: &Value) -> Option<i32> {
    let number = |value: &Value| match value {
        Value::String(text) => TIMES.iter().find(|(time, _)| time == text).map(|&(_, ms)| ms as f64),
        value => value.as_f64(),
    };
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a.partial_cmp(&b).map(|order| order as i32),
        _ => (a == b).then_some(0),
    }
}

fn near(value: &Value, area: &Value) -> bool {
    let of = |value: &Value, name: &str| value[name].as_f64();
    let [lat, lon] = ["lat", "lon"].map(|name| of(value, name).expect("degrees"));
    if let Some(radius) = of(area, "radius") {
        let [north, east] = ["lat", "lon"].map(|name| of(area, name).expect("degrees"));
        let [a, b, turn] = [lat, north, lon - east].map(f64::to_radians);
        let cosine = a.sin() * b.sin() + a.cos() * b.cos() * turn.cos();
        return cosine.clamp(-1.0, 1.0).acos() * 6_371_008.8 <= radius;
    }
    let [south, west, north, east] =
        ["south", "west", "north", "east"].map(|name| of(area, name).expect("degrees"));
    let between = if west <= east { (west..=east).contains(&lon) } else { lon >= west || lon <= east };
    (south..=north).contains(&lat) && between
}

const TIMES: [(&str, i64); 4] = [
    ("1969-12-31", -86_400_000),
    ("1970-01-01T00:00:00.005Z", 5),
    ("1970-01-01T02:00:00+02:00", 0),
    ("2026-06-30T12:00:00Z", 1_782_820_800_000),
];
const TEXTS: [&str; 5] = ["", "n", "v", "né", "N"];

struct Random(u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 = hash(self.0 ^ 0x9E37_79B9);
        (self.0 >> 33) as usize % count
    }

    fn one_of<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())].clone()
    }

    fn list(&mut self, most: usize, mut item: impl FnMut(&mut Self) -> Value) -> Value {
        let count = self.below(most + 1);
        Value::Array((0..count).map(|_| item(self)).collect())
    }

    fn row(&mut self) -> Value {
        let mut row = Map::new();
        for field in ["pos", "count", "price", "sold", "at", "place"] {
            let value = match self.below(8) {
                0 => continue,
                1 => Value::Null,
                2 | 3 => self.list(3, |random| match random.below(6) {
                    0 => Value::Null,
                    _ => random.value(field),
                }),
                _ => self.value(field),
            };
            row.insert(field.to_owned(), value);
        }
        Value::Object(row)
    }

    /// A value of a row.
    fn value(&mut self, field: &str) -> Value {
        match field {
            "pos" => json!(self.one_of(&TEXTS)),
            "count" => {
                json!(self.one_of(&[-9_007_199_254_740_991, -2, -1, 0, 1, 2, 3, 9_007_199_254_740_991i64]))
            }
            "price" => self.one_of(&[
                json!(-1.5),
                json!(0),
                json!(-0.0),
                json!(0.1),
                json!(2),
                json!(2.5),
                json!(1e300),
            ]),
            "sold" => json!(self.below(2) == 0),
            "at" if self.below(2) == 0 => json!(self.one_of(&[-1, 0, 5, 1_782_820_800_000i64])),
            "at" => json!(self.one_of(&TIMES).0),
            _ => {
                json!({"lat": self.one_of(&[-45.0, 0.0, 45.0, 89.0]), "lon": self.one_of(&[-179.5, -90.0, 0.0, 90.5, 179.5])})
            }
        }
    }

    /// What a field is compared with: of numbers also some that no value is.
    fn operand(&mut self, field: &str) -> Value {
        match (field, self.below(3)) {
            ("count" | "price" | "at", 0) => json!(self.one_of(&[-2.5, 1.5, 0.5, -1e300, 2.0])),
            _ => self.value(field),
        }
    }

    fn query(&mut self, depth: usize) -> Value {
        let mut query = Map::new();
        for _ in 0..self.below(3).max(usize::from(self.below(20) > 0)) {
            let (name, value) = match self.below(if depth == 0 { 1 } else { 3 }) {
                1 => {
                    let name = self.one_of(&["$and", "$or", "$nor"]);
                    let count = 1 + self.below(3);
                    (name, (0..count).map(|_| self.query(depth - 1)).collect())
                }
                2 if self.below(2) == 0 => ("$not", self.query(depth - 1)),
                _ => {
                    let field = self.one_of(&["pos", "count", "price", "sold", "at", "place"]);
                    (field, self.condition(field, depth))
                }
            };
            query.insert(name.to_owned(), value);
        }
        Value::Object(query)
    }

    fn condition(&mut self, field: &str, depth: usize) -> Value {
        if field != "place" && self.below(3) == 0 {
            return self.operand(field);
        }
        let mut operators = Map::new();
        for _ in 0..1 + self.below(2) {
            let (operator, value) = match (self.below(6), field) {
                (0, _) => ("$exists", json!(self.below(2) == 0)),
                (1, _) if depth > 0 => ("$not", self.condition_object(field, depth - 1)),
                (_, "place") => ("$geo", self.area()),
                (1 | 2, _) => (self.one_of(&["$eq", "$ne"]), self.operand(field)),
                (3 | 4, "count" | "price" | "at") => {
                    let lower = operators.keys().any(|name: &String| name.starts_with("$l"));
                    let names = if lower { ["$gt", "$gte"] } else { ["$lt", "$lte"] };
                    if operators.keys().any(|name| name.starts_with("$g")) {
                        continue;
                    }
                    (names[self.below(2)], self.operand(field))
                }
                (3, _) => {
                    let mut list = self.list(2, |random| random.operand(field));
                    list.as_array_mut().expect("an array").push(self.operand(field));
                    ("$all", list)
                }
                _ => (self.one_of(&["$in", "$nin"]), self.list(4, |random| random.operand(field))),
            };
            operators.insert(operator.to_owned(), value);
        }
        if operators.is_empty() { json!({"$exists": true}) } else { Value::Object(operators) }
    }

    fn condition_object(&mut self, field: &str, depth: usize) -> Value {
        loop {
            let value = self.condition(field, depth);
            if value.is_object() {
                return value;
            }
        }
    }

    fn area(&mut self) -> Value {
        let (lat, lon) = (self.one_of(&[-45.0, 10.0, 60.0]), self.one_of(&[-170.0, 10.0, 100.0, 179.0]));
        match self.below(2) {
            0 => json!({"lat": lat, "lon": lon, "radius": self.one_of(&[1e3, 3e6, 1e7, 3e7])}),
            _ => json!({"south": lat, "north": 89, "west": lon, "east": self.one_of(&[-100, 20, 179])}),
        }
    }
}
