//! A strict reader of Prometheus' text format 0.0.4, written from its description: what a scraper would
//! forgive fails here.
//!
//! Every family has HELP and TYPE before its samples and comes once; names, labels, escapes and values
//! are well formed; counters end in `_total`; buckets grow and end with `+Inf`, which is the count.

use std::collections::{BTreeMap, BTreeSet};

/// Every sample: its name with its labels in order, `name{a="x",b="y"}`, and its value as
/// it is written.
pub(crate) fn parse(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut reader = Reader::default();
    if !text.ends_with('\n') {
        return Err("the last line has no end".to_owned());
    }
    for (number, line) in (1..).zip(text.lines()) {
        reader.take(line).map_err(|why| format!("line {number}: {why}: {line}"))?;
    }
    reader.end_family()?;
    Ok(reader.samples)
}

#[derive(Default)]
struct Reader {
    helped: Option<String>,
    family: Option<(String, String)>,
    seen: BTreeSet<String>,
    samples: BTreeMap<String, String>,
    /// Buckets of the histogram that is being read, by their other labels.
    buckets: BTreeMap<String, Vec<(f64, f64)>>,
    family_samples: usize,
}

impl Reader {
    fn take(&mut self, line: &str) -> Result<(), String> {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            self.end_family()?;
            let (name, help) = rest.split_once(' ').ok_or("a HELP without a text")?;
            if help.is_empty() || !is_name(name) || !self.seen.insert(name.to_owned()) {
                return Err("an empty HELP, no name, or a family that comes twice".to_owned());
            }
            self.helped = Some(name.to_owned());
            return Ok(());
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or("a TYPE without a kind")?;
            if self.helped.take().as_deref() != Some(name) {
                return Err("a TYPE that does not follow its HELP".to_owned());
            }
            if !["counter", "gauge", "histogram"].contains(&kind) {
                return Err("a kind that does not exist".to_owned());
            }
            if (kind == "counter") != name.ends_with("_total") {
                return Err("counters, and they alone, end in _total".to_owned());
            }
            self.family = Some((name.to_owned(), kind.to_owned()));
            return Ok(());
        }
        self.sample(line)
    }

    fn sample(&mut self, line: &str) -> Result<(), String> {
        let (family, kind) = self.family.clone().ok_or("a sample before its TYPE")?;
        let (name, labels, value) = split(line)?;
        let written_value = value;
        let value: f64 = written_value.parse().map_err(|_| "a value that is no number")?;
        let suffix = name.strip_prefix(&family).ok_or("a sample of another family")?;
        let is_fitting = match kind.as_str() {
            "histogram" => ["_bucket", "_sum", "_count"].contains(&suffix),
            _ => suffix.is_empty(),
        };
        if !is_fitting || value < 0.0 {
            return Err("a sample that does not fit its TYPE".to_owned());
        }
        self.family_samples += 1;
        let mut rest = labels.clone();
        let bound = rest.remove("le");
        if (suffix == "_bucket") != bound.is_some() {
            return Err("le belongs to buckets alone".to_owned());
        }
        let key = written(&rest);
        if let Some(bound) = bound {
            let bound: f64 = bound.parse().map_err(|_| "a bound that is no number")?;
            self.buckets.entry(key).or_default().push((bound, value));
        } else if suffix == "_count" {
            let buckets = self.buckets.remove(&key).ok_or("a count without buckets")?;
            let is_ascending = buckets.windows(2).all(|two| two[0].0 < two[1].0);
            let is_growing = buckets.windows(2).all(|two| two[0].1 <= two[1].1);
            let is_whole = buckets.last() == Some(&(f64::INFINITY, value));
            if !is_ascending || !is_growing || !is_whole {
                return Err(format!("buckets that are none: {buckets:?}"));
            }
        }
        let sample = format!("{name}{}", written(&labels));
        match self.samples.insert(sample, written_value) {
            None => Ok(()),
            Some(_) => Err("a sample that comes twice".to_owned()),
        }
    }

    fn end_family(&mut self) -> Result<(), String> {
        if self.family.is_some() && self.family_samples == 0 || !self.buckets.is_empty() {
            return Err(format!("the family {:?} is not whole", self.family));
        }
        self.family_samples = 0;
        self.family = None;
        Ok(())
    }
}

fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|letter| letter.is_ascii_lowercase())
        && letters.all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_')
}

fn written(labels: &BTreeMap<String, String>) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let parts: Vec<String> =
        labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
    format!("{{{}}}", parts.join(","))
}

/// Name, labels and value of a sample.
fn split(line: &str) -> Result<(String, BTreeMap<String, String>, String), String> {
    let at = line.find(['{', ' ']).ok_or("no value")?;
    let name = &line[..at];
    if !is_name(name) {
        return Err("a name that is none".to_owned());
    }
    let mut labels = BTreeMap::new();
    let mut rest = &line[at..];
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        loop {
            let (label, after) = rest.split_once("=\"").ok_or("a label without a value")?;
            if !is_name(label) {
                return Err("a label that is none".to_owned());
            }
            let (value, after) = unescape(after)?;
            if labels.insert(label.to_owned(), value).is_some() {
                return Err("a label that comes twice".to_owned());
            }
            if let Some(next) = after.strip_prefix(',') {
                rest = next;
            } else {
                rest = after.strip_prefix('}').ok_or("labels without an end")?;
                break;
            }
        }
    }
    let value = rest.strip_prefix(' ').ok_or("no blank before the value")?;
    Ok((name.to_owned(), labels, value.to_owned()))
}

/// A label's value up to its closing quote, and what follows.
fn unescape(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => match letters.next().map(|(_, letter)| letter) {
                Some('n') => value.push('\n'),
                Some(letter @ ('"' | '\\')) => value.push(letter),
                _ => return Err("an escape that does not exist".to_owned()),
            },
            _ => value.push(letter),
        }
    }
    Err("a value without an end".to_owned())
}

#[test]
fn what_is_not_well_formed_is_refused() {
    let head = "# HELP a_total x\n# TYPE a_total counter\n";
    assert!(parse(&format!("{head}a_total 1\n")).is_ok());
    for bad in [
        format!("{head}a_total 1"),
        format!("{head}a_total one\n"),
        format!("{head}b_total 1\n"),
        format!("{head}a_total 1\na_total 2\n"),
        format!("{head}a_total{{x=\"\\z\"}} 1\n"),
        format!("{head}a_total 1\n{head}a_total 1\n"),
        head.to_owned(),
        "# HELP a x\n# TYPE a counter\na 1\n".to_owned(),
        "a_total 1\n".to_owned(),
        "# HELP h x\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\n\
         h_count 1\n"
            .to_owned(),
    ] {
        assert!(parse(&bad).is_err(), "{bad}");
    }
}
