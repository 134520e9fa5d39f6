//! Dates by formats: what fits, what it means, and what does not fit. Each row was compared with
//! Elasticsearch 7.10.2 and OpenSearch 3.6.0, which agree but for negative epochs: the older
//! refuses them.

use super::{DateFormats, DateProblem, Names, Reading};

const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;

/// The start in milliseconds since 1970, and the width in nanoseconds.
#[track_caller]
fn check(format: &str, text: &str, expected: Option<(i128, i128)>) {
    let parsed = DateFormats::new(format).parse(text).ok();
    let parsed = parsed.map(|moment| (moment.start.div_euclid(1_000_000), moment.end - moment.start));
    assert_eq!(parsed, expected, "`{text}` by `{format}`");
}

#[test]
fn strict_dates_with_optional_times() {
    {
        let name = "strict_date_optional_time";
        for (text, expected) in [
            ("2024-02-29", Some((1_709_164_800_000, DAY))),
            ("2024-02", Some((1_706_745_600_000, 29 * DAY))),
            ("2024", Some((1_704_067_200_000, 366 * DAY))),
            ("2024-02-29T", Some((1_709_164_800_000, DAY))),
            ("2024-02-29T13", Some((1_709_211_600_000, 3600 * SECOND))),
            ("2024-02-29T13:05", Some((1_709_211_900_000, 60 * SECOND))),
            ("2024-02-29T13:05:07", Some((1_709_211_907_000, SECOND))),
            ("2024-02-29T13:05:07.5Z", Some((1_709_211_907_500, SECOND / 10))),
            ("2024-02-29T13:05:07,123456789Z", Some((1_709_211_907_123, 1))),
            ("2024-02-29T13:05:07+02:00", Some((1_709_204_707_000, SECOND))),
            ("2024-02-29T13:05:07+0200", Some((1_709_204_707_000, SECOND))),
            ("2024-02-29T13:05:07-02", Some((1_709_219_107_000, SECOND))),
            ("2024-02-29T13:05:07UTC", Some((1_709_211_907_000, SECOND))),
            ("2024-02-29T13Z", Some((1_709_211_600_000, 3600 * SECOND))),
            ("2024-02-29T13:05:07 UTC", None),
            ("2024-02-29t13:05:07z", None),
            ("2024-02-29T13:05:07.1234567890Z", None),
            ("1969-12-31T23:59:59.999Z", Some((-1, SECOND / 1000))),
            ("-0001-01-01", Some((-62_198_755_200_000, DAY))),
            ("0001-01-01", Some((-62_135_596_800_000, DAY))),
            ("+12024-01-01", Some((317_273_587_200_000, DAY))),
            ("2023-02-29", None),
            ("2024-13-01", None),
            ("2024-1-01", None),
            ("24-01-01", None),
            ("12024-01-01", None),
            ("2024-01-01 10:00:00", None),
            ("2024-01-01T24:00:00", None),
            ("2024-01-01T10:00:60", None),
            ("2024-01-01T10:00:00.", None),
            ("2024-01-01T10:00:00+25:00", None),
            ("2024-01-01Z", None),
            ("yesterday", None),
            ("", None),
        ] {
            check(name, text, expected);
        }
    }
    for (text, expected) in [
        ("2024-02-29T13:05:07.5Z", Some((1_709_211_907_500, SECOND / 10))),
        ("2024-02-29T13:05:07+0200", Some((1_709_204_707_000, SECOND))),
        ("2024-02", Some((1_706_745_600_000, 29 * DAY))),
        ("2024-02-29T13:05:07,5Z", Some((1_709_211_907_500, SECOND / 10))),
        ("2024-02-29T13:05", None),
        ("2024-02-29T", None),
    ] {
        check("strict_date_optional_time_nanos", text, expected);
    }
    check("date_optional_time", "2024-2-9", Some((1_707_436_800_000, DAY)));
    check("date_optional_time", "24-2-9", Some((-61_406_467_200_000, DAY)));
    check("date_optional_time", "2024-2-9T1:2", Some((1_707_440_520_000, 60 * SECOND)));
}

