//! `ach rules`: what the rules of a site say, and where they leave a hole.

mod rehearse;
mod rule_file;
mod score;

use std::path::Path;

use ach_actors_model::Timestamp;
use ach_engine_site::{Explainer, Explanation, Severity, SiteDirectory, rules_schema};

use super::site::{counted, must_be_there, read};
use crate::cli::rules::Rules;
use crate::exit::{Failure, Outcome};

/// Where a paragraph is broken, its indent included.
const COLUMNS: usize = 100;

/// Does what was asked.
pub(crate) fn run(rules: &Rules) -> Result<Outcome, Failure> {
    match rules {
        Rules::Check { dir, json } => check(dir, *json),
        Rules::Explain { dir, rule, json } => explain(dir, rule.as_deref(), *json),
        Rules::Schema => {
            say!("{}", serde_json::to_string_pretty(&rules_schema())?);
            Ok(Outcome::Done)
        }
        Rules::Rehearse(wish) => rehearse::run(wish),
        Rules::Score(wish) => score::run(wish),
    }
}

fn check(dir: &Path, is_json: bool) -> Result<Outcome, Failure> {
    must_be_there(dir)?;
    let (findings, rule_count) = match SiteDirectory::read(dir) {
        Ok(reading) => (reading.warnings, Some(reading.directory.rules.len())),
        Err(findings) => (findings, None),
    };
    let mut warning_count = 0;
    // A mistake anywhere keeps rules from being looked at together.
    let is_told = |severity| severity == Severity::Error;
    for finding in findings.iter().filter(|one| one.is_about_rules() || is_told(one.severity)) {
        warning_count += usize::from(finding.severity == Severity::Warning);
        if is_json {
            say!("{}", serde_json::to_string(finding)?);
        } else {
            say!("{finding}");
        }
    }
    let warnings = counted(warning_count, "warning");
    match rule_count {
        _ if is_json => {}
        Some(count) => say!("sound: {}; {warnings}", counted(count, "rule")),
        None => {
            let mistakes = counted(findings.count(Severity::Error), "mistake");
            say!(
                "{mistakes}, {warnings}; conflicts and holes are looked for once there is no mistake"
            );
        }
    }
    Ok(if findings.has_errors() { Outcome::Unsound } else { Outcome::Done })
}

fn explain(dir: &Path, id: Option<&str>, is_json: bool) -> Result<Outcome, Failure> {
    let site = read(dir)?;
    let now = u64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or_default();
    let explainer = Explainer::new(&site, Timestamp(now));
    let Some(id) = id else {
        for (number, explanation) in explainer.all().enumerate() {
            if number > 0 && !is_json {
                say!("");
            }
            tell(&explanation, is_json)?;
        }
        return Ok(Outcome::Done);
    };
    match explainer.rule(id) {
        Ok(explanation) => tell(&explanation, is_json)?,
        Err(near) => {
            let what_to_do = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("`ach rules explain {}` tells them all", dir.display()),
            };
            let id = id.escape_debug();
            return Err(Failure::new(format!("there is no rule `{id}`; {what_to_do}")));
        }
    }
    Ok(Outcome::Done)
}

fn tell(explanation: &Explanation, is_json: bool) -> Result<(), Failure> {
    if is_json {
        say!("{}", serde_json::to_string(explanation)?);
        return Ok(());
    }
    say!("{}", explanation.rule);
    // Names of places are people's words, and might steer a terminal.
    let text: String = explanation.text.chars().filter(|letter| !letter.is_control()).collect();
    for line in broken(&text, COLUMNS) {
        say!("  {line}");
    }
    Ok(())
}

/// Breaks a paragraph between words; a word that is too long has a line of its own.
fn broken(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() + 2 <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_broken_between_words() {
        assert_eq!(broken("one two three four", 10), ["one two", "three", "four"]);
        assert_eq!(broken("unbreakable a", 5), ["unbreakable", "a"]);
        assert_eq!(broken("", 5), [""]);
    }
}
