//! Latencies as histograms, and what is told of them.

use hdrhistogram::Histogram;

use crate::error::Error;

/// What is told of one round: the middle, the tail, the worst.
#[derive(Clone, Copy, Debug)]
pub struct Quantile {
    pub name: &'static str,
    pub quantile: f64,
}

/// The middle comes first.
pub const QUANTILES: [Quantile; 5] = [
    quantile("p50", 0.5),
    quantile("p99", 0.99),
    quantile("p99.9", 0.999),
    quantile("p99.99", 0.9999),
    quantile("max", 1.0),
];

/// Those that a comparison with another day tells: the others are a few events of a run, and so mostly the machine's.
pub const ALONE: [Quantile; 3] = [QUANTILES[0], QUANTILES[1], QUANTILES[2]];

const fn quantile(name: &'static str, quantile: f64) -> Quantile {
    Quantile { name, quantile }
}

impl Quantile {
    /// Whether so many samples have one beyond it; the worst is always there.
    pub fn is_in(self, samples: u64) -> bool {
        let beyond = (1.0 - self.quantile) * samples as f64;
        self.quantile == 1.0 || beyond >= 0.999
    }
}

/// Values to three digits, from a nanosecond to a minute.
pub struct Latencies(Histogram<u64>);

impl Latencies {
    pub fn new() -> Result<Latencies, Error> {
        let histogram = Histogram::new_with_bounds(1, 60_000_000_000, 3);
        Ok(Latencies(histogram.map_err(|error| error.to_string())?))
    }

    pub fn of(samples: &[u64]) -> Result<Latencies, Error> {
        let mut latencies = Latencies::new()?;
        for sample in samples {
            latencies.0.saturating_record(*sample);
        }
        Ok(latencies)
    }

    pub fn at(&self, quantile: Quantile) -> f64 {
        self.0.value_at_quantile(quantile.quantile) as f64
    }

    pub fn merge(&mut self, other: &Latencies) -> Result<(), Error> {
        Ok(self.0.add(&other.0).map_err(|error| error.to_string())?)
    }

    /// Pairs of a quantile and nanoseconds, closer together the nearer the quantile is to 1. The last is the worst, at the
    /// quantile that one of so many is beyond: 1 itself has no place on a plot of such quantiles.
    pub fn curve(&self) -> Vec<(f64, f64)> {
        let value = |quantile| (quantile, self.0.value_at_quantile(quantile) as f64);
        let steps = (0..).map(|step| 10_f64.powf(-f64::from(step) / 8.0));
        let count = self.0.len() as f64;
        let mut curve: Vec<_> = steps
            .take_while(|beyond| beyond * count > 1.0)
            .map(|beyond| value(1.0 - beyond))
            .collect();
        if count > 0.0 {
            curve.push((1.0 - 1.0 / count, value(1.0).1));
        }
        curve
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_a_thousand() {
        let samples: Vec<u64> = (1..=1000).collect();
        let latencies = Latencies::of(&samples).unwrap();
        let told = QUANTILES.map(|quantile| latencies.at(quantile));
        assert_eq!(told, [500.0, 990.0, 999.0, 1000.0, 1000.0]);
        let there = QUANTILES.map(|quantile| quantile.is_in(1000));
        assert_eq!(there, [true, true, true, false, true]);
    }

    #[test]
    fn a_curve_ends_at_the_worst() {
        let mut merged = Latencies::new().unwrap();
        for samples in [[1, 2], [3, 4]] {
            merged.merge(&Latencies::of(&samples).unwrap()).unwrap();
        }
        let curve = merged.curve();
        assert_eq!(curve.first(), Some(&(0.0, 1.0)));
        assert_eq!(curve.last(), Some(&(0.75, 4.0)));
    }
}
