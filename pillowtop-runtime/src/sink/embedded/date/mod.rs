//! Dates by the formats of a mapping: Elasticsearch's names, Java patterns, and several of them joined by `||`.

mod fields;
mod format;
mod pattern;

pub(crate) use fields::Moment;
pub(crate) use format::{DEFAULT_DATE_FORMAT, DateFormats, DateProblem};
