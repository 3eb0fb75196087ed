//! A command whose connection is cut after it has sent what it wished, and before it hears what became
//! of it.

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use ach_clients_rust::{Bundle, Client, ClientConfig};
use rustix::process::Signal;

use super::node::{SERVE, Served, site};
use super::{check, command};

/// How often the relay looks whether it is to end.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How often it is asked which version is in force, for 45 s at least. Only a failing test asks so often.
const QUESTIONS_MAX: u32 = 2_250;

/// Tags that make the site some 12 KiB on its way: it takes several packets, and fits into what a
/// connection may send before it hears anything.
const SPARE_TAGS: u64 = 600;

/// How many bytes before the last of an offer the answers are held back from: well within the site.
const HELD_BEFORE_END: u64 = 5_000;

/// What the relay does.
#[derive(Debug)]
struct Relayed {
    node: SocketAddr,
    /// Bytes of the client.
    sent: AtomicU64,
    /// When the client has sent so many, it hears nothing more.
    deaf_from: AtomicU64,
    is_over: AtomicBool,
}

/// Packets between a command and its node.
struct Relay {
    relayed: Arc<Relayed>,
    address: SocketAddr,
    threads: Vec<JoinHandle<()>>,
}

impl Relay {
    fn start(node: SocketAddr) -> Relay {
        let front = UdpSocket::bind("127.0.0.1:0").unwrap();
        let back = UdpSocket::bind("127.0.0.1:0").unwrap();
        for socket in [&front, &back] {
            socket.set_read_timeout(Some(LOOK_EVERY)).unwrap();
        }
        let relayed = Arc::new(Relayed {
            node,
            sent: AtomicU64::new(0),
            deaf_from: AtomicU64::new(u64::MAX),
            is_over: AtomicBool::new(false),
        });
        let address = front.local_addr().unwrap();
        let client = Arc::new(std::sync::Mutex::new(None));
        let there = {
            let (relayed, client) = (relayed.clone(), client.clone());
            let (front, back) = (front.try_clone().unwrap(), back.try_clone().unwrap());
            move || {
                relayed.carry(&front, |packet, from| {
                    *client.lock().unwrap() = Some(from);
                    let bytes = u64::try_from(packet.len()).unwrap();
                    relayed.sent.fetch_add(bytes, Ordering::SeqCst);
                    drop(back.send_to(packet, relayed.node));
                });
            }
        };
        let relayed_back = relayed.clone();
        let here = move || {
            relayed_back.carry(&back, |packet, _| {
                let deaf_from = relayed_back.deaf_from.load(Ordering::SeqCst);
                let is_deaf = relayed_back.sent.load(Ordering::SeqCst) >= deaf_from;
                if let (Some(client), false) = (*client.lock().unwrap(), is_deaf) {
                    drop(front.send_to(packet, client));
                }
            });
        };
        let threads = vec![std::thread::spawn(there), std::thread::spawn(here)];
        Relay { relayed, address, threads }
    }

    /// What the client has sent until now; counts from 0 again.
    fn take_sent(&self) -> u64 {
        self.relayed.sent.swap(0, Ordering::SeqCst)
    }
}

impl Relayed {
    /// Hands on what comes at a socket until it is over.
    fn carry(&self, from: &UdpSocket, mut each: impl FnMut(&[u8], SocketAddr)) {
        let mut packet = [0; 2_048];
        while !self.is_over.load(Ordering::SeqCst) {
            // No packet in time, or somebody whom one was for has gone.
            if let Ok((length, who)) = from.recv_from(&mut packet) {
                each(&packet[..length], who);
            }
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.relayed.is_over.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

/// Waits until a version is in force and on disk, as the node itself tells.
fn wait_in_force(node: SocketAddr, credentials: &std::path::Path, version: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let config = ClientConfig::new(node, "localhost", Bundle::load(credentials).unwrap());
        let mut operator = Client::connect(config).await.unwrap().operator();
        for _ in 0..QUESTIONS_MAX {
            if operator.site_in_force().await.unwrap().version == version {
                return operator.close().await;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        panic!("version {version} did not come into force: the offer did not reach the node whole");
    });
}

/// The node has the tag, and the command cannot know it: then the file says what was wished, and
/// applying it again tells.
#[test]
fn a_registration_that_is_cut_off_from_its_verdict_keeps_the_file_and_can_be_asked_again() {
    const TAG: &str = "0200AC00000000A7";
    let folder = site();
    let at = folder.path();
    let path = at.join("site/site.toml");
    let plain = fs::read_to_string(&path).unwrap();
    let mut spare = String::from("spare_tags = [");
    for tag in 0..SPARE_TAGS {
        write!(spare, "\"{:016X}\", ", 0x0300_AC00_0000_0000 + tag).unwrap();
    }
    let feed = "[[feed]]\nid = \"rtls\"\n";
    assert!(plain.contains(feed));
    fs::write(&path, plain.replacen(feed, &format!("{feed}{spare}]\n"), 1)).unwrap();
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    check(at, "operator enrol desk --data data --out desk", 0, &[]);
    let relay = Relay::start(node.address.parse().unwrap());
    let by_relay = format!("--node {} --credentials desk", relay.address);

    // How much the client sends for an offer, with all that goes before and after it.
    check(at, &format!("site apply site --dry-run {by_relay}"), 0, &[]);
    let whole = relay.take_sent();
    assert!(whole > 2 * HELD_BEFORE_END, "{whole} bytes are too few to cut in");
    relay.relayed.deaf_from.store(whole - HELD_BEFORE_END, Ordering::SeqCst);

    let before = fs::read_to_string(at.join("site/people.toml")).unwrap();
    let register = format!(
        "tag register {TAG} --site site --feed rtls --subject p-99 --class patient {by_relay}"
    );
    let cut = command(at, &register).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_in_force(node.address.parse().unwrap(), &at.join("desk"), 2);
    drop(relay);
    let cut = cut.wait_with_output().unwrap();
    let said = String::from_utf8(cut.stderr).unwrap();
    assert_eq!(cut.status.code(), Some(1), "{said}");
    for part in ["whether the tag is in force is not known", "people.toml keeps it", "site apply"] {
        assert!(said.contains(part), "no `{part}` in {said}");
    }
    let kept = fs::read_to_string(at.join("site/people.toml")).unwrap();
    assert!(kept.starts_with(&before) && kept.contains(TAG), "{kept}");

    // Asked again, it is told that it is in force, and nothing comes into force a second time.
    let to = format!("--node {} --credentials desk", node.address);
    check(at, &format!("site apply site {to}"), 0, &["version 2 is in force"]);
    let again = format!("tag register {TAG} --site site --feed rtls --subject p-99 {to}");
    check(at, &again, 1, &["is on p-99 already"]);
    node.signal(Signal::TERM);
    assert_eq!(node.ended(), Some(0));
}
