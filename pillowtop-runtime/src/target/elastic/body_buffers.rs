//! Buffers for the bodies of bulk requests, used again: the first touch of fresh memory costs more
//! than filling it does.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// Buffers that are kept, for all indices of a cluster.
const KEPT: usize = 8;
/// The largest buffer that is kept, in bytes.
const LARGEST: usize = 8_000_000;

/// Buffers that are free. Clones share them.
#[derive(Clone, Default)]
pub(super) struct BodyBuffers {
    free: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl BodyBuffers {
    /// A body of about so many bytes. Its buffer is free again when the last part of the body is
    /// dropped.
    pub(super) fn filled(&self, bytes: usize, fill: impl FnOnce(&mut Vec<u8>)) -> Bytes {
        let mut buffer = self.lock().pop().unwrap_or_default();
        buffer.reserve(bytes);
        fill(&mut buffer);
        Bytes::from_owner(Filled { buffer, home: self.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        // Nothing panics while it is held.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A buffer in use.
struct Filled {
    buffer: Vec<u8>,
    home: BodyBuffers,
}

impl AsRef<[u8]> for Filled {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Filled {
    fn drop(&mut self) {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let mut free = self.home.lock();
        if free.len() < KEPT && buffer.capacity() <= LARGEST {
            free.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_once_its_body_is_dropped() {
        let buffers = BodyBuffers::default();
        let body = buffers.filled(10, |buffer| buffer.extend_from_slice(b"first"));
        let (part, address) = (body.slice(1..3), body.as_ptr());
        drop(body);
        assert_eq!((part.as_ref(), buffers.lock().len()), (b"ir".as_slice(), 0), "a part is in use");
        drop(part);
        let body = buffers.filled(2, |buffer| buffer.extend_from_slice(b"2"));
        assert_eq!((body.as_ref(), body.as_ptr()), (b"2".as_slice(), address));
    }

    #[test]
    fn few_buffers_are_kept_and_no_large_ones() {
        let buffers = BodyBuffers::default();
        let bodies: Vec<Bytes> = (0..20).map(|_| buffers.filled(1, |_| ())).collect();
        drop(buffers.filled(LARGEST + 1, |_| ()));
        assert!(buffers.lock().is_empty());
        drop(bodies);
        assert_eq!(buffers.lock().len(), KEPT);
    }
}
