//! A table of persons, as a hospital's system writes it.

use std::collections::HashSet;
use std::io::Read;

use ach_actors_model::Name;
use ach_engine_store::{LINKS_MAX, Link, PEOPLE_MAX, Person};
use thiserror::Error;

/// Why a table was not taken: by line, never with what stands there.
#[derive(Debug, Error)]
#[error("line {line}: {why}; nothing is kept")]
pub(super) struct TableError {
    line: u64,
    why: String,
}

fn broken(line: u64, why: &str) -> TableError {
    TableError { line, why: why.to_owned() }
}

/// Which cell of a row is what.
struct Columns {
    id_at: usize,
    name_at: usize,
    names: csv::StringRecord,
}

impl Columns {
    fn of(header: &csv::StringRecord) -> Result<Columns, TableError> {
        let mut seen = HashSet::new();
        if header.iter().any(str::is_empty) {
            return Err(broken(1, "a column has no name"));
        }
        if !header.iter().all(|name| seen.insert(name)) {
            return Err(broken(1, "two columns have one name"));
        }
        let column = |name: &str| header.iter().position(|it| it == name);
        let (Some(id_at), Some(name_at)) = (column("id"), column("name")) else {
            return Err(broken(1, "it must name the columns, and `id` and `name` among them"));
        };
        if header.len() > LINKS_MAX + 2 {
            return Err(broken(1, &format!("at most {LINKS_MAX} systems are kept")));
        }
        Ok(Columns { id_at, name_at, names: header.clone() })
    }

    fn person(&self, line: u64, row: &csv::StringRecord) -> Result<(Name, Person), TableError> {
        let id = Name::new(row.get(self.id_at).unwrap_or_default())
            .map_err(|_| broken(line, "its id is not made of A-Z a-z 0-9 . _ : -"))?;
        let name = row.get(self.name_at).unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err(broken(line, "it has no name"));
        }
        let cells = self.names.iter().zip(row).enumerate();
        let links = cells.filter(|(at, (_, number))| {
            *at != self.id_at && *at != self.name_at && !number.is_empty()
        });
        let links = links.map(|(_, (system, number))| Link {
            system: system.to_owned(),
            number: number.to_owned(),
        });
        Ok((id, Person { name, links: links.collect() }))
    }
}

/// Reads a table, each person once.
pub(super) fn parse(source: impl Read) -> Result<Vec<(Name, Person)>, TableError> {
    let mut table = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(source);
    // What a library says of a line may repeat it.
    let header = table.headers().map_err(|_| broken(1, "it is no CSV in UTF-8"))?;
    let columns = Columns::of(header)?;
    let (mut persons, mut ids) = (Vec::new(), HashSet::new());
    for row in table.records() {
        let line = |at: Option<&csv::Position>| at.map_or(0, csv::Position::line);
        let row = row.map_err(|error| {
            broken(line(error.position()), "it is not UTF-8, or has another number of cells")
        })?;
        let line = line(row.position());
        let (id, person) = columns.person(line, &row)?;
        if !ids.insert(id.clone()) {
            return Err(broken(line, "its id was there before"));
        }
        persons.push((id, person));
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
        check_refused("id,name,id\np-1,Muster,p-2\n", "line 1: two columns have one name");
        check_refused("id,name,a,a\np-1,Muster,1,2\n", "line 1: two columns have one name");
        check_refused("id,name,\np-1,Muster,1\n", "line 1: a column has no name");
        check_refused("id,name\np-1,Muster\np-2,B\np-1,Muster\n", "line 4: its id was there");
        let systems = ",a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q";
        check_refused(&format!("id,name{systems}\n"), "at most 16 systems");
    }
}
