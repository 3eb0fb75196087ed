//! What is known about persons is kept, told, held and erased.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::check;
use super::history::{objects, recorded};

const PERSONS: &str = "id,name,hospital,insurer\n\
    visitor-001,Berta Beispielhaft,MRN-081547,\n\
    patient-17,Anna Unverwechselbar,MRN-4711,I-99\n";

/// A data directory in which two persons are known.
fn known(folder: &Path) {
    recorded(folder);
    fs::write(folder.join("persons.csv"), PERSONS).unwrap();
    check(folder, "person import persons.csv --data data", 0, &["2 persons are kept"]);
}

/// Whether any file below a folder has the text.
fn is_below(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return is_below(&path, text);
        }
        let bytes = fs::read(&path).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

/// The acts on persons and holds in the audit log, with how each went and on what it was done.
fn acts(folder: &Path) -> Vec<(String, String, String)> {
    let shown = check(folder, "audit show data --count 1000 --json", 0, &[]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = objects(&shown).into_iter();
    let ours = all.filter(|it| text(&it["action"]).starts_with("person_"));
    ours.map(|it| (text(&it["action"]), text(&it["outcome"]), it["objects"].to_string())).collect()
}

/// Who was erased does not come back with the next table, and takes nobody with them.
fn check_stays_erased(at: &Path) {
    let more = "id,name\npatient-18,C\nvisitor-001,Berta\npatient-19,D\n";
    fs::write(at.join("more.csv"), more).unwrap();
    let import = "person import more.csv --data data";
    let said = check(at, import, 3, &["2 persons are kept", "`visitor-001` is not kept", "erased"]);
    assert!(!said.err.contains("Berta"), "{said:?}");
    check(at, "person export patient-18 --data data", 0, &["\"name\":\"C\""]);
    check(at, "person export patient-19 --data data", 0, &["\"name\":\"D\""]);
    let told = objects(&check(at, &format!("{import} --json"), 3, &[]));
    assert_eq!(
        (&told[0]["count"], &told[0]["erased"]),
        (&2.into(), &vec!["visitor-001"].into()),
        "{told:?}"
    );
    // Nor when a bit of the note turns, whatever is asked: they are to be erased again.
    let note = at.join("data/people/visitor-001.key");
    let mut bytes = fs::read(&note).unwrap();
    bytes[9] ^= 1;
    fs::write(&note, bytes).unwrap();
    let again = ["may be of somebody who was erased", "ach person erase visitor-001"];
    check(at, &format!("{import} --replace-damaged"), 3, &again);
    check(at, "person list --data data", 3, &["visitor-001", "erase them again", "patient-18"]);
    // Who erases by such a list is to decide on them.
    let listed = check(at, "person list --data data --json", 3, &["erase them again"]);
    let is_open = |it: &Value| it["id"] == "visitor-001" && it["is_erased"].is_null();
    assert!(objects(&listed).iter().any(is_open), "{listed:?}");
    fs::write(at.join("list"), &listed.out).unwrap();
    let by_list = "person erase --from list --data data --yes";
    check(at, by_list, 1, &["nobody could tell whether they were erased"]);
    check(at, "person erase visitor-001 --data data --yes", 0, &["visitor-001 is erased"]);
    check(at, "person list --data data", 0, &["visitor-001", "erased"]);
}

#[test]
fn a_person_is_kept_told_and_erased_and_each_is_in_the_audit_log() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    known(at);
    let listed = check(at, "person list --data data --json", 0, &[]);
    assert_eq!(objects(&listed)[0]["id"], "patient-17");
    assert_eq!(objects(&listed)[1]["is_erased"], false);
    for text in ["Beispielhaft", "MRN-081547"] {
        assert!(!is_below(&at.join("data"), text), "{text} lies open on disk");
    }
    // The store is disposable, persons are not.
    check(at, "history build --data data", 0, &[]);
    fs::remove_dir_all(at.join("data/history")).unwrap();
    let told = objects(&check(at, "person export visitor-001 --data data", 0, &[]));
    let of = |event: &str| -> Vec<&Value> {
        told.iter().filter(|object| object["event"] == event).collect()
    };
    assert_eq!(of("person")[0]["name"], "Berta Beispielhaft");
    assert_eq!(of("person")[0]["links"][0]["number"], "MRN-081547");
    assert_eq!(of("tag")[0]["tag"], "0200AC0000000004");
    assert!(of("visit").iter().any(|visit| visit["zone"] == "store"), "{told:?}");
    let alarm = of("alarm")[0];
    assert_eq!(alarm["kind"], "unauthorised_entry", "{told:?}");
    // What a person has a right to know of it: where, by which tag, on what evidence.
    assert_eq!(
        (&alarm["place"]["id"], &alarm["rule"]),
        (&"store".into(), &"store-at-night".into())
    );
    assert_eq!(
        (&alarm["input"]["x_mm"], &alarm["tag"]),
        (&15_000.into(), &"0200AC0000000004".into())
    );
    assert_eq!(of("position").len(), 4, "{told:?}");
    let out = "person export visitor-001 --data data --out berta.jsonl";
    check(at, out, 0, &["\"rows\":"]);
    check(at, out, 1, &["name another file"]);
    assert_eq!(fs::read_to_string(at.join("berta.jsonl")).unwrap().lines().count(), told.len());
    check(at, "person export nobody --data data", 3, &["nothing is kept of `nobody`"]);

    check(at, "person erase visitor-001 --data data", 2, &["would erase for ever", "add --yes"]);
    let again = check(at, "person export visitor-001 --data data", 0, &[]);
    assert!(again.out.contains("Berta"), "it was only asked about");
    check(at, "person erase visitor-001 --data data --yes", 0, &["visitor-001 is erased"]);
    let told = check(at, "person export visitor-001 --data data", 0, &["erased_at", "\"visit\""]);
    assert!(!told.out.contains("Berta") && !told.out.contains("MRN"), "{told:?}");
    check(at, "person list --data data", 0, &["visitor-001", "erased", "patient-17", "known"]);
    check(at, "person erase visitor-001 --data data --yes --json", 0, &["person_erased"]);
    check(at, "person erase nobody --data data --yes", 3, &["nothing is kept about `nobody`"]);
    // What an import left half done goes too.
    let left = at.join("data/people/late.key.new");
    fs::copy(at.join("data/people/patient-17.key"), &left).unwrap();
    check(at, "person erase late --data data --yes", 3, &["nothing is kept about `late`"]);
    assert!(!left.exists());
    check_stays_erased(at);

    let acts = acts(at);
    let went: Vec<(&str, &str)> = acts.iter().map(|(act, how, _)| (&**act, &**how)).collect();
    let erased = [("person_erased", "begun"), ("person_erased", "done")];
    let nobody = [("person_erased", "begun"), ("person_erased", "refused")];
    let kept = [("person_kept", "begun"), ("person_kept", "done")];
    let but_one = [&[kept[0], ("person_kept", "refused"), kept[1]][..]; 3].concat();
    assert_eq!(went, [&kept[..], &erased, &erased, &nobody, &nobody, &but_one, &erased].concat());
    assert!(acts[11].2.contains("visitor-001") && !acts[11].2.contains("patient-18"), "{acts:?}");
    assert!(acts[0].2.contains("patient-17") && acts[2].2.contains("visitor-001"), "{acts:?}");
    assert!(!is_below(&at.join("data/audit"), "Berta"));
    let reads = check(at, "audit show data --count 1000", 0, &["topic person"]);
    assert!(reads.out.contains("subject visitor-001"), "{reads:?}");
}

