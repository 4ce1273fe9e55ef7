//! Strings that have to be of a certain form: times and base64.

use base64::{DecodeError, Engine, engine::general_purpose::STANDARD};
use k8s_openapi::jiff::{Timestamp, civil::DateTime, fmt::temporal::DateTimePrinter};

const SECONDS: &str = "2006-01-02T15:04:05Z07:00";
const MICROSECONDS: &str = "2006-01-02T15:04:05.000000Z07:00";

/// Base64, as it was.
pub(super) fn bytes(text: String) -> Result<String, String> {
    let place = match STANDARD.decode(&text) {
        Ok(_) => return Ok(text),
        Err(DecodeError::InvalidByte(place, _) | DecodeError::InvalidLastSymbol(place, _)) => place,
        Err(DecodeError::InvalidLength(_) | DecodeError::InvalidPadding) => text.len() / 4 * 4,
    };
    Err(format!("illegal base64 data at input byte {place}"))
}

/// A time in UTC, to the second.
pub(super) fn time(text: String) -> Result<String, String> {
    if is_like(&text, "dddd-dd-ddTdd:dd:ddZ")
        && let Some((date_time, "Z")) = text.split_at_checked(text.len() - 1)
        && date_time.parse::<DateTime>().is_ok()
    {
        // As nearly every client writes it. A `Timestamp` would refuse the last day of the year 9999.
        return Ok(text);
    }
    let time = parse(&text, SECONDS)?;
    Ok(DateTimePrinter::new().precision(Some(0)).timestamp_to_string(&time))
}

/// A time in UTC, to the microsecond.
pub(super) fn micro_time(text: &str) -> Result<String, String> {
    let time = parse(text, MICROSECONDS)?;
    Ok(DateTimePrinter::new().precision(Some(6)).timestamp_to_string(&time))
}

fn parse(text: &str, layout: &str) -> Result<Timestamp, String> {
    let unfit = |because: String| format!("parsing time {text:?} as {layout:?}{because}");
    if let Some((rest, part)) = mismatch(text, layout) {
        return Err(unfit(format!(": cannot parse {rest:?} as {part:?}")));
    }
    text.parse().map_err(|_| unfit(": out of range".to_owned()))
}

/// What is left of `text` where it stops following `layout`, and which part of that it fails.
fn mismatch<'a>(text: &'a str, layout: &str) -> Option<(&'a str, &'static str)> {
    let parts = ["2006", "-", "01", "-", "02", "T", "15", ":", "04", ":", "05"];
    let mut rest = text;
    for part in parts {
        let digits = part.bytes().all(|byte| byte.is_ascii_digit());
        match rest.split_at_checked(part.len()) {
            Some((found, after)) if found == part || digits && found.bytes().all(|b| b.is_ascii_digit()) => {
                rest = after
            }
            _ => return Some((rest, part)),
        }
    }
    let fraction =
        rest.strip_prefix('.').map(|rest| rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
    if layout == MICROSECONDS && fraction != Some(6) {
        return Some((rest, ".000000"));
    }
    let zone = rest.get(fraction.map_or(0, |digits| digits + 1)..).unwrap_or_default();
    let is_zone = zone == "Z" || is_like(zone, "+dd:dd") || is_like(zone, "-dd:dd");
    (!is_zone).then_some((zone, "Z07:00"))
}

/// Whether `text` has a digit wherever `pattern` has a `d`, and is the same everywhere else.
fn is_like(text: &str, pattern: &str) -> bool {
    let fits =
        |(found, wanted): (u8, u8)| if wanted == b'd' { found.is_ascii_digit() } else { found == wanted };
    text.len() == pattern.len() && text.bytes().zip(pattern.bytes()).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_kept_in_utc() {
        let seconds = |text: &str| time(text.to_owned());
        assert_eq!(seconds("2020-01-02T03:04:05Z").as_deref(), Ok("2020-01-02T03:04:05Z"));
        assert_eq!(seconds("2020-01-02T03:04:05.7+01:00").as_deref(), Ok("2020-01-02T02:04:05Z"));
        assert_eq!(seconds("9999-12-31T23:59:59Z").as_deref(), Ok("9999-12-31T23:59:59Z"));
        let micros = micro_time;
        assert_eq!(micros("2020-01-02T03:04:05.000006Z").as_deref(), Ok("2020-01-02T03:04:05.000006Z"));
    }

    /// The texts are a kube-apiserver's.
    #[test]
    fn what_is_no_time_is_told_in_go_s_words() {
        let because = time("x".to_owned()).unwrap_err();
        assert_eq!(because, r#"parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006""#);
        let because = micro_time("2020-01-01T00:00:00Z").unwrap_err();
        let expected = r#"parsing time "2020-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000""#;
        assert_eq!(because, expected);
        assert!(time("2020-13-01T00:00:00Z".to_owned()).is_err());
        assert!(time("é020-01-01T00:00:00Z".to_owned()).is_err(), "no panic within a letter");
    }

    #[test]
    fn base64_is_checked() {
        assert_eq!(bytes("ZA==".to_owned()).as_deref(), Ok("ZA=="));
        assert_eq!(bytes("abc".to_owned()).unwrap_err(), "illegal base64 data at input byte 0");
        assert_eq!(bytes("%%".to_owned()).unwrap_err(), "illegal base64 data at input byte 0");
    }
}
