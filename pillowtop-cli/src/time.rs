//! Times in arguments: RFC 3339, or how long ago.

use std::time::Duration;

use chrono::DateTime;
use pillowtop_runtime::clock::{now_micros, text_of_micros};

/// A time, RFC 3339 in UTC with seconds, as the runtime stores times.
pub(crate) fn read_time(text: &str) -> Result<String, String> {
    let micros = match DateTime::parse_from_rfc3339(text) {
        Ok(time) => u64::try_from(time.timestamp_micros()).map_err(|_| format!("`{text}` is before 1970"))?,
        Err(_) => {
            let ago = read_length(text).ok_or_else(|| {
                format!("`{text}` is neither a time (2026-01-31T12:00:00Z) nor how long ago (90s, 30m, 2h, 7d, 2w)")
            })?;
            let ago = u64::try_from(ago.as_micros()).unwrap_or(u64::MAX);
            now_micros().saturating_sub(ago)
        }
    };
    Ok(text_of_micros(micros))
}

/// A number and a unit: seconds, minutes, hours, days or weeks.
fn read_length(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(number.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_in_utc() {
        assert_eq!(read_time("2026-01-31T12:00:00+02:00").as_deref(), Ok("2026-01-31T10:00:00Z"));
        assert_eq!(read_time("2026-01-31T12:00:00.5Z").as_deref(), Ok("2026-01-31T12:00:00Z"));
    }

    #[test]
    fn how_long_ago_is_counted_from_now() {
        let hour = text_of_micros(now_micros() - 3_600_000_000);
        let read = read_time("1h").unwrap();
        assert!(read >= hour && read_time("30m").unwrap() > read, "{read} {hour}");
        assert!(read_time("2w").unwrap() < read_time("7d").unwrap());
    }

    #[test]
    fn what_is_not_a_time_is_an_error() {
        for text in ["", "h", "2", "2y", "-2h", "yesterday", "2h30m", "é", "99999999999999999999d"] {
            assert!(read_time(text).is_err_and(|error| error.contains("neither")), "{text}");
        }
        assert!(read_time("1969-12-31T00:00:00Z").is_err_and(|error| error.contains("1970")));
    }
}
