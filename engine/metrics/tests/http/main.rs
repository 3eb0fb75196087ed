//! The pages over real sockets: what a scraper reads, and what the slow, the many and the hostile get.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "everything here is a test, also what is not marked as one"
)]

mod strict;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ach_engine_metrics::{
    Amount, Exposition, Histogram, Kind, LATENCY_NS, Page, Server, ServerLimits, own_process,
};

/// A page with one of everything, and a switch.
struct Sample {
    is_ready: AtomicBool,
    latency: Histogram,
}

impl Page for Sample {
    fn write(&self, page: &mut Exposition) {
        page.counter("a_total", "Counted \\ things.", Amount::Count(7));
        let mut family = page.family(Kind::Gauge, "b", "Told apart.");
        family.sample(&[("lane", "ping"), ("kind", "du\"ress")], Amount::Count(1));
        family.sample(&[("lane", "door"), ("kind", "x\ny")], Amount::Count(2));
        page.histogram("c_seconds", "How long.", Amount::Ns(0), &self.latency);
        own_process().write(page);
    }

    fn health(&self) -> Result<(), String> {
        Ok(())
    }

    fn readiness(&self) -> Result<(), String> {
        if self.is_ready.load(Ordering::SeqCst) { Ok(()) } else { Err("recovering".to_owned()) }
    }
}

fn served(limits: ServerLimits) -> (Server, Arc<Sample>) {
    let latency = Histogram::new(LATENCY_NS);
    for ns in [1, 10_000, 10_001, 3_000_000, u64::from(u32::MAX) * 100] {
        latency.record(ns);
    }
    let page = Arc::new(Sample { is_ready: AtomicBool::new(false), latency });
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    (Server::with_limits(address, page.clone(), limits).unwrap(), page)
}

/// Sends words and reads until the server closes.
fn talk(server: &Server, words: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(words.as_bytes()).unwrap();
    read(&mut stream)
}

/// What comes until the end; a reset is an end as well.
fn read(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    String::from_utf8(answer).unwrap()
}

fn get(server: &Server, path: &str) -> String {
    talk(server, &format!("GET {path} HTTP/1.1\r\nHost: node\r\n\r\n"))
}

#[test]
fn a_scraper_reads_every_number() {
    let (server, _) = served(ServerLimits::default());
    let answer = get(&server, "/metrics");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("text/plain; version=0.0.4"), "{head}");
    let samples = strict::parse(body).unwrap();
    for (sample, value) in [
        ("a_total", "7"),
        ("b{kind=\"du\"ress\",lane=\"ping\"}", "1"),
        ("c_seconds_bucket{le=\"0.00001\"}", "2"),
        ("c_seconds_bucket{le=\"+Inf\"}", "5"),
    ] {
        assert_eq!(samples[sample], value, "{sample}");
    }
    assert_ne!(samples["process_resident_memory_bytes"], "0");
}

#[test]
fn health_and_readiness_are_told_apart() {
    let (server, page) = served(ServerLimits::default());
    assert!(get(&server, "/healthz").starts_with("HTTP/1.1 200"));
    let answer = get(&server, "/readyz");
    assert!(answer.starts_with("HTTP/1.1 503") && answer.ends_with("recovering\n"), "{answer}");
    page.is_ready.store(true, Ordering::SeqCst);
    assert!(get(&server, "/readyz").starts_with("HTTP/1.1 200"));
}

#[test]
fn what_is_no_question_of_ours_is_refused() {
    let (server, _) = served(ServerLimits::default());
    let long = format!("GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    let many = format!("GET /metrics HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(100));
    for (words, begins) in [
        ("GET / HTTP/1.1\r\nHost: node\r\n\r\n", "HTTP/1.1 404"),
        ("GET /metrics/../etc HTTP/1.1\r\nHost: node\r\n\r\n", "HTTP/1.1 404"),
        ("POST /metrics HTTP/1.1\r\nHost: node\r\nContent-Length: 9\r\n\r\n", "HTTP/1.1 405"),
        ("\u{16}\u{3}\u{1} no HTTP at all\r\n\r\n", "HTTP/1.1 400"),
        (many.as_str(), "HTTP/1.1 431"),
    ] {
        let answer = talk(&server, words);
        assert!(answer.starts_with(begins), "{words:.40}: {answer}");
    }
    // The server may close before all of it is sent.
    let mut stream = TcpStream::connect(server.address()).unwrap();
    drop(stream.write_all(long.as_bytes()));
    let answer = read(&mut stream);
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(get(&server, "/healthz").starts_with("HTTP/1.1 200"), "and the server goes on");
}

#[test]
fn who_never_finishes_is_cut() {
    let limits =
        ServerLimits { connection_within: Duration::from_millis(200), ..ServerLimits::default() };
    let (server, _) = served(limits);
    let mut silent = TcpStream::connect(server.address()).unwrap();
    let mut slow = TcpStream::connect(server.address()).unwrap();
    slow.write_all(b"GET /metrics HTTP/1.1\r\nHost:").unwrap();
    // Both reads return because the server closes, and for nothing else.
    assert_eq!(read(&mut silent), "");
    assert!(!read(&mut slow).starts_with("HTTP/1.1 200"));
}

#[test]
fn who_comes_when_every_seat_is_taken_is_closed_and_comes_again() {
    let limits = ServerLimits { connections_max: 2, connection_within: Duration::from_mins(10) };
    let (server, _) = served(limits);
    // A seat is taken once the first bytes of an answer have come.
    let seats: Vec<TcpStream> = (0..2)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address()).unwrap();
            stream.write_all(b"GET /metrics HTTP/1.1\r\n").unwrap();
            stream
        })
        .collect();
    assert_eq!(get(&server, "/healthz"), "", "no seat is left");
    for seat in seats {
        seat.shutdown(Shutdown::Both).unwrap();
    }
    let is_back = (0..1_000).any(|_| get(&server, "/healthz").starts_with("HTTP/1.1 200"));
    assert!(is_back);
}

#[test]
fn a_taken_address_is_told() {
    let (server, page) = served(ServerLimits::default());
    let error = Server::start(server.address(), page).unwrap_err().to_string();
    assert!(error.contains("choose another address or port"), "{error}");
}
