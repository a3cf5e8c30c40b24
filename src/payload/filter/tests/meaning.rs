//! What conditions mean: the tables of docs/filters.md, and what belongs to the types of fields.

use super::super::Filter;
use super::matches;
use serde_json::{Value, json};

#[test]
fn conditions_mean_what_is_expected() {
    // A filter, rows that match, and rows that do not.
    let table = [
        (json!({}), vec![json!({}), json!({"pos": "n"})], vec![]),
        (
            json!({"pos": "n"}),
            vec![json!({"pos": "n"}), json!({"pos": ["v", "n"]}), json!({"pos": [null, "n"]})],
            vec![
                json!({}),
                json!({"pos": null}),
                json!({"pos": []}),
                json!({"pos": "v"}),
                json!({"pos": "N"}),
            ],
        ),
        (
            json!({"pos": {"$ne": "n"}}),
            vec![
                json!({}),
                json!({"pos": null}),
                json!({"pos": []}),
                json!({"pos": "v"}),
                json!({"pos": ["v", "a"]}),
            ],
            vec![json!({"pos": "n"}), json!({"pos": ["v", "n"]})],
        ),
        (
            json!({"pos": {"$in": ["n", "v"]}}),
            vec![json!({"pos": "n"}), json!({"pos": "v"}), json!({"pos": ["a", "v"]})],
            vec![json!({}), json!({"pos": null}), json!({"pos": []}), json!({"pos": "a"})],
        ),
        (json!({"pos": {"$in": []}}), vec![], vec![json!({}), json!({"pos": "n"}), json!({"pos": []})]),
        (
            json!({"pos": {"$nin": ["n", "v"]}}),
            vec![json!({}), json!({"pos": null}), json!({"pos": []}), json!({"pos": "a"})],
            vec![json!({"pos": "n"}), json!({"pos": ["a", "v"]})],
        ),
        (json!({"pos": {"$nin": []}}), vec![json!({}), json!({"pos": "n"}), json!({"pos": []})], vec![]),
        (
            json!({"pos": {"$all": ["n", "v"]}}),
            vec![json!({"pos": ["v", "n"]}), json!({"pos": ["v", "a", "n"]})],
            vec![json!({}), json!({"pos": "n"}), json!({"pos": ["n", "a"]})],
        ),
        (
            json!({"pos": {"$exists": true}}),
            vec![json!({"pos": "n"}), json!({"pos": ""}), json!({"pos": [null, "n"]})],
            vec![json!({}), json!({"pos": null}), json!({"pos": []}), json!({"pos": [null]})],
        ),
        (
            json!({"pos": {"$exists": false}}),
            vec![json!({}), json!({"pos": null}), json!({"pos": []}), json!({"pos": [null]})],
            vec![json!({"pos": "n"}), json!({"pos": ""})],
        ),
        (
            json!({"pos": ""}),
            vec![json!({"pos": ""})],
            vec![json!({}), json!({"pos": []}), json!({"pos": "n"})],
        ),
        (
            json!({"count": {"$gte": 3, "$lte": 5}}),
            vec![json!({"count": 3}), json!({"count": 5}), json!({"count": [1, 4, 9]})],
            vec![json!({}), json!({"count": []}), json!({"count": 2}), json!({"count": [1, 9]})],
        ),
        (
            json!({"$and": [{"count": {"$gte": 3}}, {"count": {"$lte": 5}}]}),
            vec![json!({"count": 4}), json!({"count": [1, 9]})],
            vec![json!({}), json!({"count": 2}), json!({"count": [6, 9]})],
        ),
        (
            json!({"count": {"$not": {"$gt": 3}}}),
            vec![json!({}), json!({"count": null}), json!({"count": []}), json!({"count": 3})],
            vec![json!({"count": 4}), json!({"count": [1, 4]})],
        ),
        (
            json!({"count": {"$gte": 5, "$lte": 3}}),
            vec![],
            vec![json!({}), json!({"count": 4}), json!({"count": [3, 5]})],
        ),
        (json!({"count": {"$lt": 2.5}}), vec![json!({"count": 2})], vec![json!({"count": 3}), json!({})]),
        (json!({"count": 2.0}), vec![json!({"count": 2})], vec![json!({"count": 3})]),
        (json!({"count": 2.5}), vec![], vec![json!({"count": 2}), json!({"count": 3})]),
        (
            json!({"price": {"$gt": 1}}),
            vec![json!({"price": 1.5}), json!({"price": 2})],
            vec![json!({"price": 1}), json!({"price": 1.0}), json!({})],
        ),
        (
            json!({"price": 0}),
            vec![json!({"price": -0.0}), json!({"price": 0.0})],
            vec![json!({"price": 5e-324})],
        ),
        (
            json!({"sold": true}),
            vec![json!({"sold": true}), json!({"sold": [false, true]})],
            vec![json!({"sold": false}), json!({})],
        ),
        (
            json!({"sold": {"$ne": true}}),
            vec![json!({"sold": false}), json!({})],
            vec![json!({"sold": true})],
        ),
        (
            json!({"at": {"$gte": "2026-01-01", "$lt": "2026-01-02"}}),
            vec![json!({"at": "2026-01-01T23:59:59.999Z"}), json!({"at": 1_767_225_600_000i64})],
            vec![json!({"at": "2026-01-02"}), json!({"at": "2026-01-01T00:30:00+01:00"}), json!({})],
        ),
        (json!({"at": 0}), vec![json!({"at": "1970-01-01T01:00:00+01:00"})], vec![json!({"at": 1})]),
        (
            json!({"place": {"$geo": {"lat": 0, "lon": 179.9, "radius": 30_000}}}),
            vec![
                json!({"place": {"lat": 0, "lon": -179.9}}),
                json!({"place": [{"lat": 9, "lon": 9}, {"lat": 0, "lon": 180}]}),
            ],
            vec![json!({"place": {"lat": 0, "lon": 179}}), json!({}), json!({"place": []})],
        ),
        (
            json!({"place": {"$geo": {"south": -1, "west": 179, "north": 1, "east": -179}}}),
            vec![json!({"place": {"lat": 1, "lon": 180}})],
            vec![json!({"place": {"lat": 0, "lon": 0}}), json!({})],
        ),
        (json!({"__proto__": 1}), vec![json!({"__proto__": 1})], vec![json!({}), json!({"__proto__": 2})]),
        (
            json!({"pos": "n", "count": {"$ne": 1}}),
            vec![json!({"pos": "n"}), json!({"pos": "n", "count": 2})],
            vec![json!({"count": 2}), json!({"pos": "n", "count": 1})],
        ),
        (
            json!({"$nor": [{"pos": "n"}, {"count": 1}]}),
            vec![json!({}), json!({"pos": "v", "count": 2})],
            vec![json!({"pos": "n"}), json!({"count": 1}), json!({"pos": "n", "count": 1})],
        ),
    ];
    for (filter, those, others) in table {
        let check = |filter: &Value, rows: &[Value], expected: bool| {
            let parsed = Filter::parse(&filter.to_string()).expect("a filter");
            for row in rows {
                assert_eq!(matches(&parsed, row), expected, "{filter} of {row}");
            }
        };
        check(&filter, &those, true);
        check(&filter, &others, false);
        let negated = json!({"$not": filter});
        check(&negated, &those, false);
        check(&negated, &others, true);
    }
}

