//! What the targets in directories of this machine share: the directory with its lock and uuid, the
//! lease, and taking the claim.
//!
//! ```text
//! <directory>/<target>/lock           held while the target is open
//! <directory>/<target>/uuid           which target it is (in a directory of its contents, where it has one)
//! <directory>/<target>/claims/        who writes, and how far it is
//! <directory>/<target>/dead-letters/  one JSON file for each document that could not be written
//! ```
//!
//! A target implements [`LocalKind`], and its destination [`DirectoryDestination`], which makes it
//! a [`Destination`](crate::target::Destination).

mod error;

mod directory;

mod claims;

mod destination;

pub use claims::LocalOptions;
pub use destination::{DirectoryDestination, LocalDestination, LocalKind};
pub use directory::{DirectoryLock, LocalDirectory};
pub use error::LocalError;
