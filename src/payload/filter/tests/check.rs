//! Filters against the fields of an index.

use super::super::{Filter, Operand};
use super::{FIELDS, fault};
use crate::payload::key::{of_float, of_integer};
use crate::payload::program::{Op, Test};
use crate::payload::schema::{FieldKind, FieldType, NotIndexed};
use std::ops::Bound::{Excluded, Included, Unbounded};

fn refused(filter: &Filter) -> (String, String) {
    fault(filter.check(FIELDS))
}

#[test]
fn what_fits_no_field_is_refused() {
    let cases = [
        (Filter::eq("Pos", "n"), "Pos", "did you mean pos? There are: __proto__, at, count, definition"),
        (Filter::eq("prise", 1).not(), "prise", "did you mean price?"),
        (
            Filter::exists("nothing like it"),
            "[\"nothing like it\"]",
            "no row has a field of this name; there are",
        ),
        (
            Filter::eq("definition", "a"),
            "definition",
            "stored, but not indexed, since nearly all of its texts",
        ),
        (Filter::exists("definition"), "definition", "not indexed"),
        (
            Filter::eq("pos", 5),
            "pos",
            "of type keyword, and 5 is a number: compare it with text, such as \"5\"",
        ),
        (Filter::eq("pos", true), "pos", "such as \"true\""),
        (Filter::lt("pos", "m"), "pos", "which has no order"),
        (Filter::lt("pos", 5), "pos", "which has no order"),
        (Filter::range("pos", Unbounded, Unbounded), "pos", "which has no order"),
        (Filter::eq("count", "5"), "count", "and \"5\" is text: compare it with a number, without quotes: 5"),
        (Filter::eq("count", "many"), "count", "compare it with a number"),
        (Filter::is_in("price", [Operand::from(1), true.into()]), "price", "and true is a boolean"),
        (Filter::gte("price", "1"), "price.$gte", "without quotes: 1"),
        (Filter::gt("price", true), "price.$gt", "no order"),
        (Filter::eq("sold", "true"), "sold", "compare it with true or false"),
        (Filter::lte("sold", 1), "sold", "has no order"),
        (Filter::lt("at", "yesterday"), "at.$lt", "RFC 3339 text, such as \"2026-01-31\""),
        (Filter::eq("at", false), "at", "RFC 3339"),
        (Filter::eq("place", "Rome"), "place", "\"$geo\""),
        (Filter::gt("place", 1), "place", "has no order"),
        (Filter::within_radius("pos", 0.0, 0.0, 1.0), "pos.$geo", "fields of type geo"),
        (Filter::within_radius("place", 91.0, 0.0, 1.0), "place.$geo", "between -90 and 90"),
        (Filter::within_radius("place", 0.0, 0.0, f64::NAN), "place.$geo", "finite"),
        (Filter::within_box("place", 1.0, 0.0, -1.0, 0.0), "place.$geo", "north is not below south"),
        (Filter::eq("price", f64::NAN), "price", "NaN equals nothing"),
        (Filter::lt("count", f64::NAN), "count.$lt", "NaN equals nothing"),
        (Filter::eq("count", 1i64 << 53), "count", "beyond 2^53 - 1"),
        (Filter::lt("price", i64::MIN), "price.$lt", "beyond 2^53 - 1"),
        (
            Filter::eq("pos", "x".repeat(1_000)).and(Filter::eq("count", "x".repeat(1_000))),
            "count",
            "xxx…\" is text",
        ),
    ];
    for (filter, path, part) in cases {
        let (at, detail) = refused(&filter);
        assert!(at == path && detail.contains(part), "{at}: {detail}, not {path}: {part}");
        assert!(detail.len() < 400, "{detail}");
    }
    assert!(fault(Filter::eq("a", 1).check([])).1.contains("the index has no fields"));
    assert!(Filter::all().check([]).is_ok());
    let many: Vec<String> = (0..1000).map(|number| format!("field_{number:03}")).collect();
    let kind = FieldKind::Indexed(FieldType::Integer);
    let (_, detail) = fault(Filter::eq("x", 1).check(many.iter().map(|name| (name.as_str(), kind))));
    assert!(detail.ends_with("field_018, field_019, and 980 others"), "{detail}");
}

