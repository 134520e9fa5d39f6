//! Who may write to a target, and how far it is.
//!
//! A [`Claim`] is the right to write to a target, or to a [`Slice`] of it, and the memory of how
//! far it is: phase, position, identities, and the ceiling below which every version lies that was
//! ever sent. It is one document in a [`ClaimStore`], changed only by compare-and-set, so a
//! successful save proves that the claim is still held.
//!
//! A [`Lease`] is a process's sign of life: one document per process and store, renewed at a third
//! of its length, whatever the number of claims. A claim whose owner's lease stays unchanged for
//! its whole length may be taken over.
//!
//! What keeps two writers apart, each enough by itself while nothing is lost:
//!
//! | what | against |
//! |---|---|
//! | the claim is changed by compare-and-set | two owners that both store positions |
//! | nothing is sent while the lease has run out, by a clock that runs during suspension | a process that slept |
//! | the [`Fence`] of the target lets one epoch write | a process that was stopped between looking at the clock and sending |
//! | versions above the ceiling of every earlier owner | a request that was on its way all the time |

mod process;
mod state;

mod store;

mod fence;
mod file_store;
mod lease;
mod past;

mod follow;
mod verified;

mod held;

mod acquire;
mod build_lock;

#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod store_contract;

pub(crate) use build_lock::BUILDS;
pub(crate) use store::LEASES;
pub(crate) use verified::VERIFIED;

pub use acquire::{AcquireError, AcquireOptions, Notify, WhenHeld};
pub use build_lock::{Build, BuildLock};
pub use fence::{Fence, FenceError, NoFence};
pub use file_store::FileClaimStore;
pub use follow::{FollowReport, Leases, is_alive};
pub use held::{Claim, ClaimError, amend, read, set_position};
pub use lease::{Lease, LeaseError};
pub use past::{PastCheckpoint, PastCheckpoints};
pub use process::ProcessIdentity;
pub use state::{ClaimState, DatabaseIdentity, LoadForm, LoadState, Phase};
pub use store::{ClaimDocument, ClaimKey, ClaimStore, Owner, Slice, StoreError, Stored, Token, overwrite};
pub use verified::{Verified, last_verified};
