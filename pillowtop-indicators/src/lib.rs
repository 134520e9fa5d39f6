//! Versioned values that are computed into documents of `CouchDB`, as a target of pillowtop.
//!
//! A type with [`Indicators`] says which documents have indicators, and which functions compute
//! them. They are written into the document itself or into a copy of it in another database, as
//! `computed_[namespace][slug]`. See `docs/indicators.md`.

mod indicator;

mod computed;

mod documents;
mod fan_out;

mod pillow;

mod defined;

mod claims;
mod dead_letters;

mod target;

mod destination;

mod follow_defined;

pub use claims::CouchClaimStore;
pub use dead_letters::CouchDeadLetters;
pub use destination::{IndicatorDestination, IndicatorOptions, Mode, follow};
pub use documents::Documents;
pub use fan_out::FanOut;
pub use follow_defined::DefinedIndicators;
pub use indicator::{Indicator, Indicators, NoRelated, indicator, question, related};
pub use pillow::pillow;
