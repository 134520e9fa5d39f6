//! The conventions of a crate, which the core of each derive is given beside the struct.

/// What a crate says once for all its structs. Empty: there is no convention yet that a crate could state. The derives take it
/// from the first day because rules reach them as tokens, from a macro that hands rules and struct on together.
#[derive(Default)]
pub(crate) struct Rules {}
