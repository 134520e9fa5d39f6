//! Expansions as they are written, and their size.
