//! The low-watermark: up to which row everything is acknowledged.

use std::collections::VecDeque;

use pillowtop_core::Sequence;

/// The index of a row in one session of reading. Ordinals may be compared, unlike sequences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ordinal(pub u64);

/// Which rows of a session one pillow has acknowledged. Rows are opened in order and acknowledged
/// in any.
#[derive(Debug, Default)]
pub(super) struct Watermark {
    /// Every row below is acknowledged.
    low: u64,
    /// Whether the rows from `low` on are.
    open: VecDeque<bool>,
}

impl Watermark {
    /// The next row is on its way.
    pub(super) fn open(&mut self) {
        self.open.push_back(false);
    }

    /// A row is acknowledged.
    pub(super) fn acknowledge(&mut self, ordinal: Ordinal) {
        let slot = ordinal.0.checked_sub(self.low).and_then(|position| usize::try_from(position).ok());
        if let Some(acknowledged) = slot.and_then(|position| self.open.get_mut(position)) {
            *acknowledged = true;
        }
        while self.open.front() == Some(&true) {
            self.open.pop_front();
            self.low += 1;
        }
    }

    /// The first row that is not acknowledged.
    pub(super) fn low(&self) -> Ordinal {
        Ordinal(self.low)
    }

    /// How many rows are on their way or wait behind one that is.
    pub(super) fn pending(&self) -> usize {
        self.open.len()
    }
}

/// The positions that a session may store: of rows that carry a sequence, and of the ends of
/// responses.
#[derive(Debug, Default)]
pub(super) struct Positions {
    /// Everything below the ordinal lies before the sequence.
    known: VecDeque<(Ordinal, Sequence)>,
}

impl Positions {
    /// Everything below `ordinal` lies before `sequence`.
    pub(super) fn note(&mut self, ordinal: Ordinal, sequence: Sequence) {
        match self.known.back_mut() {
            Some(last) if last.0 == ordinal => last.1 = sequence,
            _ => self.known.push_back((ordinal, sequence)),
        }
    }

    /// The last position at or below the watermark, once.
    pub(super) fn take(&mut self, low: Ordinal) -> Option<Sequence> {
        let mut reached = None;
        while self.known.front().is_some_and(|(ordinal, _)| *ordinal <= low) {
            reached = self.known.pop_front().map(|(_, sequence)| sequence);
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_watermark_is_the_first_row_not_acknowledged(order in Just((0..40_u64).collect::<Vec<_>>()).prop_shuffle(), count in 0..40_usize) {
            let mut watermark = Watermark::default();
            (0..40).for_each(|_| watermark.open());
            let acknowledged = &order[..count];
            for ordinal in acknowledged {
                watermark.acknowledge(Ordinal(*ordinal));
                watermark.acknowledge(Ordinal(*ordinal));
            }
            let expected = (0..40).find(|row| !acknowledged.contains(row)).unwrap_or(40);
            prop_assert_eq!(watermark.low(), Ordinal(expected));
            prop_assert_eq!(watermark.pending() as u64, 40 - expected);
        }
    }

    #[test]
    fn only_a_position_whose_rows_are_all_acknowledged_is_taken() {
        let mut positions = Positions::default();
        positions.note(Ordinal(1), "a".into());
        positions.note(Ordinal(3), "b".into());
        positions.note(Ordinal(3), "end".into());
        assert_eq!(positions.take(Ordinal(0)), None);
        assert_eq!(positions.take(Ordinal(2)), Some("a".into()));
        assert_eq!(positions.take(Ordinal(2)), None);
        assert_eq!(positions.take(Ordinal(3)), Some("end".into()));
    }
}
