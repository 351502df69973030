//! Resource quantities: `100m`, `64Mi`, `1e3`.

use core::cmp::Ordering;
use core::fmt;
use core::ops::{Add, AddAssign, Sub};

/// Which suffixes a quantity is written with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// `n u m k M G T P E`: powers of 1000.
    #[default]
    DecimalSi,
    /// `Ki Mi Gi Ti Pi Ei`: powers of 1024.
    BinarySi,
    /// `e3`, `E6`: powers of ten.
    DecimalExponent,
}

/// A fixed-point number with a preferred way of being written.
///
/// Values are compared and added as numbers; the format only shows. The range is ±170 billion
/// billion with nine decimals.
///
/// Models staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quantity {
    nanos: i128,
    format: Format,
}

/// Why a text is no quantity; the words are Kubernetes'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuantityError {
    /// The text has not the form of a quantity.
    Format,
    /// Its number cannot be read.
    Numeric,
    /// Its suffix is none that exists.
    Suffix,
}

impl fmt::Display for QuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            QuantityError::Format => {
                "quantities must match the regular expression \
                 '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            }
            QuantityError::Numeric => "unable to parse numeric part of quantity",
            QuantityError::Suffix => "unable to parse quantity's suffix",
        })
    }
}

const NANOS: i128 = 1_000_000_000;
const DECIMAL_SUFFIXES: [(&str, i32); 10] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];
const BINARY_SUFFIXES: [(&str, u32); 6] =
    [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

impl Quantity {
    /// Zero, written `0`.
    pub const ZERO: Quantity = Quantity { nanos: 0, format: Format::DecimalSi };

    /// A whole number in decimal notation.
    pub const fn from_units(units: i64) -> Self {
        Quantity { nanos: units as i128 * NANOS, format: Format::DecimalSi }
    }

    /// So many thousandths in decimal notation.
    pub const fn from_millis(millis: i64) -> Self {
        Quantity { nanos: millis as i128 * (NANOS / 1000), format: Format::DecimalSi }
    }

    /// A whole number of bytes in binary notation.
    pub const fn from_bytes(bytes: i64) -> Self {
        Quantity { nanos: bytes as i128 * NANOS, format: Format::BinarySi }
    }

    /// Reads a quantity.
    ///
    /// # Errors
    /// [`QuantityError`] with the words of `resource.ParseQuantity`.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, text.get(1..).unwrap_or_default()),
            Some(b'+') => (false, text.get(1..).unwrap_or_default()),
            Some(_) => (false, text),
            None => return Err(QuantityError::Format),
        };
        let digits =
            unsigned.len() - unsigned.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (whole, rest) = unsigned.split_at_checked(digits).ok_or(QuantityError::Format)?;
        let (fraction, suffix) = match rest.strip_prefix('.') {
            Some(rest) => {
                let digits =
                    rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                rest.split_at_checked(digits).ok_or(QuantityError::Format)?
            }
            None => ("", rest),
        };
        if !is_suffix_shaped(suffix) {
            return Err(QuantityError::Format);
        }
        let (scale, binary_shift, format) =
            interpret_suffix(suffix).ok_or(QuantityError::Suffix)?;
        if whole.is_empty() && fraction.is_empty() {
            return Err(QuantityError::Numeric);
        }
        let nanos = scaled_nanos(whole, fraction, scale, binary_shift)?;
        let format = match format {
            Format::BinarySi if 0 < nanos && nanos < NANOS => Format::DecimalSi,
            format => format,
        };
        Ok(Quantity { nanos: if negative { -nanos } else { nanos }, format })
    }

    /// The value in whole units, rounded up, as `Quantity.Value`.
    pub fn value(self) -> i64 {
        saturate(div_ceil(self.nanos, NANOS))
    }

    /// The value in thousandths, rounded up, as `Quantity.MilliValue`.
    pub fn milli_value(self) -> i64 {
        saturate(div_ceil(self.nanos, NANOS / 1000))
    }

    /// Whether the value is zero.
    pub const fn is_zero(self) -> bool {
        self.nanos == 0
    }

    /// Whether the value is below zero.
    pub const fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// The notation it prefers.
    pub const fn format(self) -> Format {
        self.format
    }
}

/// Whether `suffix` is `[eEinumkKMGTP]*[-+]?[0-9]*`.
fn is_suffix_shaped(suffix: &str) -> bool {
    let rest = suffix.trim_start_matches(|c: char| "eEinumkKMGTP".contains(c));
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    rest.bytes().all(|byte| byte.is_ascii_digit())
}