/// Whoever was erased since the backup is back with it, and the hospital's export has them still.
#[test]
fn who_was_erased_stays_so_when_an_older_backup_is_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    known(at);
    let copied = |from: &str, to: &str| {
        drop(fs::remove_dir_all(at.join(to)));
        fs::create_dir(at.join(to)).unwrap();
        for file in fs::read_dir(at.join(from)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), at.join(to).join(file.file_name())).unwrap();
        }
    };
    copied("data/people", "backup");
    fs::write(at.join("late.csv"), "id,name\npatient-18,Clara Spaeter\n").unwrap();
    check(at, "person import late.csv --data data", 0, &[]);
    for id in ["visitor-001", "patient-18"] {
        check(at, &format!("person erase {id} --data data --yes"), 0, &[]);
    }
    let listed = check(at, "person list --data data --json", 0, &[]);
    fs::write(at.join("erased.jsonl"), &listed.out).unwrap();
    copied("backup", "data/people");
    check(at, "person export visitor-001 --data data", 0, &["Berta"]);

    let erase = "person erase --from erased.jsonl --data data";
    check(at, erase, 2, &["known about 2 persons", "add --yes"]);
    check(at, "person export visitor-001 --data data", 0, &["Berta"]);
    check(at, &format!("{erase} --yes"), 0, &["2 persons are erased"]);
    let told = check(at, "person export visitor-001 --data data", 0, &["erased_at"]);
    assert!(!told.out.contains("Berta"), "{told:?}");
    check(at, "person export patient-17 --data data", 0, &["Unverwechselbar"]);
    // Also of whom the backup knew nothing.
    check(at, "person import late.csv --data data", 3, &["`patient-18` is not kept", "erased"]);
    let acts = acts(at);
    let is_of_both = |(act, how, on): &&(String, String, String)| {
        act == "person_erased" && how == "done" && on.contains("visitor-001") && on.contains("-18")
    };
    assert_eq!(acts.iter().filter(is_of_both).count(), 1, "{acts:?}");

    // A list of ids is as good; who is held is named, the others are erased.
    let hold =
        "history hold case-18 --data data --from 2026-01-10 --subject patient-17 --reason court";
    check(at, hold, 0, &[]);
    fs::write(at.join("ids"), "patient-17\n\npatient-19\n").unwrap();
    let ids = "person erase --from ids --data data --yes --json";
    let said = check(at, ids, 3, &["`patient-17` is not erased: a hold"]);
    assert_eq!(objects(&said)[0]["count"], 1, "{said:?}");
    check(at, "person export patient-17 --data data", 0, &["Unverwechselbar"]);
    check(at, "person list --data data", 0, &["patient-19"]);
    for (list, why) in [
        ("patient-20\nno id\n", "line 2: an id is made of"),
        ("{\"id\":\"patient-20\"}\n", "line 1: it does not have `id` and `is_erased`"),
        ("{\"id\"\n", "line 1: it is no whole JSON object"),
        ("{\"id\":\"patient-20\",\"is_erased\":null}\n", "line 1: nobody could tell whether"),
        ("\n", "nobody is on that list"),
    ] {
        fs::write(at.join("bad"), list).unwrap();
        let code = if list == "\n" { 3 } else { 1 };
        check(at, "person erase --from bad --data data --yes", code, &[why]);
    }
    let listed = check(at, "person list --data data", 0, &[]);
    assert!(!listed.out.contains("patient-20"), "{listed:?}");
    check(at, "person erase --data data --yes", 2, &[]);
    check(at, "person erase patient-17 --from ids --data data --yes", 2, &[]);
}

