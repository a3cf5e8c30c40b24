//! What JSON is a filter, and what is wrong with what is none.

use super::super::Filter;
use super::fault;
use std::ops::Bound;

fn parsed(json: &str) -> Filter {
    Filter::parse(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

#[test]
fn json_and_builder_make_the_same_filters() {
    let between = |low, high| Filter::range("price", low, high);
    let cases = [
        (r#"{}"#, Filter::all()),
        (r#"{"pos": "n"}"#, Filter::eq("pos", "n")),
        (r#"{"pos": {"$eq": "n"}}"#, Filter::eq("pos", "n")),
        (r#"{"pos": {"$in": ["n"]}}"#, Filter::eq("pos", "n")),
        (r#"{"pos": {"$ne": "n"}}"#, Filter::ne("pos", "n")),
        (r#"{"n": {"$in": [1, 2.5, "a", true]}}"#, {
            Filter::is_in("n", [1.into(), 2.5.into(), "a".into(), super::super::Operand::from(true)])
        }),
        (r#"{"n": {"$in": []}}"#, Filter::is_in("n", [0; 0])),
        (r#"{"n": {"$nin": [1, 2]}}"#, Filter::not_in("n", [1, 2])),
        (r#"{"price": {"$gt": 1}}"#, Filter::gt("price", 1)),
        (r#"{"price": {"$lte": 2}}"#, Filter::lte("price", 2)),
        (r#"{"price": {"$lte": 2, "$gte": 1}}"#, Filter::between("price", 1, 2)),
        (r#"{"price": {"$gt": 1, "$lt": 2.5}}"#, {
            between(Bound::Excluded(1.into()), Bound::Excluded(2.5.into()))
        }),
        (r#"{"price": {"$gte": 1, "$ne": 3, "$lt": 9}}"#, {
            between(Bound::Included(1.into()), Bound::Excluded(9.into())).and(Filter::ne("price", 3))
        }),
        (r#"{"tags": {"$all": ["a", "b"]}}"#, Filter::eq("tags", "a").and(Filter::eq("tags", "b"))),
        (r#"{"a": {"$exists": true}}"#, Filter::exists("a")),
        (r#"{"a": {"$exists": false}}"#, !Filter::exists("a")),
        (r#"{"a": {"$not": {"$gt": 5}}}"#, Filter::gt("a", 5).not()),
        (r#"{"$not": {"a": 5}}"#, Filter::eq("a", 5).not()),
        (r#"{"a": 1, "b": 2, "c": 3}"#, Filter::eq("a", 1).and(Filter::eq("b", 2)).and(Filter::eq("c", 3))),
        (r#"{"a": 1, "$and": [{"b": 2}, {"c": 3, "d": 4}]}"#, {
            let last = Filter::eq("c", 3).and(Filter::eq("d", 4));
            Filter::eq("a", 1).and(Filter::eq("b", 2).and(last))
        }),
        (r#"{"$or": [{"a": 1}, {"$or": [{"b": 2}, {"c": 3}]}]}"#, {
            Filter::eq("a", 1).or(Filter::eq("b", 2)).or(Filter::eq("c", 3))
        }),
        (r#"{"$nor": [{"a": 1}, {"b": 2}]}"#, Filter::eq("a", 1).or(Filter::eq("b", 2)).not()),
        (r#"{"$or": [{"a": 1, "b": 2}]}"#, Filter::eq("a", 1).and(Filter::eq("b", 2))),
        (r#"{"p": {"$geo": {"lat": 52.5, "lon": -13, "radius": 1e4}}}"#, {
            Filter::within_radius("p", 52.5, -13.0, 10_000.0)
        }),
        (r#"{"p": {"$geo": {"north": 2, "south": 1, "east": -170, "west": 170}}}"#, {
            Filter::within_box("p", 1.0, 170.0, 2.0, -170.0)
        }),
        (r#"{"__proto__": 1, "": {"$not": {"$not": {"$eq": ""}}}}"#, {
            Filter::eq("__proto__", 1).and(Filter::eq("", "").not().not())
        }),
    ];
    for (json, filter) in cases {
        assert_eq!(parsed(json), filter, "{json}");
    }
    assert_ne!(parsed(r#"{"a": 1}"#), Filter::eq("a", 1.5));
    assert_ne!(parsed(r#"{"$or": [{"a": 1}, {"b": 1}]}"#), Filter::eq("a", 1).and(Filter::eq("b", 1)));
}

#[test]
fn faults_have_their_path_and_what_to_write() {
    let cases = [
        ("null", "", "{} matches every row"),
        ("[]", "", "not an array"),
        ("{", "", "no JSON"),
        (r#"{"a": 1, "a": 2}"#, "", "\"a\" stands twice"),
        (r#"{"a": "\ud800"}"#, "", "no JSON"),
        (r#"{"a": NaN}"#, "", "no JSON"),
        (r#"{"$and": []}"#, "$and", "no filters"),
        (r#"{"$or": []}"#, "$or", "no filters"),
        (r#"{"$nor": {}}"#, "$nor", "an array of filters, not an object"),
        (r#"{"$and": [{"a": 1}, 5]}"#, "$and[1]", "a filter is an object"),
        (r#"{"$not": [{"a": 1}]}"#, "$not", "a filter is an object"),
        (r#"{"$AND": [{}]}"#, "$AND", "did you mean $and?"),
        (r#"{"$ro": [{}]}"#, "$ro", "did you mean $or?"),
        (r#"{"$gt": 5}"#, "$gt", "stands within a field"),
        (r#"{"$where": "1"}"#, "$where", "beside fields stand $and, $or, $nor, $not"),
        (r#"{"a": null}"#, "a", "\"$exists\": false"),
        (r#"{"a": {"$eq": null}}"#, "a.$eq", "\"$exists\": false"),
        (r#"{"a": {"$in": [1, null]}}"#, "a.$in[1]", "\"$exists\": false"),
        (r#"{"a": [1, 2]}"#, "a", "use $in"),
        (r#"{"a": {"$gte": [1]}}"#, "a.$gte", "use $in"),
        (r#"{"a": {}}"#, "a", "no operator"),
        (r#"{"a": {"$in": 5}}"#, "a.$in", "an array of values, not a number"),
        (r#"{"a": {"$all": []}}"#, "a.$all", "no values"),
        (r#"{"a": {"$exists": 1}}"#, "a.$exists", "true or false, not a number"),
        (r#"{"a": {"$not": 5}}"#, "a.$not", "write $ne"),
        (r#"{"a": {"$gt": true}}"#, "a.$gt", "no order"),
        (r#"{"a": {"$gt": 1, "$gte": 2}}"#, "a.$gte", "of $gt and $gte one is enough"),
        (r#"{"$and": [{"b": 1}, {"price": {"$gte": {}}}]}"#, "$and[1].price.$gte", "not an object"),
        (
            r#"{"$or": [{"x": 1}, {"$nor": [{"x": {"$not": {"$in": [[]]}}}]}]}"#,
            "$or[1].$nor[0].x.$not.$in[0]",
            "$in",
        ),
        (r#"{"price": {"$ge": 5}}"#, "price.$ge", "did you mean $gte?"),
        (r#"{"price": {"lt": 5}}"#, "price.lt", "did you mean $lt?"),
        (r#"{"price": {">=": 5}}"#, "price[\">=\"]", "did you mean $gte?"),
        (r#"{"price": {"$exist": true}}"#, "price.$exist", "did you mean $exists?"),
        (r#"{"price": {"$regex": "a"}}"#, "price.$regex", "within fields stand $eq, $ne, $in"),
        (r#"{"price": {"currency": "EUR"}}"#, "price.currency", "fields within fields are not indexed"),
        (r#"{"price": {"$or": [1]}}"#, "price.$or", "stands beside fields"),
        (r#"{"a b": {"$eq": null}}"#, "[\"a b\"].$eq", "\"$exists\": false"),
        (r#"{"a": 9007199254740992}"#, "a", "keep such numbers as text"),
        (r#"{"a": {"$in": [-9007199254740993]}}"#, "a.$in[0]", "keep such numbers as text"),
        (r#"{"p": {"lat": 1, "lon": 2}}"#, "p.lat", "\"$geo\": {\"lat\""),
        (r#"{"p": {"$geo": 5}}"#, "p.$geo", "metres}"),
        (r#"{"p": {"$geo": {"lat": 1, "lon": 2}}}"#, "p.$geo", "radius is missing"),
        (r#"{"p": {"$geo": {"lat": 1, "lng": 2, "radius": 3}}}"#, "p.$geo.lng", "did you mean lon?"),
        (
            r#"{"p": {"$geo": {"lat": "1", "lon": 2, "radius": 3}}}"#,
            "p.$geo.lat",
            "a number stands here, not a text",
        ),
        (r#"{"p": {"$geo": {"lat": 90.1, "lon": 2, "radius": 3}}}"#, "p.$geo", "between -90 and 90"),
        (r#"{"p": {"$geo": {"lat": 1, "lon": 2, "radius": -3}}}"#, "p.$geo", "not negative"),
        (
            r#"{"p": {"$geo": {"north": 1, "south": 2, "east": 0, "west": 0}}}"#,
            "p.$geo",
            "north is not below south",
        ),
        (
            r#"{"p": {"$geo": {"north": 1, "south": 0, "east": 0, "radius": 0}}}"#,
            "p.$geo.radius",
            "$geo takes",
        ),
    ];
    for (json, path, part) in cases {
        let (at, detail) = fault(Filter::parse(json));
        assert_eq!(at, path, "{json}: {detail}");
        assert!(detail.contains(part), "{json}: {detail:?} does not have {part:?}");
    }
}

#[test]
fn limits_are_kept_however_deep_the_json() {
    let nested = |levels: usize| format!("{}{{\"a\":1}}{}", "{\"$not\":".repeat(levels), "}".repeat(levels));
    assert_eq!(parsed(&nested(32)).nodes.len(), 33);
    let (path, detail) = fault(Filter::parse(&nested(33)));
    assert_eq!((path.matches("$not").count(), &detail[..17]), (33, "more than 32 leve"));
    for levels in [200, 10_000, 1_000_000] {
        assert!(fault(Filter::parse(&nested(levels))).1.contains("levels"), "{levels}");
        let arrays = format!("{{\"$and\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(fault(Filter::parse(&arrays)).1.contains("levels"), "{levels}");
    }
    let list = |count: usize| format!("{{\"id\": {{\"$in\": {:?}}}}}", (0..count).collect::<Vec<_>>());
    assert_eq!(parsed(&list(10_000)), Filter::is_in("id", 0..10_000));
    let (path, detail) = fault(Filter::parse(&list(10_001)));
    assert!(path == "id.$in" && detail.contains("more than 10000 values"), "{path}: {detail}");
    let any = |count: usize| format!("{{\"$or\": [{}]}}", vec!["{\"a\": 1}"; count].join(","));
    assert_eq!(parsed(&any(1023)).nodes.len(), 1024);
    for count in [1024, 1025, 100_000] {
        assert!(fault(Filter::parse(&any(count))).1.contains("more than 1024 conditions"), "{count}");
    }
}
