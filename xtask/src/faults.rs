//! What `docs/specs/faults.md` names is in the tree: tests, simulated faults, invariants.

use std::fs;

use crate::layers::root;

/// What stands between backquotes on a page.
fn quoted(page: &str) -> impl Iterator<Item = &str> {
    page.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// What is wrong with a name, if anything.
fn missing(name: &str, faults: &str, invariants: &str) -> Option<String> {
    if let Some(fault) = name.strip_prefix("sim: ") {
        let is_there = fault == "NAME" || faults.contains(&format!("=> \"{fault}\","));
        return (!is_there).then(|| format!("no simulated fault is called `{fault}`"));
    }
    if let Some(invariant) = name.strip_prefix("invariant: ") {
        let is_there = invariant == "NAME" || invariants.contains(&format!("(\"{invariant}\", "));
        return (!is_there).then(|| format!("no invariant is called `{invariant}`"));
    }
    let (file, test) = name.split_once("::")?;
    let Ok(source) = fs::read_to_string(root().join(file)) else {
        return Some(format!("there is no {file}"));
    };
    let head = format!("fn {test}(");
    let mut before = source.lines().take_while(|line| !line.trim_start().contains(&head));
    let is_there = source.contains(&head) && before.any(|line| line.trim_start().starts_with("#["));
    (!is_there).then(|| format!("{file} has no test {test}"))
}

fn simulated() -> (String, String) {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    (read("engine/sim/src/fault.rs"), read("engine/sim/src/invariants.rs"))
}

#[test]
fn every_test_and_fault_that_the_page_of_faults_names_is_there() {
    let page = fs::read_to_string(root().join("docs/specs/faults.md")).unwrap();
    let (faults, invariants) = simulated();
    let wrong: Vec<String> =
        quoted(&page).filter_map(|name| missing(name, &faults, &invariants)).collect();
    assert!(wrong.is_empty(), "docs/specs/faults.md:\n{}", wrong.join("\n"));
    let named = quoted(&page).filter(|name| name.contains("::")).count();
    assert!(named > 60, "{named} tests are named");
}

#[test]
fn every_row_names_what_shows_it_or_what_is_still_to_come() {
    let page = fs::read_to_string(root().join("docs/specs/faults.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.contains("shown by |"));
    for row in rows.filter(|row| !row.contains("found by |")) {
        assert!(row.contains('`') || row.contains("still to come: "), "shown by nothing: {row}");
    }
}

#[test]
fn every_simulated_fault_and_invariant_is_on_the_page() {
    let page = fs::read_to_string(root().join("docs/specs/faults.md")).unwrap();
    let (faults, invariants) = simulated();
    let names = |text: &str, before: &str, after: &str| -> Vec<String> {
        let after_head = text.split(before).skip(1);
        after_head.filter_map(|rest| rest.split(after).next().map(str::to_owned)).collect()
    };
    let faults = names(&faults, " => \"", "\",");
    assert!(faults.len() > 15, "{faults:?}");
    for fault in faults {
        assert!(page.contains(&format!("`sim: {fault}`")), "`sim: {fault}` is not on the page");
    }
    let invariants = names(&invariants, "    (\"", "\", ");
    assert!(invariants.len() > 8, "{invariants:?}");
    for invariant in invariants.iter().filter(|name| *name != "life goes on") {
        let word = format!("`invariant: {invariant}`");
        assert!(page.contains(&word), "{word} is not on the page");
    }
}

#[test]
fn what_is_not_there_is_seen() {
    let (faults, invariants) = simulated();
    let check = |name: &str, is_missing: bool| {
        assert_eq!(missing(name, &faults, &invariants).is_some(), is_missing, "{name}");
    };
    check("xtask/src/faults.rs::what_is_not_there_is_seen", false);
    check("xtask/src/faults.rs::what_was_never_written", true);
    check("xtask/src/no_such.rs::what_is_not_there_is_seen", true);
    check("sim: node killed", false);
    check("sim: node kissed", true);
    check("invariant: acked is kept", false);
    check("invariant: acked is lost", true);
    check("cargo xtask sim", false);
}
