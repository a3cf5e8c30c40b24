//! Spans for whoever follows a program by `tracing`: with the cargo feature of this name. Without it each of these is nothing.

/// A part of the work, which ends when this is dropped.
#[cfg(feature = "tracing")]
pub(crate) struct Span {
    _entered: tracing::span::EnteredSpan,
}

/// A part of the work, which ends when this is dropped.
#[cfg(not(feature = "tracing"))]
pub(crate) struct Span;

#[cfg(feature = "tracing")]
macro_rules! spans {
    ($($(#[$doc:meta])* $call:ident($field:ident) = $name:literal;)+) => {
        $(
            $(#[$doc])*
            pub(crate) fn $call($field: usize) -> Span {
                Span { _entered: tracing::debug_span!($name, $field).entered() }
            }
        )+
    };
}

#[cfg(not(feature = "tracing"))]
macro_rules! spans {
    ($($(#[$doc:meta])* $call:ident($field:ident) = $name:literal;)+) => {
        $(
            $(#[$doc])*
            pub(crate) fn $call(_: usize) -> Span {
                Span
            }
        )+
    };
}

spans! {
    /// A search of so many queries.
    search(queries) = "pagevec.search";
    /// A flush of so many rows.
    flush(rows) = "pagevec.flush";
    /// A merge of so many segments.
    merge(segments) = "pagevec.merge";
    /// An index or a collection of so many segments is opened.
    open(segments) = "pagevec.open";
}
