//! Quantities in upstream's canonical form: `0.5` is `500m`, `1000000000` is `1G`, `1.5Gi` is `1536Mi`.

/// What upstream says of anything that is no quantity.
pub(super) const NO_QUANTITY: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/// What may follow a number, and the power of ten that it stands for.
const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];

/// What may follow a number, each 1024 times the one before.
const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// The canonical form; a number that is too large for it is kept as it is.
pub(super) fn canonical(text: &str) -> Result<String, String> {
    let text = text.trim();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = !number.is_empty() && number != "." && !fraction.contains('.');
    if !is_number || !suffix.chars().all(|c| "eEinumkKMGTP+-".contains(c) || c.is_ascii_digit()) {
        return Err(NO_QUANTITY.to_owned());
    }
    let form = Form::of(suffix).ok_or("unable to parse quantity's suffix")?;
    let Ok(digits) = format!("0{whole}{fraction}").parse::<i128>() else { return Ok(text.to_owned()) };
    let decimals = i32::try_from(fraction.len()).unwrap_or(i32::MAX);
    let sign = if text.starts_with('-') && digits > 0 { "-" } else { "" };
    let written = match form {
        Form::Binary(times) => binary(digits, decimals, times),
        Form::Decimal(power) => decimal(digits, power - decimals, false),
        Form::Exponent(power) => decimal(digits, power.saturating_sub(decimals), true),
    };
    Ok(written.map_or_else(|| text.to_owned(), |written| format!("{sign}{written}")))
}

/// How the number goes on.
enum Form {
    /// 1024, so many times.
    Binary(u32),
    /// A power of ten.
    Decimal(i32),
    /// A power of ten, written as such.
    Exponent(i32),
}

impl Form {
    fn of(suffix: &str) -> Option<Self> {
        if let Some((_, power)) = DECIMAL.iter().find(|(word, _)| *word == suffix) {
            return Some(Self::Decimal(*power));
        }
        if let Some(position) = BINARY.iter().position(|word| *word == suffix) {
            return u32::try_from(position + 1).ok().map(Self::Binary);
        }
        suffix.strip_prefix(['e', 'E'])?.parse().ok().map(Self::Exponent)
    }
}

/// `digits` times a power of ten; `None` if that is too large.
fn decimal(mut digits: i128, mut power: i32, is_exponent: bool) -> Option<String> {
    if power < -60 {
        (digits, power) = (digits.min(1), -9); // nothing is left of it but that there was something
    }
    while power < -9 {
        digits = digits.checked_add(9)? / 10; // rounded up: nobody gets less than was asked for
        power += 1;
    }
    if digits == 0 {
        return Some("0".to_owned());
    }
    while digits % 10 == 0 {
        digits /= 10;
        power += 1;
    }
    while power % 3 != 0 || !is_exponent && power > 18 {
        digits = digits.checked_mul(10)?;
        power -= 1;
    }
    if is_exponent {
        return Some(if power == 0 { digits.to_string() } else { format!("{digits}e{power}") });
    }
    let (suffix, _) = DECIMAL.iter().find(|(_, known)| *known == power)?;
    Some(format!("{digits}{suffix}"))
}

/// `digits` with so many decimals, times 1024 so many times; `None` if that is too large.
fn binary(digits: i128, decimals: i32, times: u32) -> Option<String> {
    let scaled = digits.checked_mul(1024_i128.checked_pow(times)?)?;
    let unit = 10_i128.checked_pow(decimals.try_into().ok()?)?;
    if scaled < unit.checked_mul(1024)? {
        return decimal(scaled, -decimals, false);
    }
    let mut whole = scaled.checked_add(unit - 1)? / unit;
    let mut suffix = "";
    for next in BINARY {
        if whole % 1024 != 0 {
            break;
        }
        whole /= 1024;
        suffix = next;
    }
    Some(format!("{whole}{suffix}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FV-T7. The right side is what a kube-apiserver stored.
    #[test]
    fn quantities_are_written_as_upstream_writes_them() {
        for (sent, kept) in [
            ("1", "1"),
            ("0.5", "500m"),
            ("1000000000", "1G"),
            ("1e3", "1e3"),
            ("100m", "100m"),
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("1.5Gi", "1536Mi"),
            ("1024Mi", "1Gi"),
            ("0.5Ki", "512"),
            ("100", "100"),
            (".5", "500m"),
            ("0", "0"),
            ("0m", "0"),
            ("128974848", "128974848"),
            ("1000", "1k"),
            ("1.1", "1100m"),
            ("1E2", "100"),
            ("1e4", "10e3"),
            ("1e-3", "1e-3"),
            ("12E", "12E"),
        ] {
            assert_eq!(canonical(sent).as_deref(), Ok(kept), "{sent}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_told() {
        for wrong in ["", "x", "1.2.3", "Ki", "1 Gi", "."] {
            assert_eq!(canonical(wrong).unwrap_err(), NO_QUANTITY, "{wrong}");
        }
        assert_eq!(canonical("1KM").unwrap_err(), "unable to parse quantity's suffix");
        let huge = "9".repeat(100);
        assert_eq!(canonical(&huge), Ok(huge.clone()), "no overflow");
        assert!(canonical("1e999999999").is_ok() && canonical("1e-999").is_ok());
    }
}
