//! A filter of JSON: what one field is compared with.

use super::parse::{Parser, Place, Task};
use super::suggest::nearest;
use super::{Filter, Node, Operand};
use crate::error::Error;
use crate::payload::geo::{Area, Point};
use crate::payload::json::Json;
use std::ops::Bound;

pub(super) const FIELD_OPERATORS: [&str; 12] =
    ["$eq", "$ne", "$in", "$nin", "$gt", "$gte", "$lt", "$lte", "$all", "$exists", "$geo", "$not"];
/// What others call operators.
const ALIASES: [(&str, &str); 13] = [
    ("$ge", "$gte"),
    ("$le", "$lte"),
    ("$neq", "$ne"),
    ("$notin", "$nin"),
    ("$min", "$gte"),
    ("$max", "$lte"),
    ("=", "$eq"),
    ("==", "$eq"),
    ("!=", "$ne"),
    (">", "$gt"),
    (">=", "$gte"),
    ("<", "$lt"),
    ("<=", "$lte"),
];

/// Reads what a field is compared with: a value, or an object of operators, which all have to match.
pub(super) fn operators<'a>(
    parser: &mut Parser<'a>,
    name: &'a str,
    value: &'a Json,
    place: Place,
) -> Result<(), Error> {
    let Json::Object(operators) = value else {
        let one = operand(value, &place)?;
        parser.count_values(1, &place)?;
        parser.all_of(vec![vec![Task::Done(Filter::eq(name, one))]]);
        return Ok(());
    };
    if operators.is_empty() {
        return Err(place.fault("no operator: write the value itself, or one such as {\"$exists\": true}"));
    }
    let mut tasks = Vec::new();
    // A lower and an upper bound are one range, in the place of the first.
    let mut range: Option<(usize, [Option<Bound<Operand>>; 2])> = None;
    for (operator, value) in operators {
        let at = place.child(operator);
        let upper = matches!(&**operator, "$lt" | "$lte");
        match &**operator {
            "$gt" | "$gte" | "$lt" | "$lte" => {
                let bound = bound(value, operator.ends_with('e'), &at)?;
                let (_, bounds) = range.get_or_insert_with(|| {
                    tasks.push(Vec::new());
                    (tasks.len() - 1, [None, None])
                });
                if bounds[usize::from(upper)].replace(bound).is_some() {
                    let both = if upper { "$lt and $lte" } else { "$gt and $gte" };
                    return Err(at.fault(format!("of {both} one is enough: leave the other out")));
                }
            }
            "$not" => {
                if !matches!(value, Json::Object(_)) {
                    return Err(at.fault("$not takes an object of operators; for a value write $ne"));
                }
                tasks.push(vec![Task::Field(name, value, at.deeper()?), Task::Not]);
            }
            _ => tasks.push(condition(parser, name, operator, value, &at)?),
        }
    }
    if let Some((at, [low, high])) = range {
        let open = |bound: Option<Bound<Operand>>| bound.unwrap_or(Bound::Unbounded);
        tasks[at].push(Task::Done(Filter::range(name, open(low), open(high))));
    }
    parser.all_of(tasks);
    Ok(())
}

/// An operator other than bounds and `$not`.
fn condition<'a>(
    parser: &mut Parser<'a>,
    name: &str,
    operator: &str,
    value: &Json,
    at: &Place,
) -> Result<Vec<Task<'a>>, Error> {
    let is_negative = matches!(operator, "$ne" | "$nin");
    let mut tasks = match operator {
        "$eq" | "$ne" => {
            parser.count_values(1, at)?;
            vec![Task::Done(Filter::eq(name, operand(value, at)?))]
        }
        "$in" | "$nin" => vec![Task::Done(Filter::is_in(name, operands(parser, operator, value, at)?))],
        "$all" => {
            let values = operands(parser, operator, value, at)?;
            if values.is_empty() {
                return Err(at.fault("$all has no values: leave it out, or give at least one"));
            }
            let count = values.len();
            let each = values.into_iter().map(|value| Task::Done(Filter::eq(name, value)));
            each.chain([Task::Join(Node::And, count)]).collect()
        }
        "$exists" => match value {
            Json::Bool(true) => vec![Task::Done(Filter::exists(name))],
            Json::Bool(false) => vec![Task::Done(Filter::exists(name)), Task::Not],
            _ => return Err(at.fault(format!("$exists takes true or false, not {}", value.describe()))),
        },
        "$geo" => vec![Task::Done(area(name, value, at)?)],
        _ => return Err(at.fault(unknown(operator))),
    };
    if is_negative {
        tasks.push(Task::Not);
    }
    Ok(tasks)
}

fn operand(value: &Json, at: &Place) -> Result<Operand, Error> {
    Operand::of_json(value).map_err(|detail| at.fault(detail))
}

