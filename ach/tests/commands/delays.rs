//! Rules that wait, asked of what was recorded.

use std::fs;

use super::check;
use super::history::{objects, recorded_by};

#[test]
fn what_waited_is_told_to_have_waited() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let said = recorded_by(folder, |rules| {
        rules.replace("id = \"store-at-night\"", "id = \"store-at-night\"\non_delay = \"1 s\"")
    });
    let said = objects(&said);
    let raised = said.iter().find(|it| it["kind"] == "unauthorised_entry").unwrap();
    let alarm = raised["id"].as_str().unwrap();
    let parts =
        ["opened by a deadline due", "on_delay", "waited    it held for as long as its rule waits"];
    check(folder, &format!("explain {alarm} --data data"), 0, &parts);
    // Without the wait it is sooner.
    let rules = fs::read_to_string(folder.join("site/rules.toml")).unwrap();
    fs::write(folder.join("new.toml"), rules.replace("\non_delay = \"1 s\"", "")).unwrap();
    let said = check(folder, "rules rehearse new.toml --data data --json", 0, &[]);
    let said = objects(&said);
    let sooner = said.iter().find(|it| it["event"] == "difference").unwrap();
    assert_eq!(sooner["difference"], "earlier", "{said:?}");
    assert_eq!(sooner["by_ms"], 1_000, "{said:?}");
    assert_eq!(said[0]["left_out_was"], 0, "{said:?}");
}
