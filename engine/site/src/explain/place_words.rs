//! Where a rule watches, in words.

use ach_actors_model::Name;

/// Most places that are told one by one.
const PLACES_MAX: usize = 5;

/// `the zone "A"`, `one of the 3 doors labelled exit ("A", "B" and "C")`.
pub(super) fn place_words(word: &str, ids: &[Name], labels: &[Name], names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let labels: Vec<String> = labels.iter().map(ToString::to_string).collect();
    let count = quoted.len();
    match (ids.is_empty(), labels.is_empty(), quoted.as_slice()) {
        (_, _, []) => format!("no {word}"),
        (false, _, [only]) | (_, true, [only]) => format!("the {word} {only}"),
        (true, false, [only]) => format!("the only {word} labelled {} ({only})", words_or(&labels)),
        (_, true, many) if count <= PLACES_MAX => {
            format!("one of the {word}s {}", words_or(many))
        }
        (_, true, many) => format!("one of {count} {word}s ({})", listed(many)),
        (true, false, many) => {
            format!("one of the {count} {word}s labelled {} ({})", words_or(&labels), listed(many))
        }
        (false, false, many) => {
            let labels = words_or(&labels);
            format!("one of {count} {word}s, named or labelled {labels} ({})", listed(many))
        }
    }
}

/// `the door "A"`, `the 3 doors labelled exit ("A", "B" and "C")`.
pub(super) fn all_words(word: &str, ids: &[Name], labels: &[Name], names: &[&str]) -> String {
    if labels.is_empty() && (2..=PLACES_MAX).contains(&names.len()) {
        let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        return format!("the {word}s {}", words_and(&quoted));
    }
    let words = place_words(word, ids, labels, names);
    match words.strip_prefix("one of ") {
        Some(rest) if rest.starts_with("the ") => rest.to_owned(),
        Some(rest) => format!("the {rest}"),
        None => words,
    }
}

/// `a, b and c`.
pub(super) fn words_and(words: &[String]) -> String {
    joined(words, "and")
}

/// `a, b and c`, at most so many of them.
fn listed(words: &[String]) -> String {
    let mut told: Vec<String> = words.iter().take(PLACES_MAX).cloned().collect();
    if words.len() > told.len() {
        told.push(format!("{} more", words.len() - told.len()));
    }
    joined(&told, "and")
}

/// `a, b or c`.
pub(super) fn words_or(words: &[String]) -> String {
    joined(words, "or")
}

fn joined(words: &[String], last_word: &str) -> String {
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} {last_word} {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_as_they_are_selected() {
        let check = |ids: &str, labels: &str, names: &str, expected: &str| {
            let list = |text: &str| -> Vec<Name> {
                text.split_whitespace().map(|word| Name::new(word).unwrap()).collect()
            };
            let names: Vec<&str> = names.split_whitespace().collect();
            assert_eq!(place_words("zone", &list(ids), &list(labels), &names), expected);
        };
        check("a", "", "A", "the zone \"A\"");
        check("a b", "", "A B", "one of the zones \"A\" or \"B\"");
        check("a b c", "", "A B C", "one of the zones \"A\", \"B\" or \"C\"");
        check(
            "a b c d e f g",
            "",
            "A B C D E F G",
            "one of 7 zones (\"A\", \"B\", \"C\", \"D\", \"E\" and 2 more)",
        );
        check("", "x", "A", "the only zone labelled x (\"A\")");
        check("", "x y", "A B", "one of the 2 zones labelled x or y (\"A\" and \"B\")");
        check("a", "x", "A B", "one of 2 zones, named or labelled x (\"A\" and \"B\")");
        check("", "x", "", "no zone");
    }
}