/// A field may have other types in other segments: one that a condition fits is enough, and of the others no value matches.
#[test]
fn types_may_differ_between_segments() {
    let of = |kinds: &[FieldType]| -> Vec<(&'static str, FieldKind)> {
        kinds.iter().map(|&kind| ("x", FieldKind::Indexed(kind))).collect()
    };
    let compile = |filter: &Filter, kind| {
        filter.compile(|name| (name == "x").then_some((7, FieldKind::Indexed(kind)))).expect("a program").ops
    };
    let both = of(&[FieldType::Integer, FieldType::Keyword]);
    let filter = Filter::eq("x", 5);
    assert!(filter.check(both.clone()).is_ok());
    assert_eq!(compile(&filter, FieldType::Keyword), [Op::All(false)]);
    let five = of_integer(5);
    assert_eq!(compile(&filter, FieldType::Integer), [Op::Test(7, Test::Keys(vec![(five, five)]))]);
    assert!(Filter::lt("x", 5).check(both.clone()).is_ok());
    assert_eq!(compile(&Filter::lt("x", 5), FieldType::Keyword), [Op::All(false)]);
    assert!(Filter::eq("x", "a").check(both.clone()).is_ok());
    assert!(fault(Filter::eq("x", true).check(both.clone())).1.contains("of type integer, and true"));
    // A part of the list may be of the segment's type.
    let times = of(&[FieldType::Timestamp, FieldType::Keyword]);
    let mixed = Filter::is_in("x", [Operand::from("2026-01-01"), 0.into()]);
    assert!(mixed.check(times.clone()).is_ok());
    let text = Test::Terms(vec!["2026-01-01".into()]);
    assert_eq!(compile(&mixed, FieldType::Keyword), [Op::Test(7, text)]);
    // Keywords that look like times would be left out silently.
    assert!(fault(Filter::gt("x", "2026-01-01").check(times)).1.contains("type keyword, which has no order"));
    // So would rows of a segment that has not indexed the field.
    let stored = ("x", FieldKind::Stored(NotIndexed::Mixed));
    let (_, detail) = fault(Filter::eq("x", 5).check([both[0], stored]));
    assert!(detail.contains("its values are of different types"), "{detail}");
    assert!(Filter::eq("x", 5).compile(|_| Some((0, stored.1))).is_err());
    // A segment without the field has no row with a value.
    let lacking = Filter::eq("x", 5).not().compile(|_| None).expect("a program");
    assert_eq!(lacking.ops, [Op::All(false), Op::Not]);
}

#[test]
fn numbers_become_ranges_of_keys() {
    let keys = |filter: &Filter, kind: FieldType| {
        let program = filter.compile(|_| Some((0, FieldKind::Indexed(kind)))).expect("a program");
        match program.ops.as_slice() {
            [Op::Test(0, Test::Keys(ranges))] => ranges.clone(),
            [Op::All(false)] => Vec::new(),
            other => panic!("{other:?}"),
        }
    };
    let integers = |filter: Filter, expected: &[(i64, i64)]| {
        let expected: Vec<_> = expected.iter().map(|&(a, b)| (of_integer(a), of_integer(b))).collect();
        assert_eq!(keys(&filter, FieldType::Integer), expected, "{filter:?}");
        assert_eq!(keys(&filter, FieldType::Timestamp), expected, "{filter:?}");
    };
    integers(Filter::lt("x", 2.5), &[(i64::MIN, 2)]);
    integers(Filter::lte("x", 2.5), &[(i64::MIN, 2)]);
    integers(Filter::lt("x", 2), &[(i64::MIN, 1)]);
    integers(Filter::lt("x", 2.0), &[(i64::MIN, 1)]);
    integers(Filter::gt("x", -2.5), &[(-2, i64::MAX)]);
    integers(Filter::gte("x", -2.5), &[(-2, i64::MAX)]);
    integers(Filter::gt("x", -2), &[(-1, i64::MAX)]);
    integers(Filter::between("x", 2.1, 2.9), &[]);
    integers(Filter::between("x", 3, 2), &[]);
    integers(Filter::range("x", Excluded(2.into()), Excluded(3.into())), &[]);
    integers(Filter::range("x", Included(2.into()), Excluded(3.5.into())), &[(2, 3)]);
    integers(Filter::eq("x", 2.0), &[(2, 2)]);
    integers(Filter::eq("x", -0.0), &[(0, 0)]);
    integers(Filter::eq("x", 2.5), &[]);
    integers(Filter::eq("x", 1e300), &[]);
    integers(Filter::gt("x", f64::INFINITY), &[]);
    integers(Filter::lt("x", f64::NEG_INFINITY), &[]);
    integers(Filter::is_in("x", [3, 1, 2, 3, 7, -1]), &[(-1, -1), (1, 3), (7, 7)]);
    for (low, high) in [(f64::NEG_INFINITY, f64::INFINITY), (-1e300, 1e300)] {
        integers(Filter::between("x", low, high), &[(i64::MIN, i64::MAX)]);
    }

    let floats = |filter: Filter, expected: &[(f64, f64)]| {
        let expected: Vec<_> = expected.iter().map(|&(a, b)| (of_float(a), of_float(b))).collect();
        assert_eq!(keys(&filter, FieldType::Float), expected, "{filter:?}");
    };
    floats(Filter::between("x", 1, 2.5), &[(1.0, 2.5)]);
    floats(Filter::between("x", f64::NEG_INFINITY, -0.0), &[(f64::NEG_INFINITY, 0.0)]);
    let open = Filter::range("x", Excluded(0.0.into()), Excluded(1.into()));
    floats(open, &[(f64::from_bits(1), 1f64.next_down())]);
    floats(Filter::range("x", Excluded(1.0.into()), Excluded(1f64.next_up().into())), &[]);
    floats(Filter::is_in("x", [0.5, -0.0, 0.0]), &[(0.0, 0.0), (0.5, 0.5)]);
    assert_eq!(keys(&Filter::lt("x", 0), FieldType::Float), [(0, of_float(0.0) - 1)]);
}

#[test]
fn what_was_built_has_limits_and_nothing_recurses() {
    // Dropped, copied, compared and checked.
    let mut deep = Filter::eq("count", 1);
    for _ in 0..100_000 {
        deep = deep.not().and(Filter::all()).or(Filter::eq("count", 2));
    }
    assert_eq!(deep.clone(), deep);
    assert!(fault(deep.check(FIELDS)).1.contains("more than 1024 conditions"));
    let long = Filter::is_in("count", 0..10_001);
    assert!(fault(long.check(FIELDS)).1.contains("more than 10000 values"));
}
