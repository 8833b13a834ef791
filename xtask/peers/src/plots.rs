//! Pictures of how cost grows: a line for each row, over the tables of a group that differ in one number.

use crate::Outcome;
use crate::figures::Figures;
use crate::groups::{Tables, instances};
use crate::harness::{Measure, Unit};
use crate::report;
use crate::target::best;
use plotters::coord::combinators::{BindKeyPoints, IntoLogRange};
use plotters::prelude::{
    ChartBuilder, Circle, IntoDrawingArea, LineSeries, PathElement, RGBColor, SVGBackend, ShapeStyle, Text, WHITE,
};
use plotters::style::{BLACK, Color, IntoFont};
use std::error::Error;

/// One picture to be.
#[derive(Clone, Copy, Debug)]
pub struct Plot {
    /// The name of its file, without `.svg`.
    pub name: &'static str,
    /// What it shows.
    pub title: &'static str,
    /// The tables that it shows are named so, with the number behind: `timeouts/` has `timeouts/100`.
    pub tables: &'static str,
    /// What the number is.
    pub x: Axis,
    /// The figure.
    pub y: Measure,
}

/// What grows.
#[derive(Clone, Copy, Debug)]
pub enum Axis {
    /// A number of these.
    Count(&'static str),
    /// Bytes of one of these.
    Bytes(&'static str),
}

/// All pictures, in the order of the report.
pub const ALL: &[Plot] = &[
    Plot {
        name: "connections",
        title: "An echo, by connections",
        tables: "connections/",
        x: Axis::Count("connections, one line of 16 bytes under way on each"),
        y: Measure::Cpu,
    },
    Plot {
        name: "timeouts",
        title: "A timeout in a simulation, by processes",
        tables: "timeouts/",
        x: Axis::Count("processes, each with one timeout at a time"),
        y: Measure::Cpu,
    },
    Plot {
        name: "pipeline-length",
        title: "A message through a pipeline, by components",
        tables: "pipeline-length/",
        x: Axis::Count("components in the pipeline"),
        y: Measure::Cpu,
    },
    Plot {
        name: "statechart-instances",
        title: "A transition of a statechart, by instances",
        tables: "statechart-instances/",
        x: Axis::Count("instances in one engine"),
        y: Measure::Cpu,
    },
    Plot {
        name: "statechart-heap",
        title: "What an instance of a statechart takes, by instances",
        tables: "statechart-instances/",
        x: Axis::Count("instances in one engine"),
        y: Measure::Extra(instances::HEAP),
    },
    Plot {
        name: "line-decode",
        title: "Cutting a line out of a stream, by size",
        tables: "line-decode/",
        x: Axis::Bytes("line"),
        y: Measure::Cpu,
    },
    Plot {
        name: "length-decode",
        title: "Cutting a length-prefixed frame out of a stream, by size",
        tables: "length-decode/",
        x: Axis::Bytes("frame"),
        y: Measure::Cpu,
    },
    Plot {
        name: "packet-size",
        title: "A packet there and back, by size",
        tables: "packet-size/",
        x: Axis::Bytes("packet"),
        y: Measure::Cpu,
    },
    Plot {
        name: "hsms-size",
        title: "An HSMS message there and back, by size",
        tables: "hsms-size/",
        x: Axis::Bytes("text"),
        y: Measure::Cpu,
    },
];

/// The crates whose rows are ours.
const OURS: &[&str] = &["net-core", "oneline", "sim-io", "hsms", "components", "statechart"];

// Colours that most people can tell apart: blues for ours, others for the peers.
const BLUES: [RGBColor; 4] = [
    RGBColor(0, 90, 181),
    RGBColor(70, 160, 230),
    RGBColor(0, 40, 90),
    RGBColor(120, 120, 230),
];
const OTHERS: [RGBColor; 8] = [
    RGBColor(70, 70, 70),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(140, 86, 75),
    RGBColor(160, 160, 160),
    RGBColor(150, 0, 60),
];

const WIDTH: u32 = 960;
const HEIGHT: u32 = 480;
/// What the chart takes of the width; the rest is for the names of the lines.
const CHART: u32 = 660;

/// A line: a row's name, and its figure at each number.
#[derive(Clone, Debug, PartialEq)]
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

impl Plot {
    /// The picture as SVG, if there are figures for two numbers at least.
    ///
    /// # Errors
    /// If it can't be drawn.
    pub fn draw(&self, figures: &Figures, tables: &[Tables]) -> Outcome<Option<String>> {
        let (lines, unit, operation) = self.lines(figures, tables);
        if lines.is_empty() {
            return Ok(None);
        }
        let y_name = match self.y {
            Measure::Cpu => format!("processor time per {operation}"),
            Measure::Rate => format!("{operation}s per second"),
            Measure::Extra(name) => format!("{name}, per {operation}"),
        };
        let mut svg = String::new();
        self.draw_lines(&mut svg, &lines, unit, &y_name)
            .map_err(|error| format!("the picture {}: {error}", self.name))?;
        svg.push('\n');
        Ok(Some(svg))
    }

    fn lines(&self, figures: &Figures, tables: &[Tables]) -> (Vec<Line>, Unit, &'static str) {
        let (mut lines, mut unit, mut operation) = (Vec::<Line>::new(), Unit::Time, "");
        for comparison in tables.iter().flat_map(|group| &group.comparisons) {
            let number = comparison.name.strip_prefix(self.tables);
            let Some(number) = number.and_then(|number| number.parse::<f64>().ok()) else {
                continue;
            };
            let Some(table) = figures.tables.get(&comparison.name) else {
                continue;
            };
            let results = table.results(comparison);
            operation = results.operation;
            for row in &results.rows {
                let figure = best(row, |sample| self.y.of(sample), self.y.less_is_better());
                let Some(figure) = figure.filter(|figure| *figure > 0.0) else {
                    continue;
                };
                if let Measure::Extra(name) = self.y {
                    let extras = row.samples.iter().flat_map(|sample| &sample.extras);
                    unit = extras
                        .filter(|extra| extra.name == name)
                        .map(|extra| extra.unit)
                        .next()
                        .unwrap_or(unit);
                }
                match lines.iter_mut().find(|line| line.name == row.name) {
                    Some(line) => line.points.push((number, figure)),
                    None => lines.push(Line {
                        name: row.name.clone(),
                        points: vec![(number, figure)],
                    }),
                }
            }
        }
        lines.retain(|line| line.points.len() > 1);
        for line in &mut lines {
            line.points.sort_by(|one, other| one.0.total_cmp(&other.0));
        }
        (lines, unit, operation)
    }

    fn draw_lines(&self, svg: &mut String, lines: &[Line], unit: Unit, y_name: &str) -> Result<(), Box<dyn Error>> {
        let points = || lines.iter().flat_map(|line| &line.points);
        let mut numbers: Vec<f64> = points().map(|point| point.0).collect();
        numbers.sort_by(f64::total_cmp);
        numbers.dedup();
        let (left, right) = (numbers[0], numbers[numbers.len() - 1]);
        let bottom = points().map(|point| point.1).fold(f64::INFINITY, f64::min) / 1.3;
        let top = points().map(|point| point.1).fold(0.0, f64::max) * 1.3;
        let (x_name, show_x): (String, fn(f64) -> String) = match self.x {
            Axis::Count(what) => (what.to_owned(), count),
            Axis::Bytes(what) => (format!("bytes of a {what}"), bytes),
        };

        let root = SVGBackend::with_string(svg, (WIDTH, HEIGHT)).into_drawing_area();
        root.fill(&WHITE)?;
        let (chart_area, names) = root.split_horizontally(CHART);
        let mut chart = ChartBuilder::on(&chart_area)
            .caption(self.title, ("sans-serif", 22).into_font())
            .margin(12)
            .x_label_area_size(46)
            .y_label_area_size(84)
            .build_cartesian_2d(
                (left..right).log_scale().with_key_points(numbers.clone()),
                (bottom..top).log_scale().with_key_points(ticks(bottom, top)),
            )?;
        let show_y = |value: f64| match self.y {
            Measure::Rate => report::rate(value),
            Measure::Cpu | Measure::Extra(_) => amount(unit, value),
        };
        chart
            .configure_mesh()
            .bold_line_style(BLACK.mix(0.15))
            .light_line_style(WHITE)
            .x_desc(x_name)
            .y_desc(y_name)
            .x_label_formatter(&|value| show_x(*value))
            .y_label_formatter(&|value| show_y(*value))
            .label_style(("sans-serif", 14).into_font())
            .axis_desc_style(("sans-serif", 16).into_font())
            .draw()?;

        let (mut blues, mut others) = (BLUES.iter().cycle(), OTHERS.iter().cycle());
        let mut styled: Vec<(&Line, ShapeStyle)> = Vec::with_capacity(lines.len());
        for line in lines {
            let ours = OURS.iter().any(|own| line.name.starts_with(own));
            let colour = if ours { blues.next() } else { others.next() };
            let style = colour.unwrap_or(&BLACK).stroke_width(if ours { 3 } else { 1 });
            styled.push((line, style));
        }
        // Ours come last, above the others.
        styled.sort_by_key(|(_, style)| style.stroke_width);
        for (line, style) in &styled {
            let size = 2 + style.stroke_width;
            chart.draw_series(LineSeries::new(line.points.iter().copied(), *style))?;
            let dots = line
                .points
                .iter()
                .map(|&point| Circle::new(point, size, style.filled()));
            chart.draw_series(dots)?;
        }

        // The names stand in the order in which the lines end.
        let end = |line: &Line| line.points.last().map_or(0.0, |point| point.1);
        styled.sort_by(|(one, _), (other, _)| end(other).total_cmp(&end(one)));
        for (place, (line, style)) in styled.iter().enumerate() {
            let y = 64 + 24 * i32::try_from(place)?;
            names.draw(&PathElement::new(vec![(4, y), (28, y)], *style))?;
            names.draw(&Circle::new((16, y), 2 + style.stroke_width, style.filled()))?;
            let font = ("sans-serif", 14).into_font();
            names.draw(&Text::new(line.name.clone(), (36, y - 7), font))?;
        }
        root.present()?;
        Ok(())
    }
}

/// Where the axis of a figure is marked: at powers of ten, and between them where there are few.
fn ticks(bottom: f64, top: f64) -> Vec<f64> {
    let steps: &[f64] = match (top / bottom).log10() {
        decades if decades > 2.0 => &[1.0],
        decades if decades > 0.7 => &[1.0, 2.0, 5.0],
        _ => &[1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
    };
    let decades = bottom.log10().floor() as i32..=top.log10().ceil() as i32;
    let all = decades.flat_map(|decade| steps.iter().map(move |step| step * 10_f64.powi(decade)));
    all.filter(|tick| (bottom..=top).contains(tick)).collect()
}

/// A round value.
fn amount(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Bytes => format!("{value} B"),
        Unit::Seconds => format!("{value} s"),
        Unit::Time if value < 1e3 => format!("{value} ns"),
        Unit::Time if value < 1e6 => format!("{} us", value / 1e3),
        Unit::Time => format!("{} ms", value / 1e6),
    }
}

fn count(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn bytes(value: f64) -> String {
    match value {
        value if value >= 1_048_576.0 => format!("{} MiB", value / 1_048_576.0),
        value if value >= 1024.0 => format!("{} KiB", value / 1024.0),
        value => format!("{value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_marked_where_one_expects() {
        assert_eq!(ticks(3.0, 2000.0), [10.0, 100.0, 1000.0]);
        assert_eq!(ticks(3.0, 60.0), [5.0, 10.0, 20.0, 50.0]);
        assert_eq!(ticks(0.95, 2.2), [1.0, 1.2, 1.5, 2.0]);
        assert_eq!(count(100_000.0), "100,000");
        assert_eq!(count(10.0), "10");
        assert_eq!(
            [10.0, 2000.0, 5e6].map(|value| amount(Unit::Time, value)),
            ["10 ns", "2 us", "5 ms"]
        );
        assert_eq!([16.0, 4096.0, 1_048_576.0].map(bytes), ["16", "4 KiB", "1 MiB"]);
    }

    #[test]
    fn a_picture_names_its_lines_and_axes() {
        let line = |name: &str, figures: [f64; 3]| Line {
            name: name.into(),
            points: [1.0, 10.0, 100.0].into_iter().zip(figures).collect(),
        };
        let lines = [
            line("raw mio", [5.0, 6.0, 7.0]),
            line("net-core, lent", [6.0, 6.5, 900.0]),
        ];
        let mut svg = String::new();
        ALL[0]
            .draw_lines(&mut svg, &lines, Unit::Time, "time per thing")
            .unwrap();
        assert!(svg.starts_with("<svg"), "{svg}");
        for text in ["raw mio", "net-core, lent", "time per thing", "10 ns", ALL[0].title] {
            assert!(svg.contains(text), "{text} is missing");
        }
        // A dot for each figure, and one for each name.
        assert_eq!(svg.matches("<circle").count(), 2 * 3 + 2, "{svg}");
    }
}
