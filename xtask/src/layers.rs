//! Dependencies point one way. This table is the architecture; the test holds the crates to it.

use std::fs;
use std::path::{Path, PathBuf};

/// Each crate folder, and the workspace crates it may depend on. Lowest layer first.
#[rustfmt::skip] // One layer a line.
const LAYERS: &[(&str, &[&str])] = &[
    ("geo",              &[]),
    ("actors/model",     &["ach-geo"]),
    ("actors/runtime",   &[]),
    ("actors/entities",  &["ach-geo", "ach-actors-model", "ach-actors-runtime"]),
    ("engine/shard",     &["ach-geo", "ach-actors-model", "ach-actors-runtime", "ach-actors-entities"]),
    ("engine/wire",      &["ach-geo", "ach-actors-model", "ach-actors-entities", "ach-engine-shard"]),
    ("engine/journal",   &[]),
    ("engine/metrics",   &[]),
    ("engine/trial",     &[]),
    ("engine/audit",     &["ach-actors-model", "ach-engine-journal"]),
    ("engine/checkpoint", &["ach-engine-journal"]),
    ("engine/site",      &["ach-geo", "ach-actors-model"]),
    ("engine/store",     &["ach-geo", "ach-actors-model", "ach-actors-entities", "ach-engine-shard"]),
    ("engine/net",       &["ach-actors-model", "ach-engine-wire"]),
    ("engine/review",    &["ach-actors-model"]),
    ("engine/rehearsal", &["ach-geo", "ach-actors-model", "ach-actors-entities", "ach-engine-review",
                           "ach-engine-shard"]),
    ("engine/score",     &["ach-geo", "ach-actors-model", "ach-actors-entities", "ach-engine-shard"]),
    ("engine/node",      &["ach-geo", "ach-actors-model", "ach-actors-entities", "ach-engine-audit",
                           "ach-engine-checkpoint", "ach-engine-journal", "ach-engine-metrics", "ach-engine-net",
                           "ach-engine-shard", "ach-engine-site", "ach-engine-store",
                           "ach-engine-wire"]),
    ("clients/rust",     &["ach-geo", "ach-actors-model", "ach-engine-net", "ach-engine-wire"]),
    ("engine/sim",       &["ach-geo", "ach-actors-model", "ach-engine-audit",
                           "ach-engine-checkpoint", "ach-engine-journal", "ach-engine-net",
                           "ach-engine-node", "ach-engine-shard", "ach-engine-store",
                           "ach-engine-wire", "ach-clients-rust"]),
    ("load-tests/fleet", &["ach-geo", "ach-actors-model", "ach-actors-entities", "ach-engine-journal",
                           "ach-engine-net", "ach-engine-node", "ach-engine-shard", "ach-engine-site",
                           "ach-engine-wire", "ach-clients-rust"]),
    ("ach",              &["ach-geo", "ach-actors-model", "ach-actors-entities", "ach-engine-audit",
                           "ach-engine-checkpoint", "ach-engine-journal", "ach-engine-metrics", "ach-engine-net", "ach-engine-node",
                           "ach-engine-rehearsal", "ach-engine-review", "ach-engine-score", "ach-engine-shard", "ach-engine-site",
                           "ach-engine-store", "ach-engine-wire", "ach-clients-rust", "ach-load-tests-fleet"]),
    ("bench",            &["ach-geo", "ach-actors-model", "ach-actors-runtime", "ach-actors-entities",
                           "ach-engine-checkpoint", "ach-engine-journal", "ach-engine-net", "ach-engine-node",
                           "ach-engine-shard", "ach-engine-store", "ach-engine-wire", "ach-load-tests-fleet"]),
    ("fuzz",             &["ach-actors-model", "ach-actors-entities", "ach-engine-audit",
                           "ach-engine-checkpoint", "ach-engine-journal", "ach-engine-shard", "ach-engine-site",
                           "ach-engine-store", "ach-engine-wire"]),
    ("xtask",            &[]),
];

#[test]
fn every_crate_depends_only_on_the_crates_its_layer_allows() {
    for (folder, allowed) in LAYERS {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        for dependency in workspace_dependencies(&manifest) {
            assert!(
                allowed.contains(&dependency.as_str()),
                "{folder} must not depend on {dependency}; see LAYERS in xtask/src/layers.rs"
            );
        }
    }
}

#[test]
fn every_crate_has_a_layer_and_the_name_of_its_folder() {
    let mut found = Vec::new();
    collect_crates(&root(), &mut found);
    for folder in &found {
        assert!(LAYERS.iter().any(|(layer, _)| layer == folder), "{folder} is missing in LAYERS");
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        let name = package_name(folder);
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{folder} must be named {name}");
    }
    assert_eq!(found.len(), LAYERS.len(), "LAYERS names a folder that is no crate");
}

/// actix belongs to the node: nothing that decides may know of it.
#[test]
fn only_the_node_and_the_rim_know_the_actor_framework() {
    for (folder, _) in LAYERS {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        let knows = manifest.lines().any(|line| line.starts_with("actix"));
        assert!(!knows || *folder == "engine/node", "{folder} must not depend on actix");
    }
}

fn package_name(folder: &str) -> String {
    match folder {
        "ach" | "xtask" => folder.to_owned(),
        _ => format!("ach-{}", folder.replace('/', "-")),
    }
}

/// The names of our own crates in `[dependencies]`; development dependencies are free.
fn workspace_dependencies(manifest: &str) -> Vec<String> {
    let ours: Vec<String> = LAYERS.iter().map(|(folder, _)| package_name(folder)).collect();
    let mut section = "";
    let mut found = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
            continue;
        }
        let name = line.split([' ', '=', '.']).next().unwrap_or_default().to_owned();
        if section == "[dependencies]" && ours.contains(&name) {
            found.push(name);
        }
    }
    found
}

fn collect_crates(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !path.is_dir() || name.starts_with('.') || name == "target" || name == "src" {
            continue;
        }
        if path.join("Cargo.toml").exists() {
            let relative = path.strip_prefix(root()).unwrap();
            found.push(relative.to_string_lossy().into_owned());
        } else {
            collect_crates(&path, found);
        }
    }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
