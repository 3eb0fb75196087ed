//! Charts as SVG text, drawn here: a report is one file that needs nothing else.

use ach_load_tests_fleet::Latencies;
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::failure::Failure;
use crate::outcome::float;

/// Width and height, in pixels.
const SIZE: (u32, u32) = (860, 340);
/// Colours that the colour-blind tell apart (Okabe and Ito).
const COLOURS: [RGBColor; 6] = [
    RGBColor(213, 94, 0),
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];
/// Percentiles are drawn as far as a tenth of the samples lie beyond: what is further out is a few values.
const SAMPLES_BEYOND: f64 = 10.0;
/// Points of a percentile's line, a decade.
const POINTS_A_DECADE: i32 = 24;

/// A line with its name.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// A bar with its name.
#[derive(Debug, Clone)]
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) value: f64,
}

impl Line {
    /// How latencies are spread: one in so many is slower than so many microseconds.
    pub(crate) fn of_latencies(name: &str, latencies: &Latencies) -> Line {
        let histogram = latencies.histogram();
        let furthest = float(histogram.len()) / SAMPLES_BEYOND;
        let beyond = |step: i32| 10_f64.powf(f64::from(step) / f64::from(POINTS_A_DECADE));
        let points = (0..8 * POINTS_A_DECADE)
            .map(beyond)
            .take_while(|&one_in| one_in <= furthest)
            .map(|one_in| {
                let ns = histogram.value_at_quantile(1.0 - 1.0 / one_in);
                (one_in, float(ns.max(1)) / 1_000.0)
            })
            .collect();
        Line { name: name.to_owned(), points }
    }
}

/// Latencies by percentile, both axes logarithmic.
pub(crate) fn percentiles(lines: &[Line]) -> Result<String, Failure> {
    // In decades: the marks of an axis that is logarithmic by itself are too many to be read.
    let decades = |line: &Line| Line {
        name: line.name.clone(),
        points: line.points.iter().map(|(one_in, us)| (one_in.log10(), *us)).collect(),
    };
    let lines: Vec<Line> = lines.iter().map(decades).collect();
    let (x, y) = (range(&lines, |point| point.0), range(&lines, |point| point.1));
    let furthest = x.1.ceil().max(1.0);
    drawn(|area| {
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .margin_right(28)
            .x_label_area_size(44)
            .y_label_area_size(72)
            .build_cartesian_2d(0.0..furthest, (y.0 / 1.5..y.1 * 1.5).log_scale())?;
        chart
            .configure_mesh()
            .x_labels(8)
            .x_desc("percentile")
            .y_desc("microseconds")
            .x_label_formatter(&|decade| percentile(*decade))
            .y_label_formatter(&|us| grouped(*us))
            .light_line_style(WHITE.mix(0.0))
            .draw()?;
        draw_lines!(chart, &lines);
        Ok(())
    })
}

/// Values over time, from nought.
pub(crate) fn over_time(unit: &str, lines: &[Line]) -> Result<String, Failure> {
    let (x, y) = (range(lines, |point| point.0), range(lines, |point| point.1));
    drawn(|area| {
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(90)
            .build_cartesian_2d(0.0..x.1.max(1.0), 0.0..(y.1 * 1.1).max(1.0))?;
        chart
            .configure_mesh()
            .x_desc("seconds")
            .y_desc(unit)
            .y_label_formatter(&|value| grouped(*value))
            .light_line_style(WHITE.mix(0.0))
            .draw()?;
        draw_lines!(chart, lines);
        Ok(())
    })
}