fn operands(
    parser: &mut Parser<'_>,
    operator: &str,
    value: &Json,
    at: &Place,
) -> Result<Vec<Operand>, Error> {
    let Json::Array(values) = value else {
        let what = value.describe();
        return Err(at.fault(format!("{operator} takes an array of values, not {what}")));
    };
    parser.count_values(values.len(), at)?;
    values.iter().enumerate().map(|(number, value)| operand(value, &at.item(number))).collect()
}

fn bound(value: &Json, is_included: bool, at: &Place) -> Result<Bound<Operand>, Error> {
    match operand(value, at)? {
        Operand::Boolean(_) => Err(at.fault("booleans have no order: compare with $eq or $ne")),
        operand if is_included => Ok(Bound::Included(operand)),
        operand => Ok(Bound::Excluded(operand)),
    }
}

/// The two kinds of `$geo`.
fn area(name: &str, value: &Json, at: &Place) -> Result<Filter, Error> {
    const RADIUS: [&str; 3] = ["lat", "lon", "radius"];
    const BOX: [&str; 4] = ["south", "west", "north", "east"];
    const FORMS: &str = "{\"lat\": …, \"lon\": …, \"radius\": metres} or {\"north\": …, \"south\": …, \"east\": …, \
                         \"west\": …}";
    let Json::Object(parts) = value else {
        return Err(at.fault(format!("$geo takes {FORMS}, not {}", value.describe())));
    };
    let is_box = parts.iter().any(|(part, _)| BOX.contains(&&**part));
    let wanted: &[&str] = if is_box { &BOX } else { &RADIUS };
    let mut numbers = [f64::NAN; 4];
    for (part, value) in parts {
        let at = at.child(part);
        let Some(number) = wanted.iter().position(|wanted| *wanted == &**part) else {
            let meant = if part == "lng" { Some("lon") } else { nearest(part, wanted.iter().copied()) };
            let meant = meant.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
            return Err(at.fault(format!("$geo takes {FORMS}{meant}")));
        };
        numbers[number] = match value {
            Json::Integer(degrees) => *degrees as f64,
            Json::Float(degrees) | Json::Big(degrees) => *degrees,
            _ => return Err(at.fault(format!("a number stands here, not {}", value.describe()))),
        };
    }
    let missing = wanted.iter().zip(numbers).find(|(_, number)| number.is_nan());
    if let Some((missing, _)) = missing {
        return Err(at.fault(format!("{missing} is missing: $geo takes {FORMS}")));
    }
    let (filter, fault) = if is_box {
        let [south, west, north, east] = numbers;
        (Filter::within_box(name, south, west, north, east), box_of(numbers).err())
    } else {
        let [lat, lon, meters, _] = numbers;
        (Filter::within_radius(name, lat, lon, meters), radius_of(lat, lon, meters).err())
    };
    fault.map_or(Ok(filter), |fault| Err(at.fault(fault)))
}

/// The area of a radius. The error says what is wrong with it.
pub(super) fn radius_of(lat: f64, lon: f64, meters: f64) -> Result<Area, &'static str> {
    let center = Point::new(lat, lon).ok_or("lat is between -90 and 90 degrees, lon between -180 and 180")?;
    Area::radius(center, meters).ok_or("radius is a finite number of metres that is not negative")
}

/// The area between south, west, north and east. The error says what is wrong with it.
pub(super) fn box_of([south, west, north, east]: [f64; 4]) -> Result<Area, &'static str> {
    Area::between(south, west, north, east).ok_or(
        "south and north are between -90 and 90 degrees, west and east between -180 and 180, and north is not below south",
    )
}

/// Which operator was meant within a field.
fn unknown(name: &str) -> String {
    let with_dollar = format!("${name}");
    let alias =
        ALIASES.iter().find(|(alias, _)| [name, &with_dollar].contains(alias)).map(|(_, meant)| *meant);
    let plain = FIELD_OPERATORS.into_iter().find(|operator| *operator == with_dollar);
    let meant = alias.or(plain).or_else(|| nearest(name, FIELD_OPERATORS));
    match (name, meant) {
        ("$and" | "$or" | "$nor", _) => {
            format!("{name} stands beside fields: write {{\"{name}\": [{{\"price\": …}}, …]}}")
        }
        ("lat" | "lon" | "radius" | "north" | "south" | "east" | "west", _) => {
            format!("areas stand within $geo: write {{\"$geo\": {{\"{name}\": …}}}}")
        }
        (_, Some(meant)) => format!("there is no such operator; did you mean {meant}?"),
        (_, None) if name.starts_with('$') => {
            format!("there is no such operator; within fields stand {}", FIELD_OPERATORS.join(", "))
        }
        _ => format!(
            "fields within fields are not indexed, and no operator is called so; within fields stand {}",
            FIELD_OPERATORS.join(", ")
        ),
    }
}
