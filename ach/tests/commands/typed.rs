//! What is typed wrongly, or cannot be done: a sentence that says what to do, and the right code.

use std::fs;

use super::check;

#[test]
fn what_cannot_be_done_says_why_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::create_dir(at.join("empty")).unwrap();
    fs::write(at.join("file"), "").unwrap();
    check(at, "site new site", 0, &["ach site check site"]);
    check(at, "site new site", 1, &["site exists already"]);
    check(at, "site new /proc/none", 1, &["cannot write /proc/none"]);
    check(at, "site check none", 1, &["none does not exist", "ach site new DIR"]);
    check(at, "site check file", 1, &["file is no directory"]);
    check(at, "site check empty", 3, &["site.toml: error: the file is missing", "remedy: "]);
    check(at, "serve --site none --data data", 1, &["none does not exist"]);
    check(at, "serve --site site --data /proc/none", 1, &["cannot make /proc/none", "--data"]);
    for command in
        ["journal verify empty", "journal show empty", "vendor enrol v --data none --out o"]
    {
        check(at, command, 1, &["no data directory of a node", "ach serve --site DIR --data"]);
    }
    check(at, "tail alarms --credentials none", 1, &["none/ca.pem is missing", "ach vendor enrol"]);
    check(at, "demo --data site", 1, &["a demo begins with a new directory"]);
    check(at, "replay none.csv --site site", 1, &["cannot read none.csv", "check the path"]);
    check(at, "replay empty --site site", 1, &["cannot read empty"]);
}

#[test]
fn what_is_not_understood_has_a_code_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("walk.csv"), "time,tag,x,y\n1,a,1,1\n").unwrap();
    for (words, part) in [
        ("", "Usage"),
        ("demo --for 5x", "no unit of time"),
        ("demo --for 0s", "not between"),
        ("serve --site s", "--data <DIR>"),
        ("serve --site s --data d --listen 7400", "--listen"),
        ("tail alarm --credentials c", "alarms, events, positions"),
        ("tail alarms --credentials c --kind elopment", "`elopement`"),
        ("tail alarms --credentials c --zone a/b", "an id is made of"),
        ("tail alarms --credentials c --tag xyz", "no EUI-64"),
        ("tail events --credentials c --kind duress", "events cannot be filtered by --kind"),
        ("tail positions --credentials c --door d", "positions cannot be filtered by --door"),
        ("actor release tag xyz --credentials c", "no EUI-64"),
        ("operator enrol a/b --data d --out o", "an id is made of"),
        ("replay walk.csv", "--site DIR for a node of its own"),
        ("replay walk.csv --site s --columns place=x", "roles are time, tag"),
        ("replay walk.csv --site s --speed 0", "try `max`"),
        ("replay walk.csv --site s --delimiter ä", "one ASCII character"),
        ("journal show d --last 1000000", "use --from and --count"),
    ] {
        check(at, words, 2, &[part]);
    }
}

/// Every command that can be typed has an example.
#[test]
fn help_shows_examples() {
    let folder = tempfile::tempdir().unwrap();
    for words in [
        "",
        "demo",
        "serve",
        "site new",
        "site check",
        "site sample",
        "rules check",
        "rules explain",
        "rules schema",
        "vendor enrol",
        "receiver enrol",
        "operator enrol",
        "replay",
        "tail",
        "status",
        "actor release",
        "actor quarantine",
        "journal verify",
        "journal show",
        "where",
        "visits",
        "explain",
        "history export",
        "history build",
    ] {
        check(folder.path(), &format!("{words} --help"), 0, &["Example", "\n  ach "]);
    }
}

#[test]
fn a_site_with_mistakes_is_unsound_and_tells_each() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    check(at, "site new site", 0, &[]);
    check(at, "site check site", 0, &["sound: 1 floor, 8 zones", "0 warnings"]);
    let rules = at.join("site/rules.toml");
    let text = fs::read_to_string(&rules).unwrap();
    fs::write(&rules, text.replace("percent = 10", "percent = 100")).unwrap();
    let people = at.join("site/people.toml");
    let text = fs::read_to_string(&people).unwrap();
    fs::write(&people, text.replace("class = \"visitor\"", "class = \"visitor\"\nroom = 7"))
        .unwrap();
    check(at, "site check site", 3, &["`percent` is 100", "`room` means nothing", "2 mistakes, "]);
    check(at, "serve --site site --data data", 1, &["`percent` is 100", "site has 2 mistakes"]);
    assert!(!at.join("data").exists(), "a site that cannot be used leaves nothing behind");
    let said = check(at, "site check site --json", 3, &[]);
    let kinds: Vec<String> = said
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|finding| format!("{} {}", finding["file"], finding["kind"]))
        .collect();
    assert_eq!(kinds, ["\"people.toml\" \"unknown_field\"", "\"rules.toml\" \"bad_value\""]);
}
