//! The table against itself.
