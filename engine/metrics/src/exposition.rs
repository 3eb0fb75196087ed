//! Writes numbers down in Prometheus' text format, version 0.0.4.
//!
//! ```text
//! # HELP ach_pings_accepted_total Pings decided on.
//! # TYPE ach_pings_accepted_total counter
//! ach_pings_accepted_total 42
//! ```

use std::fmt::Write as _;

use crate::Histogram;

/// What a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, and begins at 0 when the process does.
    Counter,
    /// It goes up and down.
    Gauge,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        }
    }
}

/// A number with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// So many.
    Count(u64),
    /// Nanoseconds, written in seconds.
    Ns(u64),
}

impl Amount {
    fn write(self, text: &mut String) {
        // Writing to a string cannot fail.
        let _ = match self {
            Amount::Count(count) => write!(text, "{count}"),
            Amount::Ns(ns) => {
                let (s, rest) = (ns / 1_000_000_000, ns % 1_000_000_000);
                if rest == 0 {
                    write!(text, "{s}")
                } else {
                    let digits = format!("{rest:09}");
                    write!(text, "{s}.{}", digits.trim_end_matches('0'))
                }
            }
        };
    }

    fn of(self, value: u64) -> Amount {
        match self {
            Amount::Count(_) => Amount::Count(value),
            Amount::Ns(_) => Amount::Ns(value),
        }
    }
}

/// A page that is being written.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
}

impl Exposition {
    /// Writes a counter. `name` ends in `_total`.
    pub fn counter(&mut self, name: &str, help: &str, value: Amount) {
        self.family(Kind::Counter, name, help).sample(&[], value);
    }

    /// Writes a gauge.
    pub fn gauge(&mut self, name: &str, help: &str, value: Amount) {
        self.family(Kind::Gauge, name, help).sample(&[], value);
    }

    /// Begins a family whose samples are told apart by labels.
    pub fn family<'a>(&'a mut self, kind: Kind, name: &'a str, help: &str) -> Family<'a> {
        self.head(kind.word(), name, help);
        Family { text: &mut self.text, name }
    }

    /// Writes histograms of one name, told apart by one label. `unit` says what the values are.
    pub fn histograms(
        &mut self,
        name: &str,
        help: &str,
        unit: Amount,
        label: &str,
        told_apart: &[(&str, &Histogram)],
    ) {
        self.head("histogram", name, help);
        for (value, histogram) in told_apart {
            self.buckets(name, unit, Some((label, value)), histogram);
        }
    }

    /// Writes a histogram. `unit` says what the values are.
    pub fn histogram(&mut self, name: &str, help: &str, unit: Amount, histogram: &Histogram) {
        self.head("histogram", name, help);
        self.buckets(name, unit, None, histogram);
    }

    /// The text as written so far.
    pub fn into_text(self) -> String {
        self.text
    }

    fn buckets(
        &mut self,
        name: &str,
        unit: Amount,
        label: Option<(&str, &str)>,
        histogram: &Histogram,
    ) {
        let own: Vec<(&str, &str)> = label.into_iter().collect();
        // What is counted while this is written must not make a bound exceed the whole.
        let bounds = histogram.cumulative();
        let count = histogram.count().max(bounds.last().map_or(0, |&(_, count)| count));
        let bucket = format!("{name}_bucket");
        for (bound, at_most) in bounds {
            let mut le = String::new();
            unit.of(bound).write(&mut le);
            let labels = [&own[..], &[("le", le.as_str())]].concat();
            self.sample(&bucket, &labels, Amount::Count(at_most));
        }
        let labels = [&own[..], &[("le", "+Inf")]].concat();
        self.sample(&bucket, &labels, Amount::Count(count));
        self.sample(&format!("{name}_sum"), &own, unit.of(histogram.sum()));
        self.sample(&format!("{name}_count"), &own, Amount::Count(count));
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: Amount) {
        Family { text: &mut self.text, name }.sample(labels, value);
    }

    fn head(&mut self, kind: &str, name: &str, help: &str) {
        let help = help.trim().replace('\\', "\\\\").replace('\n', "\\n");
        let _ = writeln!(self.text, "# HELP {name} {help}");
        let _ = writeln!(self.text, "# TYPE {name} {kind}");
    }
}

/// A family that is being written.
#[derive(Debug)]
pub struct Family<'a> {
    text: &'a mut String,
    name: &'a str,
}

impl Family<'_> {
    /// Writes one sample.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: Amount) {
        self.text.push_str(self.name);
        for (place, (label, value)) in labels.iter().enumerate() {
            let before = if place == 0 { '{' } else { ',' };
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.text, "{before}{label}=\"{value}\"");
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        self.text.push(' ');
        value.write(self.text);
        self.text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_with_help_and_type() {
        let mut page = Exposition::default();
        page.counter("a_total", "How many.\nOf them.", Amount::Count(42));
        page.gauge("b_seconds", "How long.", Amount::Ns(1_250_000_000));
        let mut family = page.family(Kind::Gauge, "c", "By lane.");
        family.sample(&[("lane", "ping"), ("of", "a\"b\\c\nd")], Amount::Ns(3_000_000_000));
        assert_eq!(
            page.into_text(),
            "# HELP a_total How many.\\nOf them.\n# TYPE a_total counter\na_total 42\n\
             # HELP b_seconds How long.\n# TYPE b_seconds gauge\nb_seconds 1.25\n\
             # HELP c By lane.\n# TYPE c gauge\nc{lane=\"ping\",of=\"a\\\"b\\\\c\\nd\"} 3\n"
        );
    }

    #[test]
    fn a_histogram_is_written_with_its_bounds_in_seconds() {
        static BOUNDS: &[u64] = &[500_000, 1_000_000_000];
        let histogram = Histogram::new(BOUNDS);
        for ns in [400_000, 600_000, 2_000_000_000] {
            histogram.record(ns);
        }
        let mut page = Exposition::default();
        page.histograms("d_seconds", "How long.", Amount::Ns(0), "stage", &[("x", &histogram)]);
        assert_eq!(
            page.into_text(),
            "# HELP d_seconds How long.\n# TYPE d_seconds histogram\n\
             d_seconds_bucket{stage=\"x\",le=\"0.0005\"} 1\n\
             d_seconds_bucket{stage=\"x\",le=\"1\"} 2\n\
             d_seconds_bucket{stage=\"x\",le=\"+Inf\"} 3\n\
             d_seconds_sum{stage=\"x\"} 2.001\nd_seconds_count{stage=\"x\"} 3\n"
        );
    }
}
