//! The sample documents of a workspace.

/// Sample documents for `quickstart`.
#[derive(Debug, Clone)]
pub struct Samples {
    /// Lines of `_changes?include_docs=true`.
    pub changes: fn() -> Vec<String>,
    /// Searches that find something: a pillow's name, a path of its index, and words.
    pub searches: &'static [(&'static str, &'static str, &'static str)],
}