#[test]
fn a_person_who_is_held_is_not_erased() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    known(at);
    let hold = "history hold case-18 --data data --from 2026-01-10 --subject patient-17 --reason court --json";
    let placed = objects(&check(at, hold, 0, &[]));
    assert_eq!(
        (&placed[0]["event"], &placed[0]["subject"]),
        (&"hold_placed".into(), &"patient-17".into())
    );
    check(at, "history holds --data data", 0, &["protects patient-17"]);
    let erase = "person erase patient-17 --data data --yes";
    check(at, erase, 1, &["hold `case-18` protects `patient-17`"]);
    check(at, "person export patient-17 --data data", 0, &["Unverwechselbar", "case-18"]);
    check(at, "person erase visitor-001 --data data --yes", 0, &[]);
    let late = "history hold late --data data --from 2026-01-10 --subject visitor-001 --reason x";
    check(at, late, 1, &["`visitor-001` was erased", "nothing is left to be held"]);
    // What is held is not replaced; nobody else is kept out by it.
    fs::write(at.join("more.csv"), "id,name\npatient-17,Somebody Else\npatient-18,C\n").unwrap();
    let kept = check(at, "person import more.csv --data data --json", 3, &["a hold protects"]);
    assert_eq!(
        (&objects(&kept)[0]["count"], &objects(&kept)[0]["held"][0]),
        (&1.into(), &"patient-17".into())
    );
    check(at, "person export patient-17 --data data", 0, &["Unverwechselbar"]);
    check(at, "history release case-18 --data data --json", 0, &["hold_lifted"]);
    check(at, erase, 0, &["patient-17 is erased"]);
    let acts = acts(at);
    let mut refused = acts.iter().filter(|(_, how, _)| how == "refused");
    assert!(
        refused.any(|(_, _, of)| of.contains("case-18") && of.contains("patient-17")),
        "{acts:?}"
    );
    let shown = check(at, "audit show data --count 1000 --json", 0, &[]);
    let shown = objects(&shown);
    let late = shown.iter().find(|it| it["action"] == "hold_placed" && it["outcome"] == "refused");
    assert!(late.unwrap()["objects"].to_string().contains("visitor-001"), "{shown:?}");
    assert!(shown.iter().any(|it| it["objects"].to_string().contains("holds")), "{shown:?}");
}

