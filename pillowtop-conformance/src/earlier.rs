//! What a document has had earlier, on which later values depend.

/// How a number with a fraction was read first: what reads it next gets that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum FirstRead {
    #[default]
    None,
    /// As a number of 32 bits, of which the server's JSON parser makes no whole number.
    Single,
    /// In a way from which every number can be made.
    Double,
}

/// What a document has had of a field.
#[derive(Debug, Default)]
pub(super) struct Before {
    pub(super) values: i64,
    pub(super) letters: i64,
}
