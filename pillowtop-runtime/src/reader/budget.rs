//! One bound for what all readers and members of a process hold in memory.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of one permit.
const UNIT: usize = 1024;

/// A number of bytes, shared by all readers of a process. Clones share it.
#[derive(Debug, Clone)]
pub struct Budget {
    permits: Arc<Semaphore>,
    units: u32,
}

/// A part of a budget, free again when it is dropped.
#[derive(Debug)]
pub struct Share {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(bytes: usize) -> Self {
        let units = u32::try_from((bytes / UNIT).max(1)).unwrap_or(u32::MAX);
        Self { permits: Arc::new(Semaphore::new(units as usize)), units }
    }

    /// Waits for a part of the budget. What is larger than the whole of it waits until nothing else
    /// is held.
    pub(super) async fn take(&self, bytes: usize) -> Share {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).min(self.units);
        // The semaphore is never closed.
        Share { _permit: Arc::clone(&self.permits).acquire_many_owned(units).await.ok() }
    }

    /// How many bytes are free.
    pub fn free(&self) -> usize {
        self.permits.available_permits() * UNIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_larger_than_the_budget_waits_for_all_of_it() {
        let budget = Budget::new(10 * UNIT);
        let share = budget.take(4 * UNIT).await;
        assert_eq!(budget.free(), 6 * UNIT);
        let large = budget.take(100 * UNIT);
        tokio::pin!(large);
        assert!(futures_util::poll!(&mut large).is_pending());
        drop(share);
        let large = large.await;
        assert_eq!(budget.free(), 0);
        drop(large);
        assert_eq!(budget.free(), 10 * UNIT);
    }
}