/// Counts side by side, each with its number.
pub(crate) fn bars(unit: &str, bars: &[Bar]) -> Result<String, Failure> {
    let most = bars.iter().map(|bar| bar.value).fold(1.0, f64::max);
    let count = f64::from(u32::try_from(bars.len()).unwrap_or(u32::MAX));
    drawn(|area| {
        let name_of = |x: f64| {
            let at = (0..).zip(bars).find(|(at, _)| (f64::from(*at) - x).abs() < 0.01);
            at.map(|(_, bar): (u32, &Bar)| bar.name.clone()).unwrap_or_default()
        };
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .x_label_area_size(32)
            .y_label_area_size(90)
            .build_cartesian_2d(-0.5..count - 0.5, 0.0..most * 1.15)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(bars.len().saturating_mul(2))
            .x_label_formatter(&|x| name_of(*x))
            .y_desc(unit)
            .y_label_formatter(&|value| grouped(*value))
            .light_line_style(WHITE.mix(0.0))
            .draw()?;
        for ((x, bar), colour) in (0_u32..).zip(bars).zip(COLOURS.iter().cycle()) {
            let x = f64::from(x);
            let corners = [(x - 0.3, 0.0), (x + 0.3, bar.value)];
            chart.draw_series([Rectangle::new(corners, colour.filled())])?;
            let number = Text::new(
                grouped(bar.value),
                (x - 0.28, bar.value + most * 0.06),
                ("sans-serif", 14),
            );
            chart.draw_series([number])?;
        }
        Ok(())
    })
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn<'a> = Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

fn drawn(draw: impl for<'a> Fn(&Area<'a>) -> Drawn<'a>) -> Result<String, Failure> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
    let drawn = area.fill(&WHITE).and_then(|()| draw(&area)).and_then(|()| area.present());
    drawn.map_err(|error| Failure::new(format!("a chart could not be drawn: {error}")))?;
    drop(area);
    Ok(svg)
}

/// The lines of a chart with their legend. A macro, for the types of a chart's axes differ.
macro_rules! draw_lines {
    ($chart:ident, $lines:expr) => {
        for (line, colour) in $lines.iter().zip(COLOURS.iter().cycle()) {
            $chart
                .draw_series(LineSeries::new(line.points.iter().copied(), colour.stroke_width(2)))?
                .label(line.name.clone())
                .legend(move |(x, y)| {
                    PathElement::new(vec![(x, y), (x + 18, y)], colour.stroke_width(2))
                });
        }
        $chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .draw()?;
    };
}
use draw_lines;

/// The least and the most of all lines.
fn range(lines: &[Line], of: impl Fn(&(f64, f64)) -> f64) -> (f64, f64) {
    let values = || lines.iter().flat_map(|line| line.points.iter().map(&of));
    let (least, most) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
    if least.is_finite() { (least, most) } else { (1.0, 1.0) }
}

/// Full decades are named: one in ten is beyond the 90th percentile, one in a hundred beyond the 99th.
fn percentile(decade: f64) -> String {
    if decade.fract().abs() > 0.001 {
        return String::new();
    }
    let percent = 100.0 - 100.0 / 10_f64.powf(decade);
    let text = format!("{percent:.6}");
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A number with commas between thousands.
pub(crate) fn grouped(value: f64) -> String {
    let text = if value.abs() < 10.0 && value.fract().abs() > 0.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.0}")
    };
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), ""), |(whole, _)| {
        (whole, text.get(whole.len()..).unwrap_or_default())
    });
    let mut grouped = String::new();
    for (place, digit) in whole.char_indices() {
        let is_digit = digit.is_ascii_digit();
        if is_digit
            && grouped.ends_with(|it: char| it.is_ascii_digit())
            && (whole.len() - place).is_multiple_of(3)
        {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_is_svg_text_with_its_lines_and_their_names() {
        let mut latencies = Latencies::default();
        (1..=10_000).for_each(|us| latencies.record(us * 1_000));
        let line = Line::of_latencies("alarm", &latencies);
        let (last_x, last_y) = *line.points.last().expect("points");
        assert!((900.0..=1_000.0).contains(&last_x), "ten of ten thousand lie beyond: {last_x}");
        assert!((9_980.0..=10_010.0).contains(&last_y), "{last_y}");
        let svg = percentiles(&[line]).expect("drawn");
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{svg}");
        for part in ["alarm", "99 %", "<polyline"] {
            assert!(svg.contains(part), "{part} is missing");
        }
    }

    #[test]
    fn empty_charts_are_drawn_too() {
        let none = Line { name: "nothing".to_owned(), points: Vec::new() };
        assert!(over_time("pings/s", std::slice::from_ref(&none)).is_ok());
        assert!(percentiles(&[none]).is_ok() && bars("pings", &[]).is_ok());
        let bar = Bar { name: "accepted".to_owned(), value: 1_234_567.0 };
        assert!(bars("pings", &[bar]).expect("drawn").contains("1,234,567"));
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (value, expected) in [(0.0, "0"), (7.25, "7.25"), (999.0, "999"), (1_000.0, "1,000")] {
            assert_eq!(grouped(value), expected);
        }
        assert_eq!(
            (grouped(1_234_567.0), grouped(-1_234.0)),
            ("1,234,567".into(), "-1,234".into())
        );
        assert_eq!((percentile(0.5), percentile(3.0)), (String::new(), "99.9 %".into()));
    }
}