#[test]
fn named_formats_are_laxer_than_their_patterns() {
    check("strict_date", "2024-02-29", Some((1_709_164_800_000, DAY)));
    check("strict_date", "2024-02-29T00:00:00", None);
    check("strict_year_month", "2024-02", Some((1_706_745_600_000, 29 * DAY)));
    check("basic_date", "20240229", Some((1_709_164_800_000, DAY)));
    check("strict_date_time_no_millis", "2024-02-29T13:05:07Z", Some((1_709_211_907_000, SECOND)));
    check("strict_date_time_no_millis", "2024-02-29T13:05:07", None);
    check("strict_date", "2024-2-9", None);
    check("date", "2024-2-9", Some((1_707_436_800_000, DAY)));
    check("date_time", "2024-2-9T1:2:3.4Z", Some((1_707_440_523_400, SECOND / 10)));
    check(
        "strict_date_hour_minute_second_millis",
        "2024-02-09T01:02:03.4",
        Some((1_707_440_523_400, SECOND / 10)),
    );
    check("strict_date_time", "2024-02-09T01:02:03.123456Z", Some((1_707_440_523_123, 1000)));
    check("strict_date_time", "2024-02-09T01:02:03Z", Some((1_707_440_523_000, SECOND)));
    check("strict_date_time", "2024-02-09T01:02:03.1+0200", Some((1_707_433_323_100, SECOND / 10)));
    check("basic_date_time", "20240209T010203.123Z", Some((1_707_440_523_123, SECOND / 1000)));
    check("basic_date_time_no_millis", "20240209T010203+0200", Some((1_707_433_323_000, SECOND)));
    check("hour_minute", "5:3", Some((18_180_000, 60 * SECOND)));
    check("year", "24", Some((-61_409_836_800_000, 366 * DAY)));
    check("ordinal_date", "2024-60", Some((1_709_164_800_000, DAY)));
    check("ordinal_date", "2024-060", Some((1_709_164_800_000, DAY)));
    check("ordinal_date", "2023-366", None);
}

#[test]
fn epochs_are_numbers() {
    check("epoch_millis", "1709211907123", Some((1_709_211_907_123, 1_000_000)));
    check("epoch_millis", "1709211907123.5", Some((1_709_211_907_123, 1_000_000)));
    check("epoch_millis", "-1", Some((-1, 1_000_000)));
    check("epoch_second", "1709211907", Some((1_709_211_907_000, SECOND)));
    check("epoch_second", "1709211907.25", Some((1_709_211_907_250, SECOND)));
    check("epoch_millis", "1.", Some((1, 1_000_000)));
    for bad in ["", "-", "1e3", ".5", "0x10", "1 ", "99999999999999999999"] {
        check("epoch_millis", bad, None);
        check("epoch_second", bad, None);
    }
    // A year comes before milliseconds where both fit.
    let both = "strict_date_optional_time||epoch_millis";
    check(both, "2024", Some((1_704_067_200_000, 366 * DAY)));
    check(both, "20240", Some((20_240, 1_000_000)));
}

