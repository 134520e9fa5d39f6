//! The parts of a date as a format reads them, and the moment that they mean.

/// Nanoseconds of a second.
const SECOND: i128 = 1_000_000_000;

/// A moment with the time that its text leaves open: `2024-02` starts with February and ends where
/// March starts.
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
    /// A year of weeks, which may start or end some days before or after that of months.
    WeekYear,
    Week,
    DayOfWeek,
    /// 1 to 24, which is midnight.
    ClockHour,
    /// 0 to 11.
    HourOfHalfFromZero,
}

/// How names of months and days are written where a pattern asks for full ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Names {
    /// `Feb`: so it is on servers whose Java has no names of the language-neutral locale.
    Short,
    /// `February`.
    Full,
    /// As one likes.
    #[default]
    Either,
}

/// What was read so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fields {
    values: [Option<i64>; 12],
    /// How full names are written.
    pub(super) names: Names,
    /// There was something that only the server's Java knows.
    pub(super) is_unsure: bool,
    /// Nanoseconds and how many digits said so.
    fraction: Option<(i64, u32)>,
    /// Seconds east of Greenwich.
    offset: Option<i64>,
}

impl Fields {
    /// Nothing read so far.
    pub(super) fn new(names: Names) -> Self {
        Self { names, ..Self::default() }
    }

    /// Sets a part; false if it is out of range, or was read before with another value. A month or
    /// a day is checked only with the year that it is of.
    pub(super) fn set(&mut self, part: Part, value: i64) -> bool {
        match part {
            Part::ClockHour => return (1..=24).contains(&value) && self.set(Part::Hour, value % 24),
            Part::HourOfHalfFromZero => {
                let hour = if value == 0 { 12 } else { value };
                return (0..=11).contains(&value) && self.set(Part::HourOfHalf, hour);
            }
            _ => {}
        }
        let allowed = match part {
            Part::Year | Part::WeekYear => -999_999_999..=999_999_999,
            Part::HourOfHalf => 1..=12,
            Part::DayOfWeek => 1..=7,
            Part::Hour => 0..=23,
            Part::Half => 0..=1,
            Part::Minute | Part::Second => 0..=59,
            _ => 0..=i64::MAX,
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

    /// Sets no offset where none was read.
    pub(super) fn set_greenwich(&mut self) {
        self.offset.get_or_insert(0);
    }

    fn get(&self, part: Part) -> Option<i64> {
        self.values[part as usize]
    }

    /// The moment; `None` for a date that is in no calendar. An absent time is midnight in
    /// Greenwich.
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

    /// Days since 1970, and how many days the date leaves open. A time with half a date is on the
    /// first day of 1970, and a day without a month is not a day: so it is on the servers.
    fn days(&self, with_time: bool) -> Option<(i64, i64)> {
        let (year, month, day) = (self.get(Part::Year), self.get(Part::Month), self.get(Part::Day));
        if let (None, Some(year)) = (year, self.get(Part::WeekYear)) {
            return self.days_of_week_year(year);
        }
        if month.is_some_and(|month| !(1..=12).contains(&month)) {
            return None;
        }
        if let (Some(year), Some(day)) = (year, self.get(Part::DayOfYear)) {
            return (1..=365 + i64::from(is_leap(year)))
                .contains(&day)
                .then(|| (days_from_civil(year, 1, 1) + day - 1, 1));
        }
        let year = match (month, day) {
            (Some(_), Some(_)) => year.or(Some(1970)),
            (Some(_), None) if !with_time => year.or(Some(1970)),
            _ => year,
        };
        match (year, month, day) {
            (Some(year), Some(month), Some(day)) => (1..=days_of_month(year, month))
                .contains(&day)
                .then(|| (days_from_civil(year, month, day), 1)),
            _ if with_time => Some((0, 1)),
            (Some(year), Some(month), None) => {
                Some((days_from_civil(year, month, 1), days_of_month(year, month)))
            }
            (Some(year), None, _) => Some((days_from_civil(year, 1, 1), 365 + i64::from(is_leap(year)))),
            (None, ..) => None,
        }
    }

    /// By weeks, months and days of months count for nothing, and are not even checked.
    fn days_of_week_year(&self, year: i64) -> Option<(i64, i64)> {
        let start = first_week(year);
        let weeks = (first_week(year + 1) - start) / 7;
        let Some(week) = self.get(Part::Week) else { return Some((start, weeks * 7)) };
        let of_week = start + (week - 1) * 7;
        match self.get(Part::DayOfWeek) {
            Some(day) => (1..=weeks).contains(&week).then(|| (of_week + day - 1, 1)),
            None => (1..=53).contains(&week).then_some((of_week, 7)),
        }
    }
}

/// The Monday of the first week that has four days in the year, in days since 1970.
fn first_week(year: i64) -> i64 {
    let fourth = days_from_civil(year, 1, 4);
    // 1970 began on a Thursday.
    fourth - (fourth + 3).rem_euclid(7)
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
