//! Motion in a store in which nobody is, as a desk is told what said so.

use std::fs;
use std::process::Stdio;

use ach_actors_model::{NS_PER_S, Name, Timestamp};
use ach_clients_rust::{Report, now};
use rustix::process::Signal;

use super::check;
use super::history::objects;
use super::node::{SERVE, Served, site};
use super::tailgating::vendor;

/// At all hours, and at once.
const RULE: &str = "
[[rule]]
id = \"store-moves\"
where = { zones = [\"store\"] }
what = \"motion\"
after = \"1 s\"
priority = \"high\"
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_moved_is_explained_with_the_zone_and_the_report() {
    let folder = site();
    let at = folder.path();
    let rules = fs::read_to_string(at.join("site/rules.toml")).unwrap();
    fs::write(at.join("site/rules.toml"), rules + RULE).unwrap();
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    let doors = vendor(&node, at, "doors").await;
    let seen_at = Timestamp(now().0 - 3 * NS_PER_S);
    doors.report(Report::motion(Name::new("store").unwrap(), seen_at)).await.unwrap();
    doors.drain().await.unwrap();
    node.signal(Signal::TERM);
    assert_eq!(node.ended(), Some(0));

    let listed = objects(&check(at, "alarms list --data data --json", 0, &[]));
    let raised: Vec<_> = listed.iter().filter(|it| it["rule"] == "store-moves").collect();
    assert_eq!(raised.len(), 1, "{listed:?}");
    let explain = format!("explain {} --data data", raised[0]["id"].as_str().unwrap());
    check(at, &explain, 0, &["store-moves", "motion seen of zone store, observed "]);
}
