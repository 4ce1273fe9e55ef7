//! The proleptic Gregorian calendar: dates and times of day from and to seconds.

use std::fmt;

const SECONDS_OF_DAY: i64 = 24 * 60 * 60;
/// The days of 400 years, after which the calendar repeats.
const DAYS_OF_ERA: i64 = 146_097;
/// The days from 0000-03-01 to 1970-01-01.
const DAYS_TO_1970: i64 = 719_468;

/// A date and a time of day in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DateTime {
    pub(super) year: i64,
    pub(super) month: u8,
    pub(super) day: u8,
    /// Seconds since midnight.
    pub(super) second: i64,
}

impl DateTime {
    /// Converts seconds since 1970-01-01T00:00:00Z.
    pub(super) fn of(seconds: i64) -> Self {
        let days = seconds.div_euclid(SECONDS_OF_DAY) + DAYS_TO_1970;
        let (era, of_era) = (days.div_euclid(DAYS_OF_ERA), days.rem_euclid(DAYS_OF_ERA));
        // Years begin in March here, so that the leap day is the last day of a year.
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        Self {
            year: year + era * 400 + i64::from(month <= 2),
            month: month as u8,
            day: day as u8,
            second: seconds.rem_euclid(SECONDS_OF_DAY),
        }
    }

    /// Converts to seconds since 1970-01-01T00:00:00Z; `None` if the month does not have that day.
    pub(super) fn to_seconds(self) -> Option<i64> {
        let Self { year, month, day, second } = self;
        if day == 0 || day > days_of_month(year, month)? {
            return None;
        }
        let (month, day) = (i64::from(month), i64::from(day));
        let march_year = year - i64::from(month <= 2);
        let (era, of_era) = (march_year.div_euclid(400), march_year.rem_euclid(400));
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let days = era * DAYS_OF_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_1970;
        Some(days * SECONDS_OF_DAY + second)
    }
}

fn days_of_month(year: i64, month: u8) -> Option<u8> {
    let is_leap_year = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    Some(match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap_year => 29,
        2 => 28,
        _ => return None,
    })
}

/// As in `2006-01-02T15:04:05`. A year before 0 has a sign.
impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, second } = self;
        let sign = if *year < 0 { "-" } else { "" };
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(f, "{sign}{:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}", year.abs())
    }
}
