//! The tag a recording means.

use ach_actors_model::TagId;
use twox_hash::XxHash3_64;

/// A text of 16 hexadecimal digits, or of `0x` and up to 16, is the EUI-64 itself. Any other text (a
/// walk's name, a phone's) stands for the XXH3-64 of its bytes, so that the same text is the same tag
/// in every file.
pub(crate) fn tag_id(text: &str) -> TagId {
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
}
