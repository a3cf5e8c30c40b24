//! One segment in a manifest.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Dead, Form, Parts, plain_name};
use crate::segment::{Info, Segment, content_id};

/// Characters of the name of a model.
pub(crate) const MAX_MODEL_NAME: usize = 200;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    /// The segment as one file. There is a file, or there are parts, or both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    pub(crate) length: u64,
    pub(crate) front: u64,
    pub(crate) content_id: String,
    pub(crate) file_id: String,
    pub(crate) count: u64,
    pub(crate) dim: u64,
    pub(crate) metric: String,
    /// The model that made the vectors, as the publisher named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
    /// Name, offset and length of each section. They must be those of the segment's own table.
    #[serde(default)]
    sections: Vec<(String, u64, u64)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parts: Option<Parts>,
    /// The rows whose ids later segments have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dead: Option<Dead>,
}

impl Entry {
    /// The entry of one finished segment file.
    pub(crate) fn of(segment: &Segment, file: &[u8], form: Form) -> Self {
        let info = segment.info();
        let content_id = content_id(file);
        let name = format!("seg-{}", &content_id[..32]);
        Entry {
            file: (form != Form::Parts).then(|| format!("{name}.bin")),
            parts: (form != Form::File).then(|| Parts::of(segment, name)),
            sections: sections(&info),
            length: file.len() as u64,
            front: info.memory_to_open,
            content_id,
            file_id: info.file_id,
            count: info.count as u64,
            dim: info.dim as u64,
            metric: info.metric.name().to_owned(),
            model: None,
            dead: None,
        }
    }

    /// The name of the segment's file, or of the folder of its parts if there is no file.
    pub(crate) fn name(&self) -> &str {
        let parts = self.parts.as_ref().map(|parts| &parts.folder);
        self.file.as_ref().or(parts).map_or("", String::as_str)
    }

    /// The path of that file or folder.
    pub(crate) fn place(&self, folder: &Path) -> PathBuf {
        folder.join(self.name())
    }

    /// Every file and folder that belongs to the segment.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let parts = self.parts.iter().map(|parts| &parts.folder);
        let names = self.file.iter().chain(parts).chain(self.dead.iter().map(|dead| &dead.file));
        names.map(String::as_str)
    }

    /// Checks the names and cuts, by which files are opened, and the dead rows. [`Entry::describes`] compares the rest
    /// with the segment.
    pub(super) fn check(&self) -> Result<(), String> {
        if let Some(name) = self.names().find(|name| !plain_name(name)) {
            return Err(format!("the name {name:?} is not a plain file name"));
        }
        match &self.parts {
            Some(parts) => parts.check(self.length)?,
            None if self.file.is_none() => return Err("it names neither a file nor parts".to_owned()),
            None => {}
        }
        if let Some(model) = self.model.as_deref().filter(|model| !is_model_name(model)) {
            return Err(format!("the model {model:?} is not 1 to {MAX_MODEL_NAME} characters of text"));
        }
        match &self.dead {
            Some(dead) if !(1..=self.count).contains(&dead.count) => {
                Err(format!("{}: {} of {} rows are dead", self.name(), dead.count, self.count))
            }
            _ => Ok(()),
        }
    }

    /// Whether the segment can be in one index with `first`. What the manifest does not say is checked where the
    /// segments are opened.
    pub(crate) fn is_like(&self, first: &Entry) -> Result<(), String> {
        let (name, other) = (self.name(), first.name());
        if self.dim != first.dim {
            return Err(format!("{name} has {} components a row, but {other} has {}", self.dim, first.dim));
        }
        if self.metric != first.metric {
            return Err(format!("{name} has the metric {}, but {other} has {}", self.metric, first.metric));
        }
        if let (Some(model), Some(named)) = (&self.model, &first.model)
            && model != named
        {
            return Err(format!("{name} has vectors of the model {model:?}, but {other} of {named:?}"));
        }
        Ok(())
    }

    /// Whether this entry describes the segment with these facts.
    pub(crate) fn describes(&self, info: &Info) -> bool {
        let same = self.file_id == info.file_id && self.length == info.file_length;
        let rows = self.count == info.count as u64 && self.dim == info.dim as u64;
        let named = self.metric == info.metric.name();
        same && rows && named && (self.sections.is_empty() || self.sections == sections(info))
    }
}

/// Whether it can stand in a manifest and in a line of text.
pub(crate) fn is_model_name(name: &str) -> bool {
    (1..=MAX_MODEL_NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control)
}

fn sections(info: &Info) -> Vec<(String, u64, u64)> {
    info.sections.iter().map(|s| (s.name.to_owned(), s.offset, s.length)).collect()
}
