//! Tests of the pipeline.

pub(in crate::pipeline) mod fake;
mod lanes;
mod sessions;
