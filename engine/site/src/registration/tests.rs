//! Tags entered into the files of a small site, read back as a node would.

use super::*;

const SITE: &str =
    "id = \"st-anna\"\ntime_zone = \"UTC\"\n[[feed]]\nid = \"uwb\"\n[[feed]]\nid = \"ble\"\n";
const FLOOR: &str = r#"{"type":"FeatureCollection","floor":0,"features":[
{"type":"Feature","properties":{"kind":"floor","id":"ground"},"geometry":{"type":"Polygon",
"coordinates":[[[0,0],[50,0],[50,50],[0,50],[0,0]]]}}]}"#;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn wish(subject: &str, class: Option<SubjectClass>) -> Registration {
    Registration {
        tag: TagId(0x0200_AC00_0000_00A7),
        feed: name("uwb"),
        subject: name(subject),
        class,
        name: None,
        labels: Vec::new(),
    }
}

fn site(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("floors")).unwrap();
    fs::write(folder.path().join("site.toml"), SITE).unwrap();
    fs::write(folder.path().join("floors/0.geojson"), FLOOR).unwrap();
    for (file, text) in files {
        fs::write(folder.path().join(file), text).unwrap();
    }
    folder
}

fn read_site(root: &Path) -> SiteDirectory {
    SiteDirectory::read(root).unwrap_or_else(|findings| panic!("{findings}")).directory
}

/// Registers, and expects the tag on its subject and nothing else to have changed.
#[track_caller]
fn check(files: &[(&str, &str)], wish: &Registration, file: &str, part: &str) {
    let folder = site(files);
    let before = read_site(folder.path());
    let edit = before.register(folder.path(), wish).unwrap();
    assert_eq!(edit.path().file_name().unwrap(), file);
    edit.write().unwrap();
    let text = fs::read_to_string(folder.path().join(file)).unwrap();
    assert!(text.contains(part), "{text}");
    let mut after = read_site(folder.path());
    let mut subjects = after.people.iter_mut().chain(&mut after.equipment);
    let subject = subjects.find(|it| it.id == wish.subject).unwrap();
    assert_eq!(subject.tags.pop().unwrap().id, wish.tag);
    if before.subjects().any(|it| it.id == wish.subject) {
        assert_eq!(after, before, "nothing else has changed");
    }
    edit.undo().unwrap();
    assert_eq!(read_site(folder.path()), before);
}

#[test]
fn a_new_subject_is_written_at_the_end_of_its_file() {
    let people = "# The ward\nfeed = \"ble\"\n[[person]]\nid = \"p-1\"\nclass = \"patient\"";
    let patient = Registration {
        name: Some("O\"Neil \u{00df}".to_owned()),
        labels: vec![name("dementia"), name("ward-3")],
        ..wish("p-2", Some(SubjectClass::Patient))
    };
    check(&[("people.toml", people)], &patient, "people.toml", "\n\n[[person]]\nid = \"p-2\"");
    check(&[], &wish("pump", Some(SubjectClass::Asset)), "equipment.toml", "[[equipment]]");
    check(&[("people.csv", "id,class\np-1,staff\n")], &patient, "people.toml", "labels = [\"d");
}

#[test]
fn a_subject_that_is_there_gets_the_tag_into_its_own_lines() {
    let table = "tags = [{ id = \"0200AC00000000A7\", feed = \"uwb\" }]";
    let plain = "[[person]]\nid = \"p-1\"\nclass = \"staff\"\n\n[[person]]\nid = \"p-2\"\nclass = \"staff\"\n";
    check(
        &[("people.toml", plain)],
        &wish("p-1", None),
        "people.toml",
        &format!("\"p-1\"\n{table}"),
    );
    let has = "[[equipment]]\nid = \"pump\"\nfeed = \"ble\"\ntags = [\"0200AC0000000001\"]\n";
    let part = "[\"0200AC0000000001\", { id = \"0200AC00000000A7\", feed = \"uwb\" }]";
    check(
        &[("equipment.toml", has)],
        &wish("pump", Some(SubjectClass::Asset)),
        "equipment.toml",
        part,
    );
    let empty = "[[equipment]]\nid = \"pump\"\ntags = [ ]\n";
    check(&[("equipment.toml", empty)], &wish("pump", None), "equipment.toml", table.trim_start());
    let csv = "# things\nid,name,tags,feed\npump,Pump,0200AC0000000001,uwb\nbed,Bed,,uwb\n";
    check(
        &[("equipment.csv", csv)],
        &wish("pump", None),
        "equipment.csv",
        "0001 0200AC00000000A7,uwb",
    );
    check(
        &[("equipment.csv", csv)],
        &wish("bed", None),
        "equipment.csv",
        "Bed,0200AC00000000A7,uwb",
    );
}

#[track_caller]
fn check_refused(files: &[(&str, &str)], wish: &Registration, part: &str) {
    let folder = site(files);
    let refused = read_site(folder.path()).register(folder.path(), wish).unwrap_err();
    assert!(refused.to_string().contains(part), "{refused}");
}

