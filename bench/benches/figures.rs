//! Measures the figures that are published and writes them down with machine and commit.
//!
//! `cargo bench -p ach-bench --bench figures -- [shard] [rules] [codec] [journal] [--out DIR] [--disk DIR]`

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use ach_bench::{Pair, Scale, figures};
use ach_load_tests_fleet::Provenance;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ALL: [&str; 4] = ["shard", "rules", "codec", "journal"];

fn main() -> Result<(), Box<dyn Error>> {
    let mut wanted: Vec<String> = Vec::new();
    let (mut out, mut disk) = (None, PathBuf::from("."));
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            // What cargo adds.
            "--bench" => {}
            "--out" => out = Some(PathBuf::from(words.next().ok_or("--out needs a folder")?)),
            "--disk" => disk = words.next().ok_or("--disk needs a folder")?.into(),
            known if ALL.contains(&known) => wanted.push(word),
            other => return Err(format!("there is no figure `{other}`; there are {ALL:?}").into()),
        }
    }
    if wanted.is_empty() {
        wanted = ALL.map(str::to_owned).to_vec();
    }
    let provenance = Provenance::find("cargo bench -p ach-bench --bench figures --");
    for name in wanted {
        let pairs = match name.as_str() {
            "shard" => figures::shard(Scale::Full),
            "rules" => figures::rules(Scale::Full),
            "codec" => figures::codec(Scale::Full),
            _ => figures::journal(Scale::Full, &disk)?,
        };
        let text = text(&provenance, &pairs);
        println!("{text}");
        if let Some(out) = &out {
            let folder = out.join(provenance.folder());
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(format!("{name}.txt")), text)?;
            let json = serde_json::json!({ "provenance": provenance, "pairs": pairs });
            let json = format!("{}\n", serde_json::to_string_pretty(&json)?);
            fs::write(folder.join(format!("{name}.json")), json)?;
            println!("written to {}", folder.display());
        }
    }
    Ok(())
}

fn text(provenance: &Provenance, pairs: &[Pair]) -> String {
    let mut text = provenance.text();
    text.push('\n');
    for pair in pairs {
        text.push_str(&pair.line());
        text.push('\n');
    }
    text
}