/// The power of ten, the power of two and the notation of a suffix.
fn interpret_suffix(suffix: &str) -> Option<(i32, u32, Format)> {
    if let Some((_, scale)) = DECIMAL_SUFFIXES.iter().find(|(text, _)| *text == suffix) {
        return Some((*scale, 0, Format::DecimalSi));
    }
    if let Some((_, shift)) = BINARY_SUFFIXES.iter().find(|(text, _)| *text == suffix) {
        return Some((0, *shift, Format::BinarySi));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    Some((exponent.parse().ok()?, 0, Format::DecimalExponent))
}

/// Digits and suffix as a number of nanos, rounded away from zero as upstream rounds.
fn scaled_nanos(
    whole: &str,
    fraction: &str,
    scale: i32,
    binary_shift: u32,
) -> Result<i128, QuantityError> {
    // More digits than this no unit can hold; a hostile text must not make us work.
    const MOST_DIGITS: usize = 27;
    let digits: String = [whole.trim_start_matches('0'), fraction].concat();
    let trimmed = digits.trim_end_matches('0');
    if trimmed.is_empty() {
        return Ok(0);
    }
    let cut = trimmed.get(..MOST_DIGITS).unwrap_or(trimmed);
    let number: i128 = cut.parse().map_err(|_| QuantityError::Numeric)?;
    let fraction_digits = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
    let dropped = i64::try_from(digits.len() - cut.len()).unwrap_or(i64::MAX);
    let power = 9i64.saturating_add(i64::from(scale)).saturating_add(dropped) - fraction_digits;
    let shifted = number.checked_mul(1i128 << binary_shift).unwrap_or(i128::MAX / 2);
    Ok(if power >= 0 {
        (0..power.min(39))
            .try_fold(shifted, |value, _| value.checked_mul(10))
            .unwrap_or(i128::MAX / 4)
    } else {
        let divisor = 10i128.checked_pow(u32::try_from(-power).unwrap_or(u32::MAX));
        divisor.map_or(1, |divisor| div_ceil(shifted, divisor))
    })
}

fn div_ceil(value: i128, divisor: i128) -> i128 {
    let quotient = value.div_euclid(divisor);
    if value.rem_euclid(divisor) == 0 { quotient } else { quotient + 1 }
}

fn saturate(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

impl fmt::Display for Quantity {
    /// The canonical form, as `Quantity.String` gives it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let small = self.nanos.unsigned_abs() < 1024 * NANOS.unsigned_abs();
        match self.format {
            _ if self.nanos == 0 => f.write_str("0"),
            Format::BinarySi if !small => {
                let mut value = div_ceil(self.nanos, NANOS);
                let mut suffix = "";
                for (text, _) in BINARY_SUFFIXES {
                    if value % 1024 != 0 {
                        break;
                    }
                    (value, suffix) = (value / 1024, text);
                }
                write!(f, "{value}{suffix}")
            }
            format => {
                let mut value = self.nanos;
                let mut index = 0;
                while value % 1000 == 0 && index + 1 < DECIMAL_SUFFIXES.len() {
                    (value, index) = (value / 1000, index + 1);
                }
                let (suffix, power) = DECIMAL_SUFFIXES.get(index).copied().unwrap_or(("", 0));
                match (format, power) {
                    (Format::DecimalExponent, 0) => write!(f, "{value}"),
                    (Format::DecimalExponent, power) => write!(f, "{value}e{power}"),
                    _ => write!(f, "{value}{suffix}"),
                }
            }
        }
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl Add for Quantity {
    type Output = Quantity;

    /// The sum in the notation of the left side, or of the right if the left is zero.
    fn add(self, rhs: Quantity) -> Quantity {
        let format = if self.is_zero() { rhs.format } else { self.format };
        Quantity { nanos: self.nanos.saturating_add(rhs.nanos), format }
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, rhs: Quantity) {
        *self = *self + rhs;
    }
}

impl Sub for Quantity {
    type Output = Quantity;

    fn sub(self, rhs: Quantity) -> Quantity {
        let format = if self.is_zero() { rhs.format } else { self.format };
        Quantity { nanos: self.nanos.saturating_sub(rhs.nanos), format }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_written_in_their_canonical_form() {
        // From staging/src/k8s.io/apimachinery/pkg/api/resource/quantity_test.go, by mechanism.
        let cases = [
            ("0", "0"),
            ("100m", "100m"),
            ("0.1", "100m"),
            ("1000m", "1"),
            ("1.5", "1500m"),
            ("64Mi", "64Mi"),
            ("1024", "1024"),
            ("1024Ki", "1Mi"),
            ("0.5Gi", "512Mi"),
            ("1023Ki", "1023Ki"),
            ("512Ki", "512Ki"),
            ("1000k", "1M"),
            ("1e3", "1e3"),
            ("12E2", "1200"),
            ("+1", "1"),
            ("-5m", "-5m"),
            ("0.1n", "1n"),
            ("102625208Ki", "102625208Ki"),
            (".5", "500m"),
            ("0.5Ki", "512"),
            ("007", "7"),
        ];
        for (text, canonical) in cases {
            let quantity = Quantity::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(quantity.to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused_in_kubernetes_words() {
        let cases = [
            ("", QuantityError::Format),
            ("1GB", QuantityError::Format),
            ("1 Gi", QuantityError::Format),
            ("1mm", QuantityError::Suffix),
            ("1Gi2", QuantityError::Suffix),
            ("Mi", QuantityError::Numeric),
        ];
        for (text, error) in cases {
            assert_eq!(Quantity::parse(text).err(), Some(error), "{text}");
        }
    }

    #[test]
    fn values_are_rounded_up() {
        let value = |text| Quantity::parse(text).map(|q| (q.value(), q.milli_value()));
        assert_eq!(value("100m"), Ok((1, 100)));
        assert_eq!(value("-1500m"), Ok((-1, -1500)));
        assert_eq!(value("1Ki"), Ok((1024, 1_024_000)));
    }

    #[test]
    fn absurd_numbers_are_capped_without_a_panic() {
        for text in
            ["9".repeat(5000), "1e999999".into(), "1e-999999".into(), "1e99999999999".into()]
        {
            let _ = Quantity::parse(&text).map(|q| (q.to_string(), q.value(), q + q, q - q));
        }
    }
}