#[test]
fn what_cannot_be_entered_is_told_with_its_remedy() {
    check_refused(&[], &wish("p-1", None), "say with its class");
    let other = Registration { feed: name("nfc"), ..wish("p-1", None) };
    check_refused(&[], &other, "no feed nfc");
    let has =
        "[[equipment]]\nid = \"pump\"\ntags = [{ id = \"0200AC00000000A7\", feed = \"uwb\" }]\n";
    check_refused(&[("equipment.toml", has)], &wish("bed", None), "is on pump already");
    let pump = wish("pump", Some(SubjectClass::Staff));
    let plain =
        "[[equipment]]\nid = \"pump\"\ntags = [\n  \"0200AC0000000001\",\n]\nfeed = \"uwb\"\n";
    check_refused(&[("equipment.toml", plain)], &pump, "another class");
    check_refused(&[("equipment.toml", plain)], &wish("pump", None), "by hand");
    let quoted = "id,name,tags,feed\npump,\"Pump, big\",,uwb\n";
    check_refused(&[("equipment.csv", quoted)], &wish("pump", None), "by hand");
}

#[test]
fn names_are_not_in_debug() {
    let named = Registration { name: Some("Muster".to_owned()), ..wish("p-1", None) };
    assert!(!format!("{named:?}").contains("Muster"));
}

/// Names of people are in the file, and in the one it is written as.
#[test]
fn a_file_is_for_its_owner_until_it_is_as_open_as_the_one_before() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.toml");
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    // What a kill left behind is open to all.
    fs::write(folder.path().join("people.new"), "left").unwrap();
    write(&path, "first").unwrap();
    assert_eq!((mode(), fs::read_to_string(&path).unwrap().as_str()), (0o600, "first"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    write(&path, "second").unwrap();
    assert_eq!((mode(), fs::read_to_string(&path).unwrap().as_str()), (0o640, "second"));
}

#[test]
fn what_somebody_else_wrote_meanwhile_is_not_undone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.toml");
    let edit = SiteEdit {
        path: path.clone(),
        before: Some("before".to_owned()),
        after: "after".to_owned(),
    };
    edit.write().unwrap();
    fs::write(&path, "after, and more").unwrap();
    assert!(matches!(edit.undo(), Err(RegisterError::Changed { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), "after, and more");
    edit.write().unwrap();
    edit.undo().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "before");
}

/// Exchanges the tag ..A7 of `patient-1` for ..B8, and expects just that part of the file to have changed.
#[track_caller]
fn check_exchange(file: &str, text: &str, expected: &str) {
    let folder = site(&[(file, text)]);
    let before = read_site(folder.path());
    let wish = Exchange {
        subject: name("patient-1"),
        old: TagId(0x0200_AC00_0000_00A7),
        new: TagId(0x0200_AC00_0000_00B8),
    };
    match before.exchange(folder.path(), &wish) {
        Err(error) => assert_eq!(error.to_string(), expected),
        Ok(edit) => {
            edit.write().unwrap();
            let text = fs::read_to_string(folder.path().join(file)).unwrap();
            assert_eq!(text, expected);
            let after = read_site(folder.path());
            let subject = after.people.iter().find(|it| it.id == wish.subject).unwrap();
            let tags: Vec<TagId> = subject.tags.iter().map(|tag| tag.id).collect();
            assert!(tags.contains(&wish.new) && !tags.contains(&wish.old), "{tags:?}");
            let earlier = before.people.iter().find(|it| it.id == wish.subject).unwrap();
            assert_eq!(tags.len(), earlier.tags.len());
            edit.undo().unwrap();
            assert_eq!(read_site(folder.path()), before);
        }
    }
}

#[test]
fn a_tag_takes_another_ones_place_however_that_is_written() {
    let person = |tags: &str| {
        format!(
            "feed = \"uwb\"\n[[person]]\nid = \"patient-1\"\nname = \"A\"\nclass = \"patient\"\ntags = {tags}\n"
        )
    };
    let check = |tags: &str, expected: &str| {
        check_exchange("people.toml", &person(tags), &person(expected));
    };
    check("[\"0200AC00000000A7\"]", "[\"0200AC00000000B8\"]");
    check("[\"02:00:ac:00:00:00:00:a7\"]", "[\"0200AC00000000B8\"]");
    check(
        "[{ id = \"0200AC00000000A7\", feed = \"ble\" }, \"0200AC00000000A9\"]",
        "[{ id = \"0200AC00000000B8\", feed = \"ble\" }, \"0200AC00000000A9\"]",
    );
    check(
        "[\n  \"0200AC00000000A7\", # was 0200AC00000000A7 before\n]",
        "[\n  \"0200AC00000000B8\", # was 0200AC00000000A7 before\n]",
    );
    check_exchange(
        "people.csv",
        "id,name,class,labels,tags,feed\npatient-1,\"Muster, A\",patient,,0200AC00000000A7,uwb\n",
        "id,name,class,labels,tags,feed\npatient-1,\"Muster, A\",patient,,0200AC00000000B8,uwb\n",
    );
}

#[test]
fn a_tag_that_is_not_there_or_is_taken_takes_nobodys_place() {
    let people = |first: &str, second: &str| {
        let person = |id: &str, tag: &str| {
            format!(
                "[[person]]\nid = \"{id}\"\nname = \"A\"\nclass = \"patient\"\ntags = [\"{tag}\"]\n"
            )
        };
        format!("feed = \"uwb\"\n{}{}", person("patient-1", first), person("patient-2", second))
    };
    check_exchange(
        "people.toml",
        &people("0200AC00000000A9", "0200AC00000000A7"),
        "tag 0200AC00000000A7 is not on patient-1 in this site, look who wears it",
    );
    check_exchange(
        "people.toml",
        &people("0200AC00000000A7", "0200AC00000000B8"),
        "tag 0200AC00000000B8 is on patient-2 already, take it off there first",
    );
}
