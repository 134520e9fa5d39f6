//! How later changes are waited for: on a continuous feed, or by long-polling where that does not
//! get through.

use std::time::Duration;

use super::changes::ChangesRequest;

/// How often CouchDB sends a blank line on a quiet continuous feed.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// The shortest heartbeat, where something closes connections that are idle for longer.
const SHORTEST_HEARTBEAT: Duration = Duration::from_secs(1);

/// How long CouchDB keeps a long-poll waiting: shorter than proxies wait for a response by default.
const LONG_POLL: Duration = Duration::from_secs(50);

/// The shortest long-poll, where something closes connections earlier. It amounts to polling.
const SHORTEST_LONG_POLL: Duration = Duration::from_secs(1);

/// A connection that was closed after less than this did not wait.
pub(super) const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// Why a continuous feed is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FallBack {
    /// Nothing came.
    Buffered,
    /// The response ended by itself.
    Ended,
}

/// How later changes are waited for.
#[derive(Debug)]
pub(super) struct Live {
    is_stream: bool,
    heartbeat: Duration,
    long_poll: Duration,
}

impl Live {
    pub(super) fn new(is_stream: bool) -> Self {
        Self { is_stream, heartbeat: HEARTBEAT, long_poll: LONG_POLL }
    }

    /// The next request.
    pub(super) fn request(&self) -> ChangesRequest {
        if self.is_stream {
            ChangesRequest::Stream { heartbeat: self.heartbeat }
        } else {
            ChangesRequest::LongPoll { timeout: self.long_poll }
        }
    }

    /// Gives up the continuous feed.
    pub(super) fn fall_back(&mut self) {
        self.is_stream = false;
    }

    /// A connection was closed while it waited. Returns whether that is expected: the next request
    /// waits for less.
    pub(super) fn closed_while_waiting(&mut self, has_received: bool) -> bool {
        if self.is_stream {
            self.heartbeat = (self.heartbeat / 2).max(SHORTEST_HEARTBEAT);
            return has_received;
        }
        let before = self.long_poll;
        self.long_poll = (before / 2).max(SHORTEST_LONG_POLL);
        self.long_poll < before
    }
}

impl FallBack {
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Buffered => {
                "no heartbeat came on the continuous changes feed; falling back to long-poll. Something between here and CouchDB \
                 buffers or compresses responses: set `proxy_buffering off` and `gzip off` in nginx, or the same elsewhere"
            }
            Self::Ended => {
                "the server ended the continuous changes feed by itself; falling back to long-poll. It, or something before it, \
                 does not support `feed=continuous`"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_of_a_buffering_proxy_names_its_setting() {
        assert!(FallBack::Buffered.message().contains("`proxy_buffering off`"));
    }

    #[test]
    fn a_long_poll_that_is_cut_waits_for_less_each_time() {
        let mut live = Live::new(false);
        let mut cuts = 0;
        while live.closed_while_waiting(false) {
            cuts += 1;
        }
        assert_eq!(cuts, 6);
        assert_eq!(live.request(), ChangesRequest::LongPoll { timeout: SHORTEST_LONG_POLL });
    }
}
