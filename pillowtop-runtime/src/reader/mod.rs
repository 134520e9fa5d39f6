//! Reading the changes of one database once for all members that stand at the same position.
//!
//! ```text
//! source ─ feed ─▶ reader ─ Arc<Batch> ─┬▶ queue ─▶ member
//!                                       └▶ queue ─▶ member
//! ```
//!
//! A reader has one position and one stream, and never decides anything. A member whose queue stays
//! full is **detached**: it drains what it has and subscribes again, at its own position, while the
//! others continue. Two readers are **joined** where that is provably safe, since sequences cannot
//! be compared:
//!
//! | the database | how |
//! |---|---|
//! | positions are equal byte by byte | the second member subscribes to the first one's reader |
//! | keeps one copy of each shard | the laggard reads to the end, then the leader reads to the end once more, then both continue from the laggard's end |
//! | keeps several copies | both continue from a position that the leader itself had reached `copy_lag_bound` before the laggard's last complete reading began |

mod budget;

mod batch;

mod hub;
mod task;

pub use batch::{Batch, Delivery, ReadMode, Subscription};
pub use budget::{Budget, Share};
pub use hub::{Hub, ReaderOptions};
