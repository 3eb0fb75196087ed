//! Words of the model as files and programs spell them.

/// The name of a type or variant as a word: `OverCapacity` as `over_capacity`.
pub fn snake_case(name: &str) -> String {
    let mut word = String::with_capacity(name.len());
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(letter.to_ascii_lowercase());
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_capital_but_the_first_begins_a_part() {
        assert_eq!(snake_case("OverCapacity"), "over_capacity");
        assert_eq!(snake_case("Duress"), "duress");
        assert_eq!(snake_case(""), "");
    }
}
