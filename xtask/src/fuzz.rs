//! `cargo xtask fuzz`: builds the fuzz targets and lets each look for a while.
//!
//! libFuzzer needs no nightly compiler: the instrumentation is a pass of LLVM's, switched on for these
//! builds alone. Memory is safe by the language, so no sanitizer is used. The seeds are the golden vectors
//! and fixtures of the tests; `fuzz/found` keeps what was once found, and is tried first.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

type Outcome = Result<(), String>;

/// Instrumentation: counters at every edge, and what is compared, so that magic numbers are found.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                     -Cllvm-args=-sanitizer-coverage-pc-table \
                     -Cllvm-args=-sanitizer-coverage-trace-compares";

const MACHINE: &str = "x86_64-unknown-linux-gnu";

/// One input may take so long, in seconds: a parser that needs more can be used to stop a node.
const INPUT_S_MAX: u32 = 10;
/// A target may use so much memory, in MiB.
const MEMORY_MIB_MAX: u32 = 1_024;

/// Targets with the longest input each is given.
const TARGETS: &[(&str, u32)] = &[
    ("wire", 4_096),
    ("entry", 4_096),
    ("journal", 512),
    ("checkpoint", 1_024),
    ("store", 2_048),
    ("audit", 1_024),
    ("site", 8_192),
    ("recording", 4_096),
    ("persons", 2_048),
];

/// Builds all, and runs each for so many seconds.
pub(crate) fn fuzz(seconds: u32) -> Outcome {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no folder")?.to_owned();
    let built = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let target = built.join("fuzz");
    let status = Command::new("cargo")
        .args(["build", "--release", "--locked", "--target", MACHINE, "--manifest-path"])
        .arg(root.join("fuzz/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .env("RUSTFLAGS", FLAGS)
        .status()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if !status.success() {
        return Err(format!("building the fuzz targets ended with {status}"));
    }
    // Each has one thread, and a machine that checks changes two cores.
    for both in TARGETS.chunks(2) {
        let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
            let (root, target) = (&root, &target);
            let threads: Vec<_> = both
                .iter()
                .map(|&(name, most)| scope.spawn(move || run(root, target, name, most, seconds)))
                .collect();
            let failed = |_| Err("a thread of the fuzzing failed".to_owned());
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(failed)).collect()
        });
        outcomes.into_iter().collect::<Outcome>()?;
    }
    Ok(())
}

fn run(root: &Path, target: &Path, name: &str, bytes_max: u32, seconds: u32) -> Outcome {
    let program = target.join(MACHINE).join("release").join(name);
    let seeds = target.join("seeds").join(name);
    let failures = target.join("failures");
    make(&seeds)?;
    make(&failures)?;
    for (number, seed) in (1..).zip(seeds_of(root, name)?) {
        let path = seeds.join(format!("seed-{number:03}"));
        fs::write(&path, seed).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let found = found_in(root, name)?;
    if !found.is_empty() {
        println!("fuzz {name}: {} that were found before", found.len());
        execute(Command::new(&program).args(&found), name)?;
    }
    println!("fuzz {name}: {seconds} s");
    // What is new is kept in the target folder; the seeds stay as they are.
    let corpus = target.join("corpus").join(name);
    make(&corpus)?;
    let mut command = Command::new(&program);
    command.arg(&corpus).arg(&seeds).args([
        format!("-max_total_time={seconds}"),
        format!("-max_len={bytes_max}"),
        format!("-timeout={INPUT_S_MAX}"),
        format!("-rss_limit_mb={MEMORY_MIB_MAX}"),
        format!("-artifact_prefix={}/{name}-", failures.display()),
        "-print_final_stats=1".to_owned(),
        "-verbosity=0".to_owned(),
    ]);
    execute(&mut command, name)
}

fn execute(command: &mut Command, name: &str) -> Outcome {
    let output = command.output().map_err(|error| format!("{name} does not start: {error}"))?;
    let told = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        for line in told.lines().filter_map(|line| line.strip_prefix("stat::")) {
            println!("  {name} {line}");
        }
        return Ok(());
    }
    Err(format!(
        "{told}\nfuzz {name} found something ({}); the input is named above: mend the parser, and keep \
         the input in fuzz/found/{name}",
        output.status
    ))
}

