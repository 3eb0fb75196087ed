//! Tags that nobody has registered: listed, and registered by one command.

use std::fs::{self, File};
use std::process::Stdio;

use rustix::process::Signal;

use super::check;
use super::node::{SERVE, Served, site};

const TAG: &str = "0200AC00000000A7";
/// What a person is called, and no log may say.
const PERSON: &str = "Zephyrine-Quandt";

#[test]
fn a_tag_that_is_heard_is_listed_and_registered_under_a_running_feed() {
    let folder = site();
    let at = folder.path();
    let log = File::create(at.join("node.log")).unwrap();
    let node = Served::start(at, SERVE, Stdio::null(), log.into());
    check(at, "operator enrol desk --data data --out desk", 0, &[]);
    check(at, "vendor enrol rtls --data data --out rtls", 0, &[]);
    let to = format!("--node {} --credentials desk", node.address);
    let list = format!("tag list --unregistered {to}");
    check(at, &list, 0, &["every tag that vendors named is in the site"]);
    fs::write(at.join("walk.csv"), format!("time,tag,x,y\n1,{TAG},1,1\n2,{TAG},1,2\n")).unwrap();
    let replay = format!("replay walk.csv --node {} --credentials rtls --speed max", node.address);
    check(at, &replay, 1, &[TAG, "code 64"]);
    check(at, &list, 0, &[TAG, "feed rtls", "1 tags"]);
    check(at, &format!("{list} --json"), 0, &["\"event\":\"unregistered_tag\""]);

    let before = fs::read_to_string(at.join("site/people.toml")).unwrap();
    let register = format!("tag register {TAG} --site site --subject p-99 {to}");
    check(at, &register, 2, &["--feed"]);
    check(at, &format!("{register} --feed rtls"), 1, &["--class patient"]);
    check(at, &format!("{register} --feed uwb --class patient"), 1, &["no feed uwb"]);
    assert_eq!(fs::read_to_string(at.join("site/people.toml")).unwrap(), before);
    let named = format!("{register} --feed rtls --class patient --name {PERSON} --label dementia");
    check(at, &named, 0, &["version 2 is in force", "is on p-99, written into"]);
    check(at, &list, 0, &["every tag that vendors named is in the site"]);
    check(at, "site check site", 0, &["sound"]);
    check(at, &named, 1, &["is on p-99 already"]);

    // A node that refuses leaves the file as it was.
    let kept = fs::read_to_string(at.join("site/people.toml")).unwrap();
    assert!(kept.starts_with(&before) && kept.contains(PERSON));
    let other =
        "tag register 0200AC00000000A8 --site site --subject p-98 --class patient --feed rtls";
    check(at, &format!("{other} --from 1 {to}"), 1, &["made from version 1", "is as it was"]);
    assert_eq!(fs::read_to_string(at.join("site/people.toml")).unwrap(), kept);
    node.signal(Signal::TERM);
    assert_eq!(node.ended(), Some(0));
    let log = fs::read_to_string(at.join("node.log")).unwrap();
    assert!(!log.is_empty() && !log.contains(PERSON) && !log.contains("Quandt"), "{log}");
    let shown = check(at, "audit show data --count 100", 0, &["site_put_in_force  done"]);
    assert!(!shown.out.contains(PERSON), "{}", shown.out);
}
