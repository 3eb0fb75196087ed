//! A patient who goes out behind a nurse, as a desk is told why that was an alarm.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use ach_actors_model::{NS_PER_S, Name, TagId, Timestamp};
use ach_clients_rust::{
    Bundle, Client, ClientConfig, Floor, Ping, Publisher, PublisherOptions, Report, ReportWord, now,
};
use rustix::process::Signal;

use super::check;
use super::history::objects;
use super::node::{SERVE, Served, site};

const RULE: &str = "
[[rule]]
id = \"piggyback-exit\"
who = { classes = [\"patient\"] }
with = { classes = [\"staff\"] }
where = { doors = [\"door-ward\"] }
what = \"tailgating\"
priority = \"high\"
";

/// The example's patient and its nurse.
const PATIENT: TagId = TagId(0x0200_AC00_0000_0001);
const NURSE: TagId = TagId(0x0200_AC00_0000_0002);

pub(crate) async fn vendor(node: &Served, folder: &Path, name: &str) -> Publisher {
    check(folder, &format!("vendor enrol {name} --data data --out {name}"), 0, &[]);
    let bundle = Bundle::load(&folder.join(name)).unwrap();
    let config = ClientConfig::new(node.address.parse().unwrap(), "localhost", bundle);
    let options = PublisherOptions::default().keeping_every_position();
    Client::connect(config).await.unwrap().publisher(options).unwrap()
}

/// The nurse shows her card, and both go out.
async fn go_out(doors: &Publisher, tags: &Publisher) {
    let at = Timestamp(now().0 - 3 * NS_PER_S);
    let door = |word| Report::door(Name::new("door-ward").unwrap(), at, word);
    let granted = door(ReportWord::AccessGranted { valid_ms: 5_000 });
    doors.report(granted.to_badge(Name::new("card-4711").unwrap())).await.unwrap();
    doors.report(door(ReportWord::DoorOpened)).await.unwrap();
    doors.drain().await.unwrap();
    for (seconds, x_mm) in [(1, 19_000), (2, 21_000)] {
        let at = at.plus_ns(seconds * NS_PER_S);
        for tag in [NURSE, PATIENT] {
            let ping = Ping::local(tag, at, x_mm, 6_000).on_floor(Floor(0)).within_mm(200);
            tags.publish(ping).await.unwrap();
        }
        tags.drain().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_patient_behind_a_nurse_is_explained_with_the_leave_there_was() {
    let folder = site();
    let at = folder.path();
    let rules = fs::read_to_string(at.join("site/rules.toml")).unwrap();
    fs::write(at.join("site/rules.toml"), rules + RULE).unwrap();
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    let doors = vendor(&node, at, "doors").await;
    let tags = vendor(&node, at, "rtls").await;
    go_out(&doors, &tags).await;
    node.signal(Signal::TERM);
    assert_eq!(node.ended(), Some(0));

    let listed = objects(&check(at, "alarms list --data data --json", 0, &[]));
    let raised: Vec<_> = listed.iter().filter(|it| it["kind"] == "tailgating").collect();
    assert_eq!(raised.len(), 1, "{listed:?}");
    let explain = format!("explain {} --data data", raised[0]["id"].as_str().unwrap());
    let parts = [
        "piggyback-exit",
        "patient-001",
        "door-ward",
        "granted last to nurse-001 ",
        "nobody is known to have asked to leave; its lock has never said anything",
        "position of tag 0200AC0000000001, 21.0 m east",
    ];
    check(at, &explain, 0, &parts);
    let told = &objects(&check(at, &format!("{explain} --json"), 0, &[]))[0];
    assert_eq!((&told["subject"], &told["kind"]), (&"patient-001".into(), &"tailgating".into()));
    assert_eq!(told["door"]["granted_to"], "nurse-001", "{told}");
}
