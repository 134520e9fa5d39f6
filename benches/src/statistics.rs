//! Medians and percentiles of measurements.

/// The median; the mean of the two in the middle for an even count, NaN for none.
pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    match numbers.len() {
        0 => f64::NAN,
        count if count % 2 == 0 => f64::midpoint(numbers[middle - 1], numbers[middle]),
        _ => numbers[middle],
    }
}

/// The median of the measurements that could be made; `None` if none could.
pub(crate) fn median_of_known(numbers: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
    let known: Vec<f64> = numbers.into_iter().flatten().collect();
    (!known.is_empty()).then(|| median(known))
}

/// The smallest number that at least `percent` percent of all do not exceed; NaN for none.
pub(crate) fn percentile(mut numbers: Vec<f64>, percent: usize) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let rank = (numbers.len() * percent).div_ceil(100);
    numbers.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// A number with at most `digits` digits after the decimal point, as reports print it.
pub(crate) fn rounded(number: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (number * scale).round() / scale
}

/// A number that is not negative as the nearest whole number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "measurements are positive and far below 2^53"
)]
pub(crate) fn whole(number: f64) -> u64 {
    number.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]).to_string(), "2");
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]).to_string(), "2.5");
        assert_eq!(median(vec![7.0]).to_string(), "7");
        assert!(median(vec![]).is_nan());
    }

    #[test]
    fn the_median_leaves_out_what_was_not_measured() {
        assert_eq!(median_of_known([None, Some(2.0), Some(4.0), None]), Some(3.0));
        assert_eq!(median_of_known([None]), None);
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(percentile(hundred.clone(), 50).to_string(), "50");
        assert_eq!(percentile(hundred.clone(), 99).to_string(), "99");
        assert_eq!(percentile(hundred, 100).to_string(), "100");
        assert_eq!(percentile(vec![5.0], 99).to_string(), "5");
        assert!(percentile(vec![], 50).is_nan());
    }

    #[test]
    fn numbers_are_rounded() {
        assert_eq!(rounded(0.123_456, 3).to_string(), "0.123");
        assert_eq!(whole(14_200.6), 14_201);
    }
}
