//! Versions of the site go into a checkpoint in parts and come out whole.

use ach_actors_model::{Name, SubjectClass, SubjectConfig};

use super::*;
use crate::test_values::empty_site;

/// A site whose configuration and names take several parts each.
fn large() -> CodedSite {
    let mut config = empty_site("st-anna");
    config.subjects = (0..60_000)
        .map(|number| SubjectConfig {
            id: Name::new(&format!("patient-with-a-rather-long-name-{number:08}")).unwrap(),
            class: SubjectClass::Patient,
            labels: Vec::new(),
        })
        .collect();
    let site = Arc::new(Site::compile(None, &config).unwrap());
    CodedSite::new(&site, &config).unwrap()
}

fn parts(site: &CodedSite) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    site.parts::<StateError>(&mut |part| {
        parts.push(part);
        Ok(())
    })
    .unwrap();
    parts
}

#[test]
fn a_large_site_is_told_in_parts_of_a_mebibyte_and_comes_back() {
    let site = large();
    let told = parts(&site);
    assert!(told.len() >= 4, "{} parts", told.len());
    assert!(told.iter().all(|part| part.len() <= HEAD_BYTES + PART_BYTES));
    let mut reading = SiteParts::default();
    let mut whole = None;
    for (place, part) in told.iter().enumerate() {
        assert!(whole.is_none(), "part {place} follows the last");
        whole = reading.take(part).unwrap();
    }
    let (again, config) = whole.expect("it is whole").compile().unwrap();
    assert!(!reading.is_open());
    assert_eq!(again.config, site.config);
    assert_eq!(config.subjects.len(), 60_000);
    assert_eq!(parts(&again), told, "told again it is the same");
}

#[test]
fn parts_that_do_not_follow_each_other_are_refused() {
    let told = parts(&large());
    let refused = |order: &[usize]| {
        let mut reading = SiteParts::default();
        order.iter().any(|&place| reading.take(&told[place]).is_err())
    };
    assert!(!refused(&[0, 1]));
    for order in [&[1][..], &[0, 0], &[0, 2], &[told.len() - 1]] {
        assert!(refused(order), "{order:?}");
    }
    let mut reading = SiteParts::default();
    assert!(reading.take(&told[0][..HEAD_BYTES - 1]).is_err(), "too short");
    let mut other = told[1].clone();
    other[0] ^= 1;
    reading.take(&told[0]).unwrap();
    assert!(reading.take(&other).is_err(), "of another version");
}
