//! Every figure of a document is held by something: the code, a date and a machine, or the form of what it is part of.
//!
//! | file | duty |
//! |---|---|
//! | `text.rs` | finds figures; says which need nothing to hold them |
//! | `values.rs` | finds constants by their names in the sources |
//! | `expression.rs` | computes what annotations and formulas say |

pub(crate) mod expression;
pub(crate) mod text;
pub(crate) mod values;

use expression::{evaluate, number};
use std::rc::Rc;
use text::{Document, Figure, Note, is_date, scan};
use values::Values;

/// What documents may name.
pub(crate) struct Known {
    pub(crate) values: Values,
    /// Machines that figures were measured on, by the names that benchmarks.md gives them.
    pub(crate) machines: Vec<String>,
    /// Texts of the files that `<!-- figures of FILE -->` may name.
    pub(crate) readers: Vec<(String, String)>,
}

/// What was looked at, so that a check that finds nothing is noticed.
#[derive(Default, Debug, PartialEq)]
pub(crate) struct Count {
    pub(crate) derived: usize,
    pub(crate) dated: usize,
    pub(crate) read: usize,
}

const UNHELD: &str = "neither the code nor a date holds it: write <!-- = CONSTANT --> after it, or move it to a \
                      section that says \"Measured on DATE, `machine`\"";

/// What is wrong with the figures of a document.
pub(crate) fn check(name: &str, text: &str, known: &Known, count: &mut Count) -> Vec<String> {
    let document = Document::new(text);
    let (sections, mut complaints) = sections(name, &document, known);
    let (mut variables, mut fields) = (None, false);
    for (at, line) in document.lines.iter().enumerate() {
        if document.code[at] {
            continue;
        }
        variables = evaluated(line).or_else(|| variables.filter(|_| line.starts_with('|')));
        fields = line.starts_with("| offset |") || fields && line.starts_with('|');
        let (mut figures, notes) = scan(line);
        if fields {
            // Where fields begin: `fields_follow_one_another` adds them up.
            figures.retain(|figure| line.chars().take(figure.at).filter(|&c| c == '|').count() > 1);
        }
        let (held, mut wrong) = derived(&figures, &notes, known);
        let mut held = held;
        if let Some(variables) = variables.as_deref() {
            wrong.extend(computed(line, &figures, variables, &mut held));
        }
        count.derived += held.iter().filter(|&&held| held).count();
        for (figure, _) in figures.iter().zip(&held).filter(|(figure, held)| !**held && !figure.small) {
            match &sections[at] {
                Holder::Date => count.dated += 1,
                Holder::Test => count.read += 1,
                Holder::Numbers(numbers) if numbers.contains(&figure.value) => count.read += 1,
                Holder::Numbers(_) => {
                    wrong.push(format!("{} is no number of the files that this section names", figure.text));
                }
                Holder::Nothing => wrong.push(format!("{}: {UNHELD}", figure.text)),
            }
        }
        complaints.extend(wrong.into_iter().map(|wrong| format!("line {}: {wrong}", at + 1)));
    }
    complaints.into_iter().map(|complaint| format!("{name}, {complaint}")).collect()
}

/// Which figures the notes of their line derive from the code, and what of that is wrong.
fn derived(figures: &[Figure], notes: &[Note], known: &Known) -> (Vec<bool>, Vec<String>) {
    let mut held = vec![false; figures.len()];
    let mut wrong = Vec::new();
    for note in notes {
        let expressions = split(&note.text);
        let before = figures.iter().filter(|figure| figure.at < note.at).count();
        let Some(first) = before.checked_sub(expressions.len()) else {
            wrong.push(format!("`{}` says more than there are figures before it", note.text));
            continue;
        };
        for (i, expression) in expressions.iter().enumerate() {
            held[first + i] = true;
            let figure = &figures[first + i];
            if !expression.contains(char::is_alphabetic) {
                wrong.push(format!("{expression} names no constant"));
            }
            match evaluate(expression, &|name| known.values.get(name)).as_deref() {
                Ok(&[value]) if same(value, figure.value) => {}
                Ok(value) => wrong.push(format!("{} is {value:?} in the code ({expression})", figure.text)),
                Err(why) => wrong.push(format!("{}: {expression}: {why}", figure.text)),
            }
        }
    }
    (held, wrong)
}