fn make(folder: &Path) -> Outcome {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

/// What was once found and mended, by path.
fn found_in(root: &Path, name: &str) -> Result<Vec<PathBuf>, String> {
    let folder = root.join("fuzz/found").join(name);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries =
        fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    found.sort();
    Ok(found)
}

/// Inputs to begin with, each as its target wants it.
fn seeds_of(root: &Path, name: &str) -> Result<Vec<Vec<u8>>, String> {
    let read = |path: &str| {
        fs::read(root.join(path)).map_err(|error| format!("cannot read {path}: {error}"))
    };
    let led = |first: u8, rest: &[u8]| [&[first], rest].concat();
    Ok(match name {
        "wire" => {
            let mut seeds = Vec::new();
            for file in ["frames.json", "refused.json", "preambles.json", "pings.json"] {
                let frames = vectors(&read(&format!("clients/vectors/{file}"))?)?;
                seeds.extend(frames.iter().map(|frame| led(64, frame)));
            }
            seeds
        }
        "entry" => vec![read("engine/wire/tests/golden/entry-v1.bin")?],
        "journal" => vec![led(0, &[0; 32]), led(1, &[0, 100, 0, 7]), led(3, &[2, 24, 0, 1])],
        // Changes of what was written well, each with its checksums as they are and made right; what is
        // no change is cut out of it.
        "checkpoint" => {
            let [plain, mended] = [[0, 0, 44, 1, 7], [129, 0, 44, 1, 7]];
            let deadline = [&[0; 8][..], &[1, 0, 0, 0, 0, 1]].concat();
            let piece = [&15_u32.to_le_bytes()[..], &[9], &deadline].concat();
            vec![plain.to_vec(), mended.to_vec(), led(1, &piece), led(2, &[0; 16])]
        }
        "store" => {
            let golden = read("engine/store/src/block/golden.txt")?;
            let block = bytes_of_hex(golden.trim_ascii())?;
            vec![led(0, &block), led(1, &[0, 50, 0, 7]), led(2, &[0, 90, 0, 1])]
        }
        "audit" => {
            let head = b"hms-ach/st-anna/node-1\n0\n\nat 0\nlink \nprevious \n\n";
            vec![led(0, &[1, 0, 0, 0]), led(1, head), vec![2, 0, 100, 16, 9], vec![128, 0, 70, 16, 9]]
        }
        "persons" => vec![
            b"id,name,hospital,insurer\npatient-17,A. Muster,MRN-4711,\n".to_vec(),
            b"name,id\n\"Muster, A.\", p-1 \n\"B \"\"b\"\"\",p-2\n".to_vec(),
        ],
        "site" => {
            let floor = br#"{"type":"FeatureCollection","name":"Ground","floor":0,"features":[]}"#;
            let site = b"id = \"a\"\nname = \"A\"\ntime_zone = \"Europe/Berlin\"\n";
            let person = b"[[person]]\nid = \"p\"\nclass = \"patient\"\ntags = [\"1\"]\n";
            vec![led(0, site), led(1, person), led(4, floor), led(5, b"id,name,class,tags\n")]
        }
        _ => vec![
            led(1, b"time,tag,x,y,z\n0.5,a,1,2,3\n1.5,b,4,5,6\n"),
            led(11, b"time;tag;lon;lat\n2019-05-16T10:24:06Z;x;7.8;48\n"),
            led(0, br#"{"position":{"type":"Point","coordinates":[7.8,48.0]},"source":"s","provider_type":"uwb","provider_id":"77","timestamp_generated":"2019-09-02T22:02:24.747Z","crs":"EPSG:4326","floor":2}"#),
        ],
    })
}

/// The bytes of every vector of a file.
fn vectors(text: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let told = |error: serde_json::Error| format!("a file of vectors is no JSON: {error}");
    let vectors: Vec<Value> = serde_json::from_slice(text).map_err(told)?;
    vectors
        .iter()
        .map(|vector| {
            let hex = vector.get("hex").and_then(Value::as_str).ok_or("a vector without hex")?;
            bytes_of_hex(hex.as_bytes())
        })
        .collect()
}

/// Bytes written as two hexadecimal digits each.
fn bytes_of_hex(hex: &[u8]) -> Result<Vec<u8>, String> {
    let pairs = hex.chunks(2).map(std::str::from_utf8);
    pairs
        .map(|pair| u8::from_str_radix(pair.unwrap_or_default(), 16))
        .collect::<Result<_, _>>()
        .map_err(|error| format!("what should be hexadecimal digits is not: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A target that nobody runs finds nothing.
    #[test]
    fn every_fuzz_target_is_built_and_run_and_has_seeds() {
        let root = crate::layers::root();
        let manifest = fs::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();
        let mut files: Vec<String> = fs::read_dir(root.join("fuzz/targets"))
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        files.sort();
        let mut names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        assert_eq!(files, names);
        for name in names {
            assert!(manifest.contains(&format!("path = \"targets/{name}.rs\"")), "{name}");
            assert!(!seeds_of(&root, name).unwrap().is_empty(), "{name}");
        }
    }
}
