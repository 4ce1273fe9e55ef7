//! Which texts Go reads as which time, as `json.Unmarshal` of apimachinery 0.36 with Go 1.26 said.

use std::{fmt, str::FromStr};

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1 as meta,
    jiff::{SignedDuration, Timestamp},
};
use trimtab_cache::{MicroTime, ParseTimeError, Time};

/// Seconds, nanoseconds, and the printed form; empty where Go prints its zero time as `null`.
type Read = Option<(i64, u32, &'static str)>;

/// A text, what `metav1.Time` makes of it, and what `metav1.MicroTime` makes of it.
#[rustfmt::skip]
const GO: &[(&str, Read, Read)] = &[
    ("2024-02-29T12:00:00Z", Some((1709208000, 0, "2024-02-29T12:00:00Z")), None),
    ("2023-02-29T12:00:00Z", None, None),
    ("9999-12-31T23:59:59Z", Some((253402300799, 0, "9999-12-31T23:59:59Z")), None),
    ("9999-12-31T23:59:59-23:59", Some((253402387139, 0, "10000-01-01T23:58:59Z")), None),
    ("9999-12-31T23:59:59.999999999Z", Some((253402300799, 999999999, "9999-12-31T23:59:59Z")), None),
    ("0000-01-01T00:00:00Z", Some((-62167219200, 0, "0000-01-01T00:00:00Z")), None),
    ("0000-01-01T00:00:00+23:59", Some((-62167305540, 0, "-0001-12-31T00:01:00Z")), None),
    ("0001-01-01T00:00:00Z", Some((-62135596800, 0, "")), None),
    ("2024-01-01T00:00:00z", None, None),
    ("2024-01-01t00:00:00Z", None, None),
    ("2024-01-01 00:00:00Z", None, None),
    ("2024-01-01T00:00:00", None, None),
    ("2024-01-01T00:00Z", None, None),
    ("2024-01-01T00:00:60Z", None, None),
    ("2024-01-01T24:00:00Z", None, None),
    ("2024-01-01T00:00:00.Z", None, None),
    ("2024-01-01T00:00:00.1Z", Some((1704067200, 100000000, "2024-01-01T00:00:00Z")), None),
    ("2024-01-01T00:00:00,1Z", Some((1704067200, 100000000, "2024-01-01T00:00:00Z")), None),
    ("2024-01-01T00:00:00.1234567891234Z", Some((1704067200, 123456789, "2024-01-01T00:00:00Z")), None),
    ("2024-01-01T00:00:00+01:00", Some((1704063600, 0, "2023-12-31T23:00:00Z")), None),
    ("2024-01-01T00:00:00+24:00", Some((1703980800, 0, "2023-12-31T00:00:00Z")), None),
    ("2024-01-01T00:00:00+23:60", Some((1703980800, 0, "2023-12-31T00:00:00Z")), None),
    ("2024-01-01T00:00:00+25:00", None, None),
    ("2024-01-01T00:00:00+99:99", None, None),
    ("2024-01-01T00:00:00-00:00", Some((1704067200, 0, "2024-01-01T00:00:00Z")), None),
    ("2024-01-01T00:00:00+0100", None, None),
    ("2024-01-01T00:00:00+01", None, None),
    ("2024-1-01T00:00:00Z", None, None),
    ("2024-01-1T00:00:00Z", None, None),
    ("2024-01-01T0:00:00Z", Some((1704067200, 0, "2024-01-01T00:00:00Z")), None),
    ("2024-01-01T1:00:00Z", Some((1704070800, 0, "2024-01-01T01:00:00Z")), None),
    ("2024-01-01T00:0:00Z", None, None),
    ("2024-01-01T00:00:0Z", None, None),
    ("10000-01-01T00:00:00Z", None, None),
    ("-001-01-01T00:00:00Z", None, None),
    ("+2024-01-01T00:00:00Z", None, None),
    ("2024-01-00T00:00:00Z", None, None),
    ("2024-00-01T00:00:00Z", None, None),
    ("2024-13-01T00:00:00Z", None, None),
    ("2024-04-31T00:00:00Z", None, None),
    ("", None, None),
    (" 2024-01-01T00:00:00Z", None, None),
    ("2024-01-01T00:00:00Z ", None, None),
    ("2024-01-01T00:00:00ZZ", None, None),
    ("2024-01-01T00:00:00.123456Z", Some((1704067200, 123456000, "2024-01-01T00:00:00Z")), Some((1704067200, 123456000, "2024-01-01T00:00:00.123456Z"))),
    ("2024-01-01T00:00:00.000000Z", Some((1704067200, 0, "2024-01-01T00:00:00Z")), Some((1704067200, 0, "2024-01-01T00:00:00.000000Z"))),
    ("2024-01-01T00:00:00.1234567Z", Some((1704067200, 123456700, "2024-01-01T00:00:00Z")), None),
    ("2024-01-01T00:00:00.12345Z", Some((1704067200, 123450000, "2024-01-01T00:00:00Z")), None),
    ("2024-01-01T00:00:00,123456Z", Some((1704067200, 123456000, "2024-01-01T00:00:00Z")), Some((1704067200, 123456000, "2024-01-01T00:00:00.123456Z"))),
    ("2024-01-01T00:00:00.123456+05:30", Some((1704047400, 123456000, "2023-12-31T18:30:00Z")), Some((1704047400, 123456000, "2023-12-31T18:30:00.123456Z"))),
    ("2024-01-01T00:00:00.123456+24:00", Some((1703980800, 123456000, "2023-12-31T00:00:00Z")), Some((1703980800, 123456000, "2023-12-31T00:00:00.123456Z"))),
    ("2024-01-01T00:00:00.123456", None, None),
    ("2024-01-01T3:00:00.123456Z", Some((1704078000, 123456000, "2024-01-01T03:00:00Z")), Some((1704078000, 123456000, "2024-01-01T03:00:00.123456Z"))),
    ("2024-01-01T00:00:00.12345aZ", None, None),
    ("2024-01-01T00:00:00.-12345Z", None, None),
    ("2024-01-01T00:00:00.+12345Z", None, Some((1704067200, 12345000, "2024-01-01T00:00:00.012345Z"))),
    ("2024-01-01T0a:00:00Z", None, None),
    ("２０24-01-01T00:00:00Z", None, None),
    ("2024-01-01T00:00:61.000000Z", None, None),
    ("null", None, None),
    ("2024-01-01T-1:00:00Z", None, None),
    ("2024-01-01T+1:00:00Z", None, None),
    ("2024-01-01T1:00:00.000000Z", Some((1704070800, 0, "2024-01-01T01:00:00Z")), Some((1704070800, 0, "2024-01-01T01:00:00.000000Z"))),
    ("2024-01-01T001:00:00Z", None, None),
    ("1900-02-29T00:00:00Z", None, None),
    ("2000-02-29T00:00:00Z", Some((951782400, 0, "2000-02-29T00:00:00Z")), None),
    ("2024-01-01T00:00:00+1:00", None, None),
    ("2024-01-01T00:00:00+-1:00", None, None),
    ("2024-01-01T00:00:00−01:00", None, None),
    ("2024-01-01T00:00:00-24:00", Some((1704153600, 0, "2024-01-02T00:00:00Z")), None),
    ("2024-01-01T00:00:00-24:60", Some((1704157200, 0, "2024-01-02T01:00:00Z")), None),
    ("2024-01-01T00:00:00+24:60", Some((1703977200, 0, "2023-12-30T23:00:00Z")), None),
    ("2024-01-01T00:00:00+24:61", None, None),
    ("2024-01-01T00:00:00.5+24:00", Some((1703980800, 500000000, "2023-12-31T00:00:00Z")), None),
    ("2024-01-01T00:00:00.123456z", None, None),
    ("2024-01-01T00:00:00UTC", None, None),
    ("2024-01-01T23:59:59.9999999999Z", Some((1704153599, 999999999, "2024-01-01T23:59:59Z")), None),
    ("2024-01-01T00:00:00,Z", None, None),
    ("2024-01-01T00:00:00.0Z", Some((1704067200, 0, "2024-01-01T00:00:00Z")), None),
    ("2024-01-01T00:00:0.5Z", None, None),
    ("2024-01-01T00:00:5Z", None, None),
    ("2024-01-01T00:5:00Z", None, None),
];

fn check<T: FromStr<Err = ParseTimeError> + fmt::Display + Into<Time>>(text: &str, go: Read) {
    match (text.parse::<T>(), go) {
        (Ok(read), Some((seconds, nanos, printed))) => {
            if !printed.is_empty() {
                assert_eq!(read.to_string(), printed, "{text:?}");
            }
            let time: Time = read.into();
            assert_eq!((time.unix_seconds(), time.subsec_nanos()), (seconds, nanos), "{text:?}");
        }
        (Err(error), None) => {
            assert!(error.to_string().starts_with(&format!("{text:?} is not a time")), "{error}")
        }
        (read, go) => panic!("{text:?}: {:?}, Go {go:?}", read.map(Into::into)),
    }
}

#[test]
fn times_are_read_refused_and_printed_as_go_does() {
    for &(text, time, micro) in GO {
        check::<Time>(text, time);
        check::<MicroTime>(text, micro);
    }
}

#[test]
fn times_are_strings_in_json_and_nothing_else() {
    let time: Time = serde_json::from_str(r#""9999-12-31T23:59:59.5\u005a""#).unwrap();
    assert_eq!(serde_json::to_string(&time).unwrap(), r#""9999-12-31T23:59:59Z""#);
    assert_eq!(format!("{time:?}"), "9999-12-31T23:59:59.5Z");
    let micro: MicroTime = serde_json::from_str(r#""2024-01-01T00:00:00.000001Z""#).unwrap();
    assert_eq!(serde_json::to_string(&micro).unwrap(), r#""2024-01-01T00:00:00.000001Z""#);
    for text in ["1", "true", "{}", "[]", "null"] {
        serde_json::from_str::<Time>(text).expect_err(text);
    }
    assert_eq!(serde_json::from_str::<Option<Time>>("null").unwrap(), None);
}

#[test]
fn times_convert_from_and_to_the_types_of_k8s_openapi_within_their_range() {
    for text in
        ["1969-12-31T23:59:59.5Z", "2024-02-29T12:00:00Z", "9999-12-30T00:00:00Z", "0000-01-01T00:00:00Z"]
    {
        let time: Time = text.parse().unwrap();
        let timestamp: Timestamp = text.parse().unwrap();
        assert_eq!((time.to_timestamp(), Time::from(timestamp)), (Some(timestamp), time), "{text}");
        assert_eq!(Time::from(&meta::Time::try_from(time).unwrap()), time);
    }
    let never: Time = "9999-12-31T23:59:59Z".parse().unwrap();
    assert_eq!(never.to_timestamp(), None);
    let error = meta::Time::try_from(never).unwrap_err();
    assert!(error.to_string().contains("9999-12-31T23:59:59Z"), "{error}");
    meta::MicroTime::try_from(MicroTime::from(never)).unwrap_err();
}

#[test]
fn times_are_ordered_and_subtracted_by_the_clock() {
    let time = |text: &str| text.parse::<Time>().unwrap();
    assert!(time("2024-01-01T00:00:00.1Z") < time("2024-01-01T00:00:00.2Z"));
    assert!(time("2024-01-01T01:00:00+02:00") < time("2024-01-01T00:00:00Z"));
    let (early, late) = (time("1969-12-31T23:59:59.75Z"), time("1970-01-01T00:00:01.25Z"));
    assert_eq!(late.duration_since(early), SignedDuration::from_millis(1_500));
    assert_eq!(early.duration_since(late), SignedDuration::from_millis(-1_500));
}

/// Each day of 500 years around both ends and the epoch, by its last second.
#[test]
fn every_day_converts_to_seconds_and_back() {
    let mut last = String::new();
    for day in (-719_528..-620_000).chain(-40_000..40_000).chain(2_830_000..2_932_897_i64) {
        let time = Time::from_unix_seconds(day * 86_400 + 86_399);
        let printed = time.to_string();
        assert!(printed.ends_with("T23:59:59Z") && last < printed, "{last} {printed}");
        assert_eq!(printed.parse(), Ok(time));
        last = printed;
    }
    assert_eq!(last, "9999-12-31T23:59:59Z");
}
