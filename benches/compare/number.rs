//! Numbers as a reader wants them: three digits that count.

use crate::record::{Bound, Unit};
use crate::stats::Spread;

/// Three significant digits; all of them from 1000 on.
pub fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value:.0}");
    }
    let digits = value.abs().log10().floor() as i32;
    let decimals = (2 - digits).clamp(0, 4) as usize;
    without_minus(format!("{value:.decimals$}"))
}

/// In the unit that tables use: millions a second, or nanoseconds.
pub fn scaled(value: f64, unit: Unit) -> f64 {
    match unit {
        Unit::EventsPerSecond => value / 1e6,
        Unit::Nanoseconds => value,
    }
}

pub fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::EventsPerSecond => "M events/s",
        Unit::Nanoseconds => "ns",
    }
}

/// `12.3 (11.9 to 12.8)`.
pub fn spread(spread: Spread, unit: Unit) -> String {
    let text = |value| short(scaled(value, unit));
    format!(
        "{} ({} to {})",
        text(spread.median),
        text(spread.lower),
        text(spread.upper)
    )
}

/// `1.23 [1.19, 1.28]`.
pub fn ratio(ratio: Spread) -> String {
    let text = |value: f64| without_minus(format!("{value:.2}"));
    let Spread {
        lower,
        median,
        upper,
    } = ratio;
    format!("{} [{}, {}]", text(median), text(lower), text(upper))
}

/// Nothing is less than nothing.
fn without_minus(text: String) -> String {
    match text.strip_prefix('-') {
        Some(digits) if !digits.contains(|digit| ('1'..='9').contains(&digit)) => digits.into(),
        _ => text,
    }
}

pub fn bound(bound: Bound) -> String {
    match bound {
        Bound::AtLeast(least) => format!("at least {least}"),
        Bound::AtMost(most) => format!("at most {most}"),
    }
}

/// Whether a ratio is where it should be, and whether all of its middle half says so.
pub fn verdict(bound: Bound, ratio: Spread) -> &'static str {
    let holds = |value: f64| match bound {
        Bound::AtLeast(least) => value >= least,
        Bound::AtMost(most) => value <= most,
    };
    match (
        holds(ratio.median),
        holds(ratio.lower) == holds(ratio.upper),
    ) {
        (true, true) => "met",
        (true, false) => "met, within the spread",
        (false, true) => "**not met**",
        (false, false) => "**not met**, within the spread",
    }
}

/// Four significant digits: more would be noise in a file that is kept.
pub fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits() {
        let values = [0.0, 0.01234, 0.5, 1.0, 12.345, 123.45, 12345.6, f64::NAN];
        let texts = [
            "0", "0.0123", "0.500", "1.00", "12.3", "123", "12346", "NaN",
        ];
        assert_eq!(values.map(short), texts);
    }

    #[test]
    fn rounding() {
        assert_eq!(rounded(123_456_789.0), 123_500_000.0);
        assert_eq!(rounded(0.0), 0.0);
    }

    #[test]
    fn verdicts() {
        let ratio = |lower, median, upper| Spread {
            lower,
            median,
            upper,
        };
        let least = Bound::AtLeast(1.0);
        assert_eq!(verdict(least, ratio(1.1, 1.2, 1.3)), "met");
        assert_eq!(
            verdict(least, ratio(0.9, 1.2, 1.3)),
            "met, within the spread"
        );
        assert_eq!(verdict(least, ratio(0.7, 0.8, 0.9)), "**not met**");
        let most = Bound::AtMost(1.0);
        assert_eq!(
            verdict(most, ratio(0.9, 1.1, 1.2)),
            "**not met**, within the spread"
        );
        assert_eq!(verdict(most, ratio(0.9, 1.0, 1.0)), "met");
    }

    #[test]
    fn texts() {
        let of = Spread::of(&[1e6, 2e6, 3e6]);
        assert_eq!(spread(of, Unit::EventsPerSecond), "2.00 (1.50 to 2.50)");
        assert_eq!(ratio(Spread::of(&[1.0, 2.0, 3.0])), "2.00 [1.50, 2.50]");
        assert_eq!(ratio(Spread::of(&[-0.001])), "0.00 [0.00, 0.00]");
    }
}
