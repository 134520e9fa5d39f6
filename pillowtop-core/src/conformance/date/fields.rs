//! The parts of a date as a format reads them, and the moment that they mean.

/// Nanoseconds of a second.
const SECOND: i128 = 1_000_000_000;

/// A moment with the time that its text leaves open: `2024-02` starts with February and ends where March starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Nanoseconds since 1970, the first that the text means.
    pub start: i128,
    /// Nanoseconds since 1970, the first after what the text means.
    pub end: i128,
}

/// A part that is a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Year,
    Month,
    Day,
    DayOfYear,
    Hour,
    HourOfHalf,
    Half,
    Minute,
    Second,
}

/// What was read so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fields {
    values: [Option<i64>; 9],
    /// Nanoseconds and how many digits said so.
    fraction: Option<(i64, u32)>,
    /// Seconds east of Greenwich.
    offset: Option<i64>,
}

impl Fields {
    /// Sets a part; false if it is out of range, or was read before with another value.
    pub(super) fn set(&mut self, part: Part, value: i64) -> bool {
        let allowed = match part {
            Part::Year => -999_999_999..=999_999_999,
            Part::Month | Part::HourOfHalf => 1..=12,
            Part::Day => 1..=31,
            Part::DayOfYear => 1..=366,
            Part::Hour => 0..=23,
            Part::Half => 0..=1,
            Part::Minute | Part::Second => 0..=59,
        };
        let slot = &mut self.values[part as usize];
        allowed.contains(&value) && *slot.get_or_insert(value) == value
    }

    /// Sets the fraction of the second from its digits, 1 to 9 of them.
    pub(super) fn set_fraction(&mut self, value: i64, digits: u32) -> bool {
        let nanos = value * 10_i64.pow(9_u32.saturating_sub(digits));
        self.fraction.get_or_insert((nanos, digits)).0 == nanos
    }

    /// Sets the offset in seconds, 18 hours at most.
    pub(super) fn set_offset(&mut self, seconds: i64) -> bool {
        seconds.abs() <= 18 * 3600 && *self.offset.get_or_insert(seconds) == seconds
    }

    fn get(&self, part: Part) -> Option<i64> {
        self.values[part as usize]
    }

    /// The moment; `None` for a date that is in no calendar. An absent time is midnight in Greenwich.
    pub(super) fn moment(&self) -> Option<Moment> {
        let hour = match (self.get(Part::Hour), self.get(Part::HourOfHalf)) {
            (None, Some(hour)) => Some(hour % 12 + 12 * self.get(Part::Half).unwrap_or(0)),
            (hour, _) => hour,
        };
        let (days, days_meant) = self.days(hour.is_some())?;
        let of_day = hour.unwrap_or(0) * 3600
            + self.get(Part::Minute).unwrap_or(0) * 60
            + self.get(Part::Second).unwrap_or(0)
            - self.offset.unwrap_or(0);
        let (nanos, digits) = self.fraction.unwrap_or((0, 0));
        let start = (i128::from(days) * 86_400 + i128::from(of_day)) * SECOND + i128::from(nanos);
        let meant = if self.fraction.is_some() {
            10_i128.pow(9_u32.saturating_sub(digits))
        } else if self.get(Part::Second).is_some() {
            SECOND
        } else if self.get(Part::Minute).is_some() {
            60 * SECOND
        } else if hour.is_some() {
            3600 * SECOND
        } else {
            i128::from(days_meant) * 86_400 * SECOND
        };
        Some(Moment { start, end: start + meant })
    }

    /// Days since 1970, and how many days the date leaves open. A time with half a date is on the first day of 1970, and a
    /// day without a month is no day: so it is on the servers.
    fn days(&self, with_time: bool) -> Option<(i64, i64)> {
        let (year, month, day) = (self.get(Part::Year), self.get(Part::Month), self.get(Part::Day));
        let year = if with_time && month.is_some() && day.is_some() { year.or(Some(1970)) } else { year };
        if let (Some(year), Some(day)) = (year, self.get(Part::DayOfYear)) {
            return (day <= 365 + i64::from(is_leap(year)))
                .then(|| (days_from_civil(year, 1, 1) + day - 1, 1));
        }
        match (year, month, day) {
            (Some(year), Some(month), Some(day)) => {
                (day <= days_of_month(year, month)).then(|| (days_from_civil(year, month, day), 1))
            }
            _ if with_time => Some((0, 1)),
            (Some(year), Some(month), None) => {
                Some((days_from_civil(year, month, 1), days_of_month(year, month)))
            }
            (Some(year), None, _) => Some((days_from_civil(year, 1, 1), 365 + i64::from(is_leap(year)))),
            (None, ..) => None,
        }
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970 of a date of the Gregorian calendar (Howard Hinnant's algorithm).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}
