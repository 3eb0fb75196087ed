//! The tags of a recording, by the names it gives them.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_model::TagId;
use twox_hash::XxHash3_64;

/// Longest id of a thing in a site directory.
const ID_BYTES_MAX: usize = 64;

/// Which text stands for which tag.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TagNames(BTreeMap<TagId, String>);

impl TagNames {
    /// The tag that a text stands for.
    pub(super) fn tag(&mut self, text: &str) -> TagId {
        let tag = tag_id(text);
        self.0.entry(tag).or_insert_with(|| text.trim().to_owned());
        tag
    }

    /// The tags as the lines of an `equipment.csv`, header first, so that a site can be made for a
    /// recording. Ids come from the recording's names; what an id cannot hold becomes `-`.
    pub(crate) fn equipment_lines(&self) -> Vec<String> {
        let mut lines = vec!["id,tags".to_owned()];
        let mut taken = BTreeSet::new();
        for (tag, name) in &self.0 {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || ".:_-".contains(c);
            let plain: String = name
                .chars()
                .map(|c| if is_plain(c) { c } else { '-' })
                .take(ID_BYTES_MAX)
                .collect();
            // Names that differ in what cannot be held are told apart by the tag.
            let id = if taken.contains(&plain) { format!("tag-{tag}") } else { plain };
            lines.push(format!("{id},{tag}"));
            taken.insert(id);
        }
        lines
    }
}

/// A text of 16 hexadecimal digits, or of `0x` and up to 16, is the EUI-64 itself. Any other text (a
/// walk's name, a phone's) stands for the XXH3-64 of its bytes, so that the same text is the same tag
/// in every file.
fn tag_id(text: &str) -> TagId {
    let text = text.trim();
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let plain = (text.len() == 16).then_some(text);
    let parsed = digits.or(plain).and_then(|digits| u64::from_str_radix(digits, 16).ok());
    TagId(parsed.unwrap_or_else(|| XxHash3_64::oneshot(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_eui_64_is_itself_and_any_other_text_is_hashed() {
        assert_eq!(tag_id("00124B0001A2B3C4"), TagId(0x0012_4B00_01A2_B3C4));
        assert_eq!(tag_id("0x6733"), TagId(0x6733));
        assert_eq!(tag_id(" 0x6733 "), TagId(0x6733));
        assert_eq!(tag_id("walk 7"), tag_id("walk 7"));
        assert_ne!(tag_id("walk 7"), tag_id("walk 8"));
        assert_ne!(tag_id("6733"), TagId(0x6733)); // Short digits alone may be a name.
    }

    #[test]
    fn tags_are_listed_as_equipment_with_an_id_each() {
        let mut names = TagNames::default();
        for text in ["0x6733", "0x6734", "0x6733", "bed 7", "bed/7"] {
            names.tag(text);
        }
        let lines = names.equipment_lines();
        assert_eq!(lines.len(), 5, "{lines:?}");
        assert_eq!(lines[..3], ["id,tags", "0x6733,0000000000006733", "0x6734,0000000000006734"]);
        let beds = lines[3..].iter().filter(|line| line.starts_with("bed-7,")).count();
        let others = lines[3..].iter().filter(|line| line.starts_with("tag-")).count();
        assert_eq!((beds, others), (1, 1), "{lines:?}");
    }
}
