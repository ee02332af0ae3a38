//! Plots, as SVG: a bar for each candidate with its middle half, or a curve over the quantiles for latencies.

use std::error::Error;
use std::path::Path;

use plotters::coord::ranged1d::SegmentValue;
use plotters::prelude::*;
use plotters::style::FontTransform;

use crate::number;
use crate::record::{Scenario, Unit};
use crate::stats::Spread;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

const WIDTH: u32 = 900;
const BAR: u32 = 20;
const FRAME: u32 = 80;
const CURVES: u32 = 420;
const OURS: RGBColor = RGBColor(0x1f, 0x5f, 0xa8);
const THEIRS: RGBColor = RGBColor(0x9a, 0xa5, 0xb1);
const FONT: (&str, u32) = ("sans-serif", 13);

/// The scenarios of one group, one below the other.
pub fn group(scenarios: &[&Scenario], file: &Path) -> Result {
    let heights: Vec<u32> = scenarios.iter().map(|s| height(s)).collect();
    let size = (WIDTH, heights.iter().sum::<u32>().max(1));
    let root = SVGBackend::new(file, size).into_drawing_area();
    root.fill(&WHITE)?;
    let mut rest = root.clone();
    for (scenario, height) in scenarios.iter().zip(heights) {
        let (here, below) = rest.split_vertically(height);
        if is_curves(scenario) {
            curves(scenario, &here)?;
        } else {
            bars(scenario, &here)?;
        }
        rest = below;
    }
    root.present()?;
    Ok(())
}

fn is_curves(scenario: &Scenario) -> bool {
    scenario
        .series
        .iter()
        .any(|series| points(&series.curve).len() > 1)
}

fn height(scenario: &Scenario) -> u32 {
    match is_curves(scenario) {
        true => CURVES,
        false => FRAME + BAR * scenario.series.len() as u32,
    }
}

