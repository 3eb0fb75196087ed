//! What history takes on disk and how fast it answers, on walks of the simulated hospital, written down
//! with machine and commit.
//!
//! ```console
//! cargo bench -p ach-bench --bench history -- [--out DIR] [--disk DIR]
//! ```
//!
//! A day of a hundred tags, and an hour of ten thousand. More bytes would let a hospital remember fewer
//! days; slower answers would let somebody wait who looks for a person.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use ach_bench::{HistoryFigures, Scale, history_figures};
use ach_load_tests_fleet::Provenance;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut out, mut disk) = (None, PathBuf::from("."));
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            // What cargo adds.
            "--bench" => {}
            "--out" => out = Some(PathBuf::from(words.next().ok_or("--out needs a folder")?)),
            "--disk" => disk = words.next().ok_or("--disk needs a folder")?.into(),
            other => {
                return Err(format!("`{other}` is not understood: --out DIR, --disk DIR").into());
            }
        }
    }
    let provenance = Provenance::find("cargo bench -p ach-bench --bench history --");
    let figures = history_figures::measure(Scale::Full, &disk)?;
    let all: String = figures.iter().map(HistoryFigures::text).collect();
    let is_met = figures.iter().all(HistoryFigures::is_met);
    let verdict = if is_met { "all that is wished holds" } else { "not all that is wished holds" };
    let text = format!("{}\n{all}{verdict}\n", provenance.text());
    println!("{text}");
    if let Some(out) = &out {
        let folder = out.join(provenance.folder());
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("history.txt"), text)?;
        let json = serde_json::json!({ "provenance": provenance, "figures": figures });
        let json = format!("{}\n", serde_json::to_string_pretty(&json)?);
        fs::write(folder.join("history.json"), json)?;
        println!("written to {}", folder.display());
    }
    Ok(())
}