/// Tables whose first heading is "filter": their other headings are rows, their cells whether these match.
#[test]
fn the_tables_of_the_document_are_true() {
    let mut rows: Option<Vec<Vec<Value>>> = None;
    let (mut filters, mut count) = (0, [0; 2]);
    for line in include_str!("../../../../docs/filters.md").lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        match (line.starts_with('|'), &rows) {
            (false, _) => rows = None,
            (true, None) if cells[0] == "filter" => {
                rows = Some(cells[1..].iter().map(|cell| code(cell)).collect())
            }
            (true, Some(rows)) if !cells[0].starts_with("---") => {
                let filter = Filter::parse(&code(cells[0])[0].to_string()).expect("a filter");
                assert_eq!(cells.len(), rows.len() + 1, "{line}");
                for (cell, row) in
                    cells[1..].iter().zip(rows).flat_map(|(cell, of)| of.iter().map(move |row| (cell, row)))
                {
                    let expected = ["no", "yes"].iter().position(|word| word == cell).expect("yes or no");
                    assert_eq!(matches(&filter, row), expected == 1, "{line}: {row}");
                    count[expected] += 1;
                }
                filters += 1;
            }
            _ => {}
        }
    }
    assert!(filters > 15 && count.iter().all(|&count| count > 50), "{filters} filters, {count:?}");
}

/// What stands in a cell as code.
fn code(cell: &str) -> Vec<Value> {
    cell.split('`').skip(1).step_by(2).map(|text| serde_json::from_str(text).expect(text)).collect()
}
