//! Waiting for servers that do not respond yet.

use std::fmt::Display;
use std::time::Duration;

use crate::context::Context;
use crate::exit::Failure;

/// How long to wait before a server that does not respond is asked again.
const PAUSE: Duration = Duration::from_secs(2);

/// What is done about a server that does not respond when a command starts. Whatever it does answer
/// is final: a refused password is never sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhenUnreachable {
    /// An error.
    Fail,
    /// Ask again, for as long as it takes.
    Wait,
}

/// Connects, again and again if that is wanted.
pub(crate) async fn until_reachable<T, E: Display>(
    context: &Context,
    when_unreachable: WhenUnreachable,
    is_retryable: impl Fn(&E) -> bool,
    connect: impl AsyncFn() -> Result<T, E>,
) -> Result<T, Failure>
where
    Failure: From<E>,
{
    let mut last = String::new();
    loop {
        match connect().await {
            Err(error) if when_unreachable == WhenUnreachable::Wait && is_retryable(&error) => {
                let text = error.to_string();
                if text != last {
                    context.ui.note(&format!("waiting: {text}"));
                    last = text;
                }
                tokio::time::sleep(PAUSE).await;
            }
            result => return Ok(result?),
        }
    }
}
