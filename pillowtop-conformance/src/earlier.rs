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

/// The strings of a field that a document has had.
#[derive(Debug, Default)]
pub(super) struct Strings {
    pub(super) strings: i64,
    pub(super) letters: i64,
}
