//! What the targets in directories of this machine share: the directory with its lock and uuid, the lease, and taking the claim.
//!
//! ```text
//! <directory>/<target>/lock           held while the target is open
//! <directory>/<target>/uuid           which target it is (in a directory of its contents, where it has one)
//! <directory>/<target>/claims/        who writes, and how far it is
//! <directory>/<target>/dead-letters/  one JSON file for each document that could not be written
//! ```

mod error;

mod directory;

mod claims;

mod destination;

pub use claims::LocalOptions;
pub(crate) use destination::{LocalDestination, LocalKind};
pub(crate) use directory::{DirectoryLock, LocalDirectory};
pub use error::LocalError;