#[test]
fn what_is_wrong_with_persons_is_said_without_names() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    known(at);
    fs::write(at.join("bad.csv"), "id,name\nno id,Clara Geheim\n").unwrap();
    let said = check(at, "person import bad.csv --data data", 1, &["line 2: its id"]);
    assert!(!said.err.contains("Clara"), "{said:?}");
    check(at, "person import none.csv --data data", 1, &["cannot read none.csv"]);
    check(at, "person list --data none", 1, &["no data directory of a node"]);
    check(at, "person erase a/b --data data --yes", 2, &["an id is made of"]);
    // One key is damaged: it is said, the others are told, and it can still be erased.
    let key = at.join("data/people/patient-17.key");
    let mut bytes = fs::read(&key).unwrap();
    bytes[20] ^= 1;
    fs::write(&key, bytes).unwrap();
    check(
        at,
        "person list --data data",
        3,
        &["visitor-001", "patient-17: the keys of persons are damaged"],
    );
    check(at, "person export patient-17 --data data", 1, &["damaged"]);
    check(at, "person erase patient-17 --data data --yes", 0, &["patient-17 is erased"]);
    check(at, "person list --data data", 0, &["erased"]);
}

/// One damaged file is one person's, and a hold is placed on whoever is not erased.
#[test]
fn one_damaged_file_stops_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    known(at);
    let damage = |name: &str| {
        let file = at.join("data/people").join(name);
        let mut bytes = fs::read(&file).unwrap();
        bytes[20] ^= 1;
        fs::write(&file, bytes).unwrap();
    };
    damage("check");
    check(at, "person export visitor-001 --data data", 0, &["Berta Beispielhaft"]);
    damage("patient-17.key");
    let hold = "history hold case-18 --data data --from 2026-01-10 --reason x --subject";
    check(at, &format!("{hold} patient-17"), 0, &["damaged", "and patient-17 is not erased"]);
    check(at, "history release case-18 --data data", 0, &[]);
    check(at, &format!("{hold} patient-71"), 2, &["nobody is known as `patient-71`", "--yes"]);
    check(at, &format!("{hold} patient-71 --yes"), 0, &["and patient-71 is not erased"]);
    let import = "person import persons.csv --data data";
    check(at, import, 3, &["1 person is kept", "`patient-17` is as before", "--replace-damaged"]);
    check(at, &format!("{import} --replace-damaged"), 0, &["2 persons are kept"]);
    check(at, "person export patient-17 --data data", 0, &["Unverwechselbar"]);
    // An import that was cut short between keys and rows.
    fs::remove_file(at.join("data/people/patient-17.row")).unwrap();
    check(at, "person list --data data", 3, &["patient-17", "no row", "import them again"]);
    check(at, "person export patient-17 --data data", 3, &["nothing under it", "known_since"]);
    check(at, import, 0, &["2 persons are kept"]);
    check(at, "person list --data data", 0, &["patient-17"]);
    // A key that is lost may be in a backup, as a damaged one may.
    fs::remove_file(at.join("data/people/patient-17.key")).unwrap();
    check(at, import, 3, &["`patient-17` is as before", "damaged or lost"]);
    check(at, "person export patient-17 --data data", 1, &["missing"]);
    check(at, &format!("{import} --replace-damaged"), 0, &["2 persons are kept"]);
    check(at, "person export patient-17 --data data", 0, &["Unverwechselbar"]);
    // Nothing is left that proves the secret.
    for name in ["check", "patient-17.key", "visitor-001.key"] {
        damage(name);
    }
    check(at, import, 1, &["every key there is"]);
    check(at, &format!("{import} --replace-damaged"), 0, &["2 persons are kept"]);
    check(at, "person export visitor-001 --data data", 0, &["Berta Beispielhaft"]);
}

#[test]
fn no_name_is_told_that_is_in_no_record() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    known(at);
    fs::rename(at.join("data/audit"), at.join("data/audit.away")).unwrap();
    fs::write(at.join("data/audit"), "in its place").unwrap();
    let export = "person export patient-17 --data data --out anna.jsonl";
    let said = check(at, export, 1, &["cannot record it"]);
    assert!(!said.out.contains("Anna") && !at.join("anna.jsonl").exists(), "{said:?}");
    // Ids lie open in the folder: that they are read is said to be in no record.
    check(at, "person list --data data", 0, &["is in no audit log", "patient-17"]);
    fs::remove_file(at.join("data/audit")).unwrap();
    fs::rename(at.join("data/audit.away"), at.join("data/audit")).unwrap();
    check(at, export, 0, &["\"rows\":"]);
}