/// At the commas that stand in no brackets.
fn split(text: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for c in text.chars() {
        depth += i32::from("([".contains(c)) - i32::from(")]".contains(c));
        if c == ',' && depth == 0 {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts
}

fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

/// The variables of `<!-- evaluated with d = 384, M = 16 -->`, which the formulas of the table below it have.
fn evaluated(line: &str) -> Option<Vec<(String, f64)>> {
    let list = line.strip_prefix("<!-- evaluated with ")?.strip_suffix(" -->")?;
    let pair = |part: &str| {
        part.split_once(" = ").and_then(|(name, value)| Some((name.trim().to_owned(), number(value)?)))
    };
    list.split(',').map(pair).collect()
}

/// The last figure of a row is what the formula in its second cell gives.
fn computed(
    line: &str,
    figures: &[Figure],
    variables: &[(String, f64)],
    held: &mut [bool],
) -> Option<String> {
    let Some(formula) = formula(line) else {
        let told = |figure: &Figure| variables.iter().any(|(_, value)| same(*value, figure.value));
        held.iter_mut().zip(figures).for_each(|(held, figure)| *held |= told(figure));
        return None;
    };
    let figure = figures.last()?;
    *held.last_mut()? = true;
    match value(&formula, variables) {
        Ok(value) if same(value, figure.value) => {
            let equal = figures.iter().map(|figure| same(figure.value, value));
            held.iter_mut().zip(equal).for_each(|(held, equal)| *held |= equal);
            None
        }
        Ok(value) => Some(format!("{formula} is {value}, not {}", figure.text)),
        Err(why) => Some(format!("{formula}: {why}")),
    }
}

/// The code in the second cell of a row.
pub(crate) fn formula(line: &str) -> Option<String> {
    Some(line.split('|').nth(2)?.trim().strip_prefix('`')?.split('`').next()?.to_owned())
}

/// A formula of a document for values of its variables.
pub(crate) fn value(formula: &str, variables: &[(String, f64)]) -> Result<f64, String> {
    let find = |name: &str| {
        let found = variables.iter().find(|(variable, _)| variable == name);
        found.map(|(_, value)| vec![*value]).ok_or_else(|| format!("{name} is not told"))
    };
    evaluate(formula, &find).map(|value| value[0])
}

/// What holds the figures of a section.
#[derive(Clone)]
enum Holder {
    Nothing,
    /// They were measured, or read elsewhere, on a date.
    Date,
    /// Numbers of second readings that the section names.
    Numbers(Rc<Vec<f64>>),
    /// A test compares the section with what it describes.
    Test,
}

/// For each line what its section says of its figures; a subsection may say otherwise.
fn sections(name: &str, document: &Document, known: &Known) -> (Vec<Holder>, Vec<String>) {
    let mut held = vec![Holder::Nothing; document.lines.len()];
    let mut complaints = Vec::new();
    for (at, line) in document.lines.iter().enumerate().filter(|(at, _)| !document.code[*at]) {
        let section = document.section(at);
        let heading = document.lines[section.start];
        match said(line, name, heading, known) {
            Ok(Some(said)) => {
                let rows = line.contains("the date of its row");
                let dated = |row: &str| row.split('|').any(|cell| is_date(cell.trim()));
                section
                    .filter(|&at| !rows || dated(document.lines[at]))
                    .for_each(|at| held[at] = said.clone());
            }
            Ok(None) => {}
            Err(why) => complaints.push(format!("line {}: {why}", at + 1)),
        }
    }
    (held, complaints)
}

/// What a line says of the section that it stands in, below `heading`.
fn said(line: &str, name: &str, heading: &str, known: &Known) -> Result<Option<Holder>, String> {
    let note = |start: &str| line.strip_prefix(start).and_then(|rest| rest.strip_suffix(" -->"));
    let reader = |file: &str| {
        let found = known.readers.iter().find(|(name, _)| name == file);
        found.map(|(_, text)| text).ok_or_else(|| format!("there is no {file}"))
    };
    if let Some(rest) = line.strip_prefix("Measured on ") {
        return measured(rest, known).map(|()| Some(Holder::Date));
    }
    if let Some(rest) = line.strip_prefix("Read on ") {
        let date = rest.get(..10).unwrap_or_default();
        return if is_date(date) { Ok(Some(Holder::Date)) } else { Err(no_date(date)) };
    }
    if let Some(files) = note("<!-- figures of ") {
        let texts = files.split(", ").map(reader).collect::<Result<Vec<_>, _>>()?;
        let all = texts.iter().flat_map(|text| numbers(text)).collect();
        return Ok(Some(Holder::Numbers(Rc::new(all))));
    }
    if let Some(file) = note("<!-- compared by ") {
        let text = reader(file)?;
        return match text.contains(name) && text.contains(heading) {
            true => Ok(Some(Holder::Test)),
            false => Err(format!("{file} does not look for {heading:?} in {name}")),
        };
    }
    Ok(None)
}

/// Whether "DATE, `machine`" has a date, or means that of each row, and a machine that is known.
fn measured(said: &str, known: &Known) -> Result<(), String> {
    let (date, rest) = said.split_once(", ").ok_or("a machine is missing after the date")?;
    let machine = rest.strip_prefix('`').and_then(|rest| rest.split('`').next()).unwrap_or_default();
    if !known.machines.iter().any(|known| known == machine) {
        return Err(format!("benchmarks.md names no machine `{machine}`"));
    }
    if date == "the date of its row" || is_date(date) { Ok(()) } else { Err(no_date(date)) }
}

fn no_date(text: &str) -> String {
    format!("{text} is not a date like 2026-11-21")
}

/// The numbers that stand in a source.
fn numbers(source: &str) -> Vec<f64> {
    let words = source.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'));
    let first = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    words.filter(first).filter_map(|word| number(word.split("..").next()?.trim_end_matches('.'))).collect()
}
