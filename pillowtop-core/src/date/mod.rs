//! Dates by the formats of a mapping: Elasticsearch's names, Java patterns, and several of them
//! joined by `||`.

mod fields;

mod pattern;

mod format;

mod syntax;

#[cfg(test)]
mod tests;

pub use fields::{Moment, Names};
pub use format::{DEFAULT_DATE_FORMAT, DEFAULT_NANOS_FORMAT, DateFormats, DateProblem, Reading};
pub use syntax::{FormatProblem, format_problem, mistaken_week_year};
