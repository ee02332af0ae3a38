//! Numbers by what they mean: exact decimals, however they are written.

use std::borrow::Cow;

/// A JSON number: its digits times ten to the power of its exponent.
///
/// Written one way only, so that equal numbers are equal: no zero at either end of the digits, and none at all for zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decimal<'a> {
    negative: bool,
    digits: Cow<'a, str>,
    exponent: i128,
}

impl<'a> Decimal<'a> {
    /// Reads the text of a number, in time linear to it. `None` for what is no number, and for an exponent beyond an `i128`.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (significand, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = significand.split_once('.').unwrap_or((significand, ""));
        if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        let all = match (whole, fraction) {
            (whole, "") => Cow::Borrowed(whole.trim_end_matches('0')),
            ("", fraction) => Cow::Borrowed(fraction.trim_start_matches('0')),
            _ => Cow::Owned([whole, fraction].concat()),
        };
        if all.is_empty() {
            return Some(Decimal {
                negative: false,
                digits: all,
                exponent: 0,
            });
        }
        let shift = if fraction.is_empty() {
            (whole.len() - all.len()) as i128
        } else {
            -(fraction.len() as i128)
        };
        Some(Decimal {
            negative,
            digits: all,
            exponent: exponent.parse::<i128>().ok()?.checked_add(shift)?,
        })
    }

    pub(crate) fn into_owned(self) -> Decimal<'static> {
        Decimal {
            negative: self.negative,
            digits: Cow::Owned(self.digits.into_owned()),
            exponent: self.exponent,
        }
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(a: &str, b: &str) -> bool {
        Decimal::read(a).unwrap() == Decimal::read(b).unwrap()
    }

    #[test]
    fn equal_numbers_are_equal_however_they_are_written() {
        for same in [
            &["1", "1.0", "1e0", "1E+0", "10e-1", "0.1e1", "0.0100e2"][..],
            &[
                "0",
                "-0",
                "0.000",
                "0e5",
                "-0.0e-9",
                "0e999999999999999999999999999999999999999999",
            ],
            &["-1200", "-12e2", "-1.2E3", "-1200.00", "-0.0012e6"],
            &[
                "9007199254740993",
                "9007199254740993.0",
                "9007199254740.993e3",
            ],
            &["1e999999999", "10e999999998", "0.1e1000000000"],
            &["1e-999999999", "0.01e-999999997"],
        ] {
            for a in same {
                assert!(same.iter().all(|b| equal(a, b)), "{a} in {same:?}");
            }
        }
    }

    #[test]
    fn others_are_not() {
        assert!(!equal("9007199254740993", "9007199254740992"));
        assert!(!equal("1", "-1"));
        assert!(!equal("1", "10"));
        assert!(!equal("1.01", "1.1"));
        assert!(!equal("1e999999999", "1e999999998"));
        assert!(!equal("0.1", "0.1000000000000000055511151231257827"));
    }

    #[test]
    fn what_is_no_number_or_too_far_out_is_none() {
        for text in [
            "", "-", ".5", "e5", "1e", "1e5e5", "1.5.5", "+1", "x", "1 ", "NaN", "--1",
        ] {
            assert_eq!(Decimal::read(text), None, "{text}");
        }
        let far = format!("1e{}", "9".repeat(100_000));
        assert_eq!(Decimal::read(&far), None);
        assert_eq!(Decimal::read(&format!("10e{}", i128::MAX)), None);
    }
}
