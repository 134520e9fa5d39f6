//! The message of a panic that was caught.

use std::any::Any;

/// The message of a panic, if it is a string.
pub fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let message = panic.downcast_ref::<String>().map(String::as_str);
    message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}
