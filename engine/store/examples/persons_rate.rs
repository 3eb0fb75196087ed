//! How long an import of persons keeps others out, and what of it is the processor's.
//!
//! ```console
//! $ cargo run --release -p ach-engine-store --example persons_rate -- /path/on/the/disk 100000
//! ```
//!
//! Persons as a hospital has them are kept in a folder that is new, then again as they are, as each night,
//! then with one in a hundred changed. While one import runs every other command that reads or changes persons
//! waits for it, and gives up after 10 s. The disk is part of it: two files a person, and one sync of the whole
//! file system.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ach_actors_model::{Name, Timestamp};
use ach_engine_store::{Holds, Keeping, Link, People, Person};

/// Persons, when no number is given: ten years of a hospital with ten thousand a year.
const PERSONS: usize = 100_000;

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn now() -> Instant {
    Instant::now()
}

/// CPU time of this thread, user and system.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// A name of usual length and two numbers.
fn person(number: usize, round: usize) -> Result<(Name, Person), Box<dyn Error>> {
    let link = |system: &str, number: String| Link { system: system.to_owned(), number };
    let person = Person {
        name: format!("Annegret Unverwechselbar-Beispielhaft {number}.{round}"),
        links: vec![
            link("hospital", format!("MRN-{number:08}")),
            link("insurer", format!("I-{number:010}")),
        ],
    };
    Ok((Name::new(&format!("patient-{number}"))?, person))
}

/// Imports them once, and says how long it took.
fn import(folder: &Path, persons: &[(Name, Person)], what: &str) -> Result<(), Box<dyn Error>> {
    let holds = Holds::default();
    let (start, cpu_start) = (now(), cpu());
    let mut people = People::open(folder, &[7; 32])?;
    let keeping = Keeping { now: Timestamp(1), holds: &holds, replaces_damaged: false };
    let not_kept = people.put(persons, keeping)?;
    if not_kept.count() != 0 {
        return Err(format!("{what}: {} were not kept", not_kept.count()).into());
    }
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu().saturating_sub(cpu_start));
    println!("{what:<24} {wall:7.2} s by the clock, {:7.2} s of a core", cpu.as_secs_f64());
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let folder = PathBuf::from(words.next().ok_or("name a folder that is not there yet")?);
    if folder.exists() {
        return Err(format!("{} is there; name a new one", folder.display()).into());
    }
    let count = words.next().map_or(Ok(PERSONS), |count| count.parse())?;
    let mut persons =
        (0..count).map(|number| person(number, 0)).collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    println!("{count} persons in {}", folder.display());
    import(&folder, &persons, "new")?;
    import(&folder, &persons, "again as they are")?;
    for (number, it) in persons.iter_mut().enumerate().step_by(100) {
        *it = person(number, 1)?;
    }
    import(&folder, &persons, "one in 100 changed")?;
    let people = People::open(&folder, &[7; 32])?;
    let told = persons
        .iter()
        .step_by(1_000)
        .filter(|(id, person)| people.person(id).is_ok_and(|told| told.as_ref() == Some(person)));
    println!("checksum: {} of {} are told as they were kept", told.count(), count.div_ceil(1_000));
    Ok(())
}
