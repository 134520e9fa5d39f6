//! What the cells of `es-manage status` say.

use super::state::State;
use crate::output::counted;

/// The index or table that a row describes, and what is searched where that is another one.
pub(super) fn described_and_searched(described: Option<&str>, searched: &[&str]) -> String {
    let shown = described.unwrap_or("-");
    match searched {
        [] if described.is_some() => format!("{shown} (not searched)"),
        [only] if described == Some(*only) => shown.to_owned(),
        [] => shown.to_owned(),
        _ => format!("{shown} (searched: {})", searched.join(", ")),
    }
}

/// Whether neither a state nor dead letters need attention.
pub(super) fn is_fine(state: State, open: Option<u64>) -> bool {
    state == State::Current && open.unwrap_or_default() == 0
}

/// A state, with how many dead letters are open.
pub(super) fn with_dead_letters(state: State, open: Option<u64>) -> String {
    match open {
        None | Some(0) => state.to_string(),
        Some(open) => format!("{state}, {}", counted(open, "dead letter")),
    }
}

/// A dash for nothing.
pub(super) fn dash(text: String) -> String {
    if text.is_empty() { "-".to_owned() } else { text }
}

/// The lag in changes and seconds, as far as they are known.
pub(super) fn lag(is_known: bool, pending: Option<u64>, lag: Option<u64>) -> String {
    match (pending, lag) {
        (None | Some(0), None | Some(0)) if is_known => "0".to_owned(),
        (Some(pending), Some(seconds)) if pending > 0 => format!("{pending}, {seconds} s"),
        (Some(pending), None) if pending > 0 => pending.to_string(),
        (_, Some(seconds)) => format!("{seconds} s"),
        (_, None) => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_dead_letters_are_shown_with_the_state() {
        for (open, expected, fine) in [
            (None, "current", true),
            (Some(0), "current", true),
            (Some(1), "current, 1 dead letter", false),
            (Some(3), "current, 3 dead letters", false),
        ] {
            assert_eq!(with_dead_letters(State::Current, open), expected);
            assert_eq!(is_fine(State::Current, open), fine);
        }
    }

    #[test]
    fn a_row_names_the_index_that_it_describes_and_the_searched_one_where_it_differs() {
        for (described, searched, expected) in [
            (None, &[][..], "-"),
            (None, &["cases_1"][..], "- (searched: cases_1)"),
            (Some("cases_2"), &[][..], "cases_2 (not searched)"),
            (Some("cases_2"), &["cases_1"][..], "cases_2 (searched: cases_1)"),
            (Some("cases_2"), &["cases_2"][..], "cases_2"),
        ] {
            assert_eq!(described_and_searched(described, searched), expected);
        }
    }
}
