//! What the node tells of itself on its page of numbers.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::failure::Failure;

/// The page is answered by a thread of low priority: on a core that is full it may take long.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// A page is some 20 KiB.
const PAGE_BYTES_MAX: u64 = 1 << 20;

/// Every sample of the page, by its name with labels as it stands there.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct NodeNumbers(BTreeMap<String, f64>);

impl NodeNumbers {
    /// Asks for the page.
    pub(crate) fn fetch(address: SocketAddr) -> Result<NodeNumbers, Failure> {
        let mut stream = TcpStream::connect_timeout(&address, ANSWER_WITHIN)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        let request =
            format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.take(PAGE_BYTES_MAX).read_to_string(&mut answer)?;
        let (head, page) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        if !head.starts_with("HTTP/1.1 200") {
            let first = head.lines().next().unwrap_or_default();
            return Err(Failure::new(format!("http://{address}/metrics answered `{first}`")));
        }
        Ok(NodeNumbers::read(page))
    }

    pub(crate) fn read(page: &str) -> NodeNumbers {
        let samples = page.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        NodeNumbers(samples.collect())
    }

    /// A sample. One that is not there is an error: a count that is not told must not pass for nought.
    pub(crate) fn get(&self, name: &str) -> Result<f64, Failure> {
        let found = self.0.get(name).copied();
        found.ok_or_else(|| Failure::new(format!("the node's page has no `{name}`")))
    }

    /// A histogram's buckets, bound and count, in order; their names begin with `start`.
    pub(crate) fn buckets(&self, start: &str) -> Vec<(f64, f64)> {
        let bucket = |(name, count): (&String, &f64)| {
            let (_, bound) = name.strip_prefix(start)?.split_once("le=\"")?;
            let bound = bound.trim_end_matches(['"', '}']);
            let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().ok()? };
            Some((bound, *count))
        };
        let mut buckets: Vec<(f64, f64)> = self.0.iter().filter_map(bucket).collect();
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        buckets
    }

    /// By how much a counter has grown since.
    pub(crate) fn since(&self, before: &NodeNumbers, name: &str) -> Result<f64, Failure> {
        Ok(self.get(name)? - before.get(name)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read_with_their_labels_and_none_is_made_up() {
        let page = "# HELP ach_x_total X.\n# TYPE ach_x_total counter\nach_x_total 3\n\
                    ach_y_total{lane=\"door\"} 0\nach_z_seconds 1.5e-3\n";
        let numbers = NodeNumbers::read(page);
        assert_eq!(numbers.get("ach_x_total"), Ok(3.0));
        assert_eq!(numbers.get("ach_y_total{lane=\"door\"}"), Ok(0.0));
        assert_eq!(numbers.get("ach_z_seconds"), Ok(0.0015));
        assert!(numbers.get("ach_y_total").is_err());
        let page = "x_bucket{s=\"a\",le=\"+Inf\"} 9\nx_bucket{s=\"a\",le=\"0.25\"} 7\n\
                    x_bucket{s=\"b\",le=\"0.1\"} 1\nx_bucket{s=\"a\",le=\"0.1\"} 3\n";
        let buckets = NodeNumbers::read(page).buckets("x_bucket{s=\"a\"");
        assert_eq!(buckets, [(0.1, 3.0), (0.25, 7.0), (f64::INFINITY, 9.0)]);
        let later = NodeNumbers::read("ach_x_total 10\n");
        assert_eq!(later.since(&numbers, "ach_x_total"), Ok(7.0));
    }
}
