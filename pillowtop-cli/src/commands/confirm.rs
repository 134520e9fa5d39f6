//! Asking whoever is at the terminal.

use std::io::BufRead as _;

use crate::context::Context;

/// Whether the answer to a question is yes.
pub(super) fn is_confirmed(context: &Context, question: &str) -> std::io::Result<bool> {
    context.ui.ask(&format!("{question} [y/N]"));
    let mut reply = String::new();
    std::io::stdin().lock().read_line(&mut reply)?;
    Ok(is_yes(&reply))
}

fn is_yes(reply: &str) -> bool {
    matches!(reply.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_one() {
        assert!(["y\n", "Yes\r\n", " y "].into_iter().all(is_yes));
        assert!(!["", "\n", "n", "yess", "ja"].into_iter().any(is_yes));
    }
}