#[test]
fn java_patterns_are_read_strictly() {
    for (pattern, text, expected) in [
        ("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'", "2024-02-29T13:05:07.123456Z", Some((1_709_211_907_123, 1000))),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'", "2024-02-29T13:05:07.123Z", None),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'", "2024-02-29T13:05:07.123456", None),
        ("yyyy-MM-dd' 'HH:mm:ss", "2024-02-29 13:05:07", Some((1_709_211_907_000, SECOND))),
        ("yyyy-MM-dd HH:mm", "2024-02-29 13:05", Some((1_709_211_900_000, 60 * SECOND))),
        ("MM/dd/yy", "02/29/24", Some((1_709_164_800_000, DAY))),
        ("d.M.uuuu", "9.2.2024", Some((1_707_436_800_000, DAY))),
        ("yyyyMMddHHmmss", "20240229130507", Some((1_709_211_907_000, SECOND))),
        ("yyyy-MM-dd'T'HH:mm:ssZ", "2024-02-29T13:05:07+0200", Some((1_709_204_707_000, SECOND))),
        ("yyyy-MM-dd'T'HH:mm:ssZ", "2024-02-29T13:05:07+02:00", None),
        ("yyyy-MM-dd'T'HH:mm:ssZ", "2024-02-29T13:05:07Z", None),
        ("yyyy-MM-dd'T'HH:mm:ssXXX", "2024-02-29T13:05:07+02:00", Some((1_709_204_707_000, SECOND))),
        ("yyyy-MM-dd'T'HH:mm:ssXXX", "2024-02-29T13:05:07Z", Some((1_709_211_907_000, SECOND))),
        ("yyyy-MM-dd['T'HH:mm]", "2024-02-29", Some((1_709_164_800_000, DAY))),
        ("yyyy-MM-dd['T'HH:mm]", "2024-02-29T13:05", Some((1_709_211_900_000, 60 * SECOND))),
        ("EEE, dd MMM yyyy hh:mm a", "Thu, 29 Feb 2024 01:05 PM", Some((1_709_211_900_000, 60 * SECOND))),
        ("h 'o''clock' a dd-MM-yyyy", "12 o'clock AM 29-02-2024", Some((1_709_164_800_000, 3600 * SECOND))),
        ("yyyy-M-d", "2024-02-009", Some((1_707_436_800_000, DAY))),
        ("yyyy-MM-dd", "2024-2-9", None),
        ("yyyy-MM-dd", "12024-02-09", None),
        ("yyyy-MM-dd", "-2024-02-09", None),
        ("uuuu-MM-dd", "-2024-02-09", Some((-126_035_136_000_000, DAY))),
        ("yyyy-MM-dd", "2024-02-09 ", None),
        ("yyyy", "2024", Some((1_704_067_200_000, 366 * DAY))),
        ("yyyy-dd", "2024-05", Some((1_704_067_200_000, 366 * DAY))),
        ("dd", "05", None),
        ("yyMMdd", "240209", Some((1_707_436_800_000, DAY))),
        ("hh:mm a", "01:02 pm", None),
        ("MM/dd HH", "02/03 10", Some((2_887_200_000, 3600 * SECOND))),
        // A time with half a date is on the first day.
        ("uu/dd HH", "24/05 10", Some((36_000_000, 3600 * SECOND))),
        // The same part twice must be the same.
        ("mm/dd/yy HH:mm", "05/29/24 13:05", Some((47_100_000, 60 * SECOND))),
        ("mm/dd/yy HH:mm", "02/29/24 13:05", None),
    ] {
        check(pattern, text, expected);
    }
}

#[test]
fn the_first_format_that_fits_reads_and_an_unknown_one_has_no_effect() {
    let formats = DateFormats::new("yyyy-MM-dd||yyyy-MM-dd'T'HH:mm:ss||epoch_second");
    for text in ["2024-02-29", "2024-02-29T13:05:07", "1709211907"] {
        assert!(formats.parse(text).is_ok(), "{text}");
    }
    assert_eq!(formats.parse("02/29/24"), Err(DateProblem::NoFormatFits));
    let formats = DateFormats::new("yyyy-MM-dd||yyyy G");
    assert!(formats.parse("2024-02-29").is_ok());
    assert_eq!(formats.parse("2024 AD"), Err(DateProblem::UnknownFormat));
    // Which names of zones there are, only the server's Java knows.
    let formats = DateFormats::new("yyyy-MM-dd HH:mm z");
    assert!(formats.parse("2024-02-29 13:05 UTC").is_ok());
    assert_eq!(formats.parse("2024-02-29 13:05 Europe/Paris"), Err(DateProblem::UnknownFormat));
}

#[test]
fn weeks_begin_on_monday_and_the_first_has_four_days() {
    check("week_date", "2024-W09-4", Some((1_709_164_800_000, DAY)));
    check("week_date", "2020-W53-5", Some((1_609_459_200_000, DAY)));
    check("week_date", "2024-W53-1", None);
    check("weekyear_week", "2024-W9", Some((1_708_905_600_000, 7 * DAY)));
    check("strict_weekyear", "2024", Some((1_704_067_200_000, 364 * DAY)));
    // By a year of weeks the month is not even checked.
    check("YYYY-MM-dd", "2024-13-45", Some((1_704_067_200_000, 364 * DAY)));
}

#[test]
fn names_are_full_or_short_as_the_server_writes_them() {
    let formats = DateFormats::new("d MMMM yyyy");
    for (names, text, fits) in [
        (Names::Full, "9 February 2024", true),
        (Names::Full, "9 Feb 2024", false),
        (Names::Short, "9 Feb 2024", true),
        (Names::Short, "9 February 2024", false),
        (Names::Short, "9 May 2024", true),
    ] {
        assert_eq!(formats.parse_by(text, names, |_| Reading::Plain).is_ok(), fits, "{text} {names:?}");
    }
}
