//! A table of persons, as a hospital's system writes it.

use std::io::Read;
use std::path::Path;

use ach_actors_model::Name;
use ach_engine_store::{LINKS_MAX, Link, PEOPLE_MAX, Person};

use crate::exit::Failure;

/// Reads a file, or stdin for `-`. What is wrong is told by line, never with what stands there.
pub(super) fn read(file: &Path) -> Result<Vec<(Name, Person)>, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(format!("cannot read {}: {error}; check the path", file.display()))
    };
    let source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(file).map_err(failed)?)
    };
    parse(source)
}

fn parse(source: impl Read) -> Result<Vec<(Name, Person)>, Failure> {
    let mut table = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(source);
    let broken =
        |line: u64, why: &str| Failure::new(format!("line {line}: {why}; nothing is kept"));
    // What a library says of a line may repeat it.
    let header = table.headers().map_err(|_| broken(1, "it is no CSV in UTF-8"))?.clone();
    let column = |name: &str| header.iter().position(|it| it == name);
    let (Some(id_at), Some(name_at)) = (column("id"), column("name")) else {
        return Err(broken(1, "it must name the columns, and `id` and `name` among them"));
    };
    if header.len() > LINKS_MAX + 2 {
        return Err(broken(1, &format!("at most {LINKS_MAX} systems are kept")));
    }
    let mut persons = Vec::new();
    for row in table.records() {
        let line = |at: Option<&csv::Position>| at.map_or(0, csv::Position::line);
        let row = row.map_err(|error| {
            broken(line(error.position()), "it is not UTF-8, or has another number of cells")
        })?;
        let line = line(row.position());
        let id = Name::new(row.get(id_at).unwrap_or_default())
            .map_err(|_| broken(line, "its id is not made of A-Z a-z 0-9 . _ : -"))?;
        let name = row.get(name_at).unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err(broken(line, "it has no name"));
        }
        let cells = header.iter().zip(&row).enumerate();
        let links =
            cells.filter(|(at, (_, number))| *at != id_at && *at != name_at && !number.is_empty());
        let links = links.map(|(_, (system, number))| Link {
            system: system.to_owned(),
            number: number.to_owned(),
        });
        persons.push((id, Person { name, links: links.collect() }));
        if persons.len() > PEOPLE_MAX {
            return Err(broken(line, &format!("at most {PEOPLE_MAX} persons are kept")));
        }
    }
    Ok(persons)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(text: &str, part: &str) {
        let error = parse(text.as_bytes()).expect_err("a refusal").to_string();
        assert!(error.contains(part) && error.contains("nothing is kept"), "{error}");
        assert!(!error.contains("Muster"), "it names somebody: {error}");
    }

    #[test]
    fn a_table_of_persons_is_read() {
        let text = "name,id,hospital,insurer\n\"Muster, A.\", p-1 ,MRN-1,\nB,p-2,,I-2\n";
        let persons = parse(text.as_bytes()).unwrap();
        let link = |system: &str, number: &str| Link {
            system: system.to_owned(),
            number: number.to_owned(),
        };
        let first =
            Person { name: "Muster, A.".to_owned(), links: vec![link("hospital", "MRN-1")] };
        let second = Person { name: "B".to_owned(), links: vec![link("insurer", "I-2")] };
        assert_eq!(persons[0], (Name::new("p-1").unwrap(), first));
        assert_eq!(persons[1], (Name::new("p-2").unwrap(), second));
    }

    #[test]
    fn what_is_wrong_is_told_by_line_and_names_nobody() {
        check_refused("", "line 1: it must name the columns");
        check_refused("id,surname\np-1,Muster\n", "line 1");
        check_refused("id,name\np-1,Muster\nA. Muster,p-2\n", "line 3: its id");
        check_refused("id,name\np-1,Muster,x\n", "line 2");
        check_refused("id,name\np-1,\n", "line 2: it has no name");
        let systems = ",s".repeat(17);
        check_refused(&format!("id,name{systems}\n"), "at most 16 systems");
    }
}
