//! What a name in an annotation stands for: a constant, looked for by its name in all of the sources, so that a
//! document names no path and a move of files breaks nothing.

use super::expression::evaluate;
use std::fs;
use std::path::Path;

pub(crate) struct Values {
    /// Path and text of each source.
    files: Vec<(String, String)>,
    /// `Type` and what `Debug` prints of its default.
    defaults: Vec<(&'static str, String)>,
}

impl Values {
    /// The constants of `folders` (Rust and JS, tests excepted) and the fields of `defaults`.
    pub(crate) fn read(folders: &[&Path], defaults: Vec<(&'static str, String)>) -> Self {
        let mut files = Vec::new();
        for folder in folders {
            sources(folder, folder, &mut files);
        }
        Values { files, defaults }
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect();
        Values {
            files,
            defaults: vec![("Options", "Options { k: 10, ef: None, limit: Some(7) }".to_owned())],
        }
    }

    /// `NAME`; `NAME.field` of a JS object or of a type's defaults; `file:NAME` or `folder:NAME` where a name is used more
    /// than once.
    pub(crate) fn get(&self, name: &str) -> Result<Vec<f64>, String> {
        let (file, path) = name.split_once(':').map_or((None, name), |(file, path)| (Some(file), path));
        let mut parts = path.split('.');
        let first = parts.next().unwrap_or_default();
        let fields: Vec<&str> = parts.collect();
        if let (Some((_, text)), [field]) =
            (self.defaults.iter().find(|(kind, _)| *kind == first), &fields[..])
        {
            return self.field(text, field).ok_or_else(|| format!("{first} has no number {field}"));
        }
        let mut found: Vec<Vec<f64>> = Vec::new();
        for (of, text) in self.files.iter().filter(|(of, _)| file.is_none_or(|file| belongs(of, file))) {
            for value in assigned(text, first) {
                let value = fields.iter().try_fold(value, |value, field| member(value, field));
                let Some(Ok(value)) = value.map(|text| evaluate(text, &|name| self.near(of, name))) else {
                    continue;
                };
                if !found.contains(&value) {
                    found.push(value);
                }
            }
        }
        match found.len() {
            1 => Ok(found.remove(0)),
            0 => Err(format!("no constant {name} in the sources")),
            n => Err(format!(
                "{n} constants {name} differ: write a file or folder before it, as in plan:{path}"
            )),
        }
    }

    /// A name within the constant of a file: of that file first.
    fn near(&self, file: &str, name: &str) -> Result<Vec<f64>, String> {
        self.get(&format!("{file}:{name}")).or_else(|_| self.get(name))
    }

    fn field(&self, text: &str, field: &str) -> Option<Vec<f64>> {
        let value = member(text, field)?;
        let value = value.strip_prefix("Some(").map_or(value, |inner| inner.trim_end_matches(')'));
        evaluate(value, &|name| Err(name.to_owned())).ok()
    }
}

/// Whether `path` is a file of this name, with or without its extension, or in a folder of it.
fn belongs(path: &str, name: &str) -> bool {
    path == name || path.split('/').any(|part| part == name || part.split('.').next() == Some(name))
}

/// The expressions that `text` gives the constant `name`, or, where it is no constant, the variable with this default.
fn assigned<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let constants: Vec<&str> = text
        .match_indices("const ")
        .filter_map(|(at, word)| declared(&text[at + word.len()..], name))
        .collect();
    if !constants.is_empty() {
        return constants;
    }
    let variables = text.match_indices(name).filter(|&(at, _)| {
        let before = text[..at].chars().next_back();
        matches!(before, Some(' ' | ',' | '{' | '('))
    });
    variables.filter_map(|(at, _)| declared(&text[at..], name)).collect()
}

/// The expression in `name = expression;`, with or without a type.
fn declared<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let rest = text.strip_prefix(name)?;
    let equals = rest.find('=')?;
    let between = rest[..equals].trim();
    if !(between.is_empty() || between.starts_with(':') && !between.contains(['\n', '{'])) {
        return None;
    }
    let value = rest[equals + 1..].trim_start();
    (!value.starts_with(['=', '>'])).then(|| value[..end(value)].trim())
}

/// Where an expression ends: at a comma, semicolon or closing bracket of the level that it stands on.
fn end(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => return at,
            ')' | ']' | '}' => depth -= 1,
            ',' | ';' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// The value of `field` in the text of an object.
fn member<'a>(object: &'a str, field: &str) -> Option<&'a str> {
    let mut rest = &object[object.find('{')? + 1..];
    loop {
        let colon = rest.find(':')?;
        let key = rest[..colon].rsplit(['\n', ',', ' ']).next()?.trim();
        let value = &rest[colon + 1..];
        let length = end(value);
        if key == field {
            return Some(value[..length].trim());
        }
        rest = value.get(length + 1..)?;
    }
}

fn sources(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            sources(root, &path, files);
        } else if (name.ends_with(".rs") || name.ends_with(".js")) && name != "tests.rs" {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            let path = path.strip_prefix(root).unwrap();
            files.push((path.to_string_lossy().replace('\\', "/"), without_comments(text)));
        }
    }
}

/// The text without comments: an object's keys may have some between them.
fn without_comments(text: &str) -> String {
    let lines = text.lines().map(|line| match line.find("//") {
        Some(at) if !line[..at].contains('"') => &line[..at],
        _ => line,
    });
    lines.filter(|line| !line.trim_start().starts_with(['*', '/'])).collect::<Vec<_>>().join("\n")
}