fn bars(scenario: &Scenario, area: &Area<'_>) -> Result {
    let scaled = |value| number::scaled(value, scenario.unit);
    let spreads: Vec<Spread> = scenario
        .series
        .iter()
        .map(|series| Spread::of(&series.samples))
        .collect();
    let most = spreads.iter().map(|spread| scaled(spread.upper));
    let most = most.fold(0.0, f64::max).max(f64::MIN_POSITIVE) * 1.15;
    let rows = spreads.len() as i32;
    let mut chart = ChartBuilder::on(area)
        .caption(&scenario.name, ("sans-serif", 16))
        .margin(6)
        .margin_right(20)
        .x_label_area_size(30)
        .y_label_area_size(230)
        .build_cartesian_2d(0.0..most, (0..(rows - 1).max(0)).into_segmented())?;
    // The first candidate is on top.
    let candidate = |row: &SegmentValue<i32>| match row {
        SegmentValue::CenterOf(row) => usize::try_from(rows - 1 - row)
            .ok()
            .and_then(|at| scenario.series.get(at))
            .map_or(String::new(), |series| series.candidate.clone()),
        _ => String::new(),
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc(number::unit_name(scenario.unit))
        .x_labels(8)
        .x_label_formatter(&|value| number::short(*value))
        .y_labels(rows.max(1) as usize)
        .y_label_formatter(&candidate)
        .label_style(FONT)
        .draw()?;
    for ((spread, series), row) in spreads.iter().zip(&scenario.series).zip((0..rows).rev()) {
        let colour = match series.candidate.starts_with("ringbus") {
            true => OURS,
            false => THEIRS,
        };
        let corners = [
            (0.0, SegmentValue::Exact(row)),
            (scaled(spread.median), SegmentValue::Exact(row + 1)),
        ];
        let mut bar = Rectangle::new(corners, colour.filled());
        bar.set_margin(3, 3, 0, 0);
        chart.draw_series([bar])?;
        let (lower, upper) = (scaled(spread.lower), scaled(spread.upper));
        let middle = SegmentValue::CenterOf(row);
        let whisker = ErrorBar::new_horizontal(
            middle.clone(),
            lower,
            scaled(spread.median),
            upper,
            BLACK,
            6,
        );
        chart.draw_series([whisker])?;
        let text = number::short(scaled(spread.median));
        let place = (upper + most * 0.01, middle);
        chart.draw_series([Text::new(text, place, FONT)])?;
    }
    Ok(())
}

fn curves(scenario: &Scenario, area: &Area<'_>) -> Result {
    let curves = scenario.series.iter().map(|series| points(&series.curve));
    let curves: Vec<Vec<(f64, f64)>> = curves.collect();
    let points = curves.iter().flatten();
    let rarest = points
        .clone()
        .fold(10.0, |most: f64, point| most.max(point.0));
    let least = points
        .clone()
        .fold(f64::MAX, |least, point| least.min(point.1));
    let most = points.fold(1.0, |most: f64, point| most.max(point.1));
    let mut chart = ChartBuilder::on(area)
        .caption(&scenario.name, ("sans-serif", 16))
        .margin(6)
        .margin_right(20)
        .x_label_area_size(40)
        .y_label_area_size(70)
        .build_cartesian_2d(
            (1.0..rarest).log_scale(),
            (least * 0.9..most * 1.1).log_scale(),
        )?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc("quantile")
        .x_label_formatter(&|one_in| quantile_name(*one_in))
        .y_desc(number::unit_name(Unit::Nanoseconds))
        .y_label_formatter(&|value| number::short(*value))
        .label_style(FONT)
        .axis_desc_style(FONT.into_font().transform(FontTransform::None))
        .draw()?;
    for (at, (series, curve)) in scenario.series.iter().zip(curves).enumerate() {
        let style = Palette99::pick(at).stroke_width(2);
        chart
            .draw_series(LineSeries::new(curve, style))?
            .label(&series.candidate)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .label_font(FONT)
        .draw()?;
    Ok(())
}

/// A quantile is drawn at the number of events among which one is slower; so the worst of all has no place.
fn points(curve: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let seen = curve.iter().filter(|(quantile, _)| *quantile < 1.0);
    seen.map(|(quantile, value)| (1.0 / (1.0 - quantile), value.max(1.0)))
        .collect()
}

/// `99.9%` for one in 1000.
fn quantile_name(one_in: f64) -> String {
    let percent = 100.0 - 100.0 / one_in.max(1.0);
    let text = format!("{percent:.5}");
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Series;
    use crate::rounds::Domain;

    #[test]
    fn quantiles_have_their_usual_names() {
        let names = [1.0, 2.0, 10.0, 1000.0, 100_000.0].map(quantile_name);
        assert_eq!(names, ["0%", "50%", "90%", "99.9%", "99.999%"]);
    }

    #[test]
    fn both_kinds_are_drawn_even_of_little() {
        let series = |curve: &[(f64, f64)], samples: &[f64]| Series {
            candidate: "ringbus".into(),
            samples: samples.into(),
            lost: 0,
            preemptions: 0,
            curve: curve.into(),
        };
        let scenario = |series| Scenario {
            group: "latency".into(),
            name: "a scenario".into(),
            unit: Unit::Nanoseconds,
            placement: String::new(),
            domain: Domain::Shared,
            flag: 1.0,
            series,
            targets: Vec::new(),
        };
        let latencies = scenario(vec![series(
            &[(0.5, 80.0), (0.999, 900.0), (1.0, 5e4)],
            &[],
        )]);
        let costs = scenario(vec![series(&[], &[0.0, 0.0]), series(&[], &[1.0, 3.0])]);
        let empty = scenario(Vec::new());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plot.svg");
        group(&[&latencies, &costs, &empty], &file).unwrap();
        let svg = std::fs::read_to_string(&file).unwrap();
        assert!(svg.contains("a scenario") && svg.contains("ringbus"));
    }
}
