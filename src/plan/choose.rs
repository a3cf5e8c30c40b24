//! Which codes and which index fit the budget, and why.

use super::Plan;
use super::expected;
use super::options::PlanOptions;
use super::payload;
use super::print::size;
use super::profile::{Profile, Quantization, float_bytes, suggest_quantization};
use super::resident::{Held, Resident, hold};
use super::shape::{Choice, planned};
use crate::error::Error;
use crate::quant::CodecKind;
use crate::search::plan::Route;
use crate::segment::PlannedFields;

/// Codes that a graph is walked on must find so much; else lists of the clusters are scanned, which find as much whatever the codes.
const GOOD: f64 = 0.95;

/// A choice, and how it is held under the budget.
struct Tried {
    choice: Choice,
    held: Held,
}

impl Tried {
    fn is_whole(&self) -> bool {
        self.held.route != Route::Clusters
    }
}

/// # Errors
/// See [`super::plan`].
pub(super) fn choose(o: &PlanOptions) -> Result<Plan, Error> {
    o.check()?;
    let fields = payload::of(&o.payload, o.rows)?;
    let suggested = suggest_quantization(o.rows, o.dim, o.budget);
    let mut why = vec![why_suggested(o, suggested)];
    let mut missed = Vec::new();
    let mut found = None;
    for (codec, refine) in codecs(o, suggested) {
        let choice = Choice { codec, refine, graph: true };
        let Some(tried) = tried(o, choice, fields.as_ref())? else { continue };
        let good = o.codec.is_some() || expected(o, &tried).is_none_or(|e| e.recall >= GOOD);
        if tried.is_whole() && good {
            found = Some(tried);
            break;
        }
        missed.push((tried, good));
    }
    let wanted = missed.first().map(|(tried, _)| (tried.choice, tried.held.whole));
    for (tried, _) in missed.iter().filter(|(_, good)| *good) {
        why.push(format!(
            "{} codes and their graph need {} in all: {} more than there are.",
            tried.choice.codec,
            size(tried.held.whole),
            size(tried.held.whole.saturating_sub(o.budget)),
        ));
    }
    let tried = match found {
        Some(tried) => tried,
        None => by_clusters(o, fields.as_ref())?,
    };
    let missed = wanted.filter(|_| !tried.is_whole()).map(|(choice, needed)| Missed {
        codec: choice.codec,
        needed,
        missing: needed.saturating_sub(o.budget),
    });
    why.extend(why_chosen(o, &tried));
    let expected = expected(o, &tried);
    if let Some(expected) = &expected {
        why.push(format!(
            "Recall and distances are those of {} ({} components, measured on {}): rows of another kind may differ (a build warns where its codes lose rows), so measure yours with `pagevec eval`.",
            expected.set.name, expected.set.dim, expected.set.date,
        ));
    }
    let Tried { choice, held } = tried;
    Ok(Plan {
        suggested,
        codec: choice.codec,
        refine: choice.refine.or_else(|| o.build(choice.codec, None).stages().get(1).copied()),
        graph: choice.graph,
        clusters: true,
        index: held.route.name(),
        residency: if held.route == Route::Clusters { Residency::Pages } else { Residency::Memory },
        memory_budget: held.memory_budget,
        resident: held.resident,
        file: held.file,
        sections: held.sections,
        profile: Profile::of(o.rows),
        missed,
        expected,
        why,
    })
}

/// Where codes and graph are not held: what that would take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Missed {
    /// The codec that was wanted.
    pub codec: CodecKind,
    /// The budget that holds its codes and their graph, in bytes.
    pub needed: u64,
    /// How much more that is than there is.
    pub missing: u64,
}

/// What is held of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Residency {
    /// The codes, and the graph if there is one: searches read refine rows at most.
    Memory,
    /// Lists and rows of the clusters, as far as there is room: searches read the others from the file.
    Pages,
}

impl Residency {
    /// A stable short name.
    pub fn name(self) -> &'static str {
        match self {
            Residency::Memory => "memory",
            Residency::Pages => "pages",
        }
    }
}

/// Codecs with their refine rows, the best first.
fn codecs(o: &PlanOptions, suggested: Quantization) -> Vec<(CodecKind, Option<CodecKind>)> {
    if let Some(codec) = o.codec {
        return vec![(codec, o.refine)];
    }
    let parts = if o.dim >= 64 { 64 } else { o.dim as u16 };
    let mut codecs = vec![CodecKind::Sq8, CodecKind::Sq4, CodecKind::Pq(parts), CodecKind::Binary];
    let mut all = Vec::new();
    if suggested == Quantization::None && o.refine.is_none() {
        all.push((CodecKind::Sq8, Some(CodecKind::F16)));
    }
    // Fewer bytes are of use only.
    codecs.sort_by_key(|codec| std::cmp::Reverse(codec.stride(o.dim as usize, o.metric)));
    all.extend(codecs.into_iter().map(|codec| (codec, o.refine_of(codec))));
    all
}

/// `None` if not even one search fits.
fn tried(o: &PlanOptions, choice: Choice, fields: Option<&PlannedFields>) -> Result<Option<Tried>, Error> {
    match hold(&planned(o, choice, fields.cloned())?, o.budget) {
        Ok(held) => Ok(Some(Tried { choice, held })),
        Err(Error::Budget { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Searches by clusters alone, which work in the least memory.
fn by_clusters(o: &PlanOptions, fields: Option<&PlannedFields>) -> Result<Tried, Error> {
    let codec = o.codec.unwrap_or(CodecKind::Sq8);
    let choice = Choice { codec, refine: o.refine_of(codec), graph: false };
    let held = hold(&planned(o, choice, fields.cloned())?, o.budget)?;
    Ok(Tried { choice, held })
}

fn expected(o: &PlanOptions, tried: &Tried) -> Option<expected::Expected> {
    let stages = o.build(tried.choice.codec, tried.choice.refine).stages();
    expected::of(&stages, tried.held.route, o.rows, o.dim)
}

fn why_suggested(o: &PlanOptions, suggested: Quantization) -> String {
    let floats = float_bytes(o.rows, o.dim);
    let because = match suggested {
        Quantization::None => "at least twice that",
        Quantization::Scalar => "more than half of that",
        Quantization::Product => "more than a tenth of that",
        Quantization::Binary => "at most a tenth of that",
    };
    format!(
        "The vectors take {} as floats. {} are {because}, so the rule of thumb is quantization {}.",
        size(floats),
        size(o.budget),
        suggested.name(),
    )
}

fn why_chosen(o: &PlanOptions, tried: &Tried) -> Vec<String> {
    let Tried { choice, held } = tried;
    let mut why = Vec::new();
    let Resident { codes, graph, .. } = held.resident;
    match held.route {
        Route::Clusters => {
            let [room, all] = held.lists;
            why.push(format!(
                "Searches go by clusters: they read lists and rows from the file, and {} of {all} lists have room in memory, so later searches read less.",
                room.min(all),
            ));
            why.push("The graph is left out, as none would walk it.".to_owned());
        }
        Route::Flat => why.push(format!("{} rows are scanned as fast as a graph is walked.", o.rows)),
        _ => why.push(format!(
            "{} codes ({}) and the graph ({}) are held: searches walk the graph in memory. The clusters answer until both are loaded.",
            choice.codec, size(codes), size(graph),
        )),
    }
    if choice.codec.is_coarse() || choice.refine.is_some() {
        why.push(format!("{} codes find candidates, and finer rows rank them: those are read from the file, {} of them have room.", choice.codec, size(held.resident.rows)));
    }
    why
}
