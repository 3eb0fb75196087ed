//! The vectors that other languages are held against: `vectors/tree.json`, checked against pymerkle by
//! `vectors/check.py`. `ACH_WRITE_VECTORS=1 cargo test -p ach-engine-audit` writes them anew.

use std::fs;
use std::path::Path;

use ach_actors_model::Timestamp;
use serde_json::{Value, json};

use crate::chain::Chain;
use crate::oracle;
use crate::test_values::{name, record};
use crate::{
    Agent, Frontier, Hash, Head, LogName, Origin, Outcome, ProofPlan, Reason, Record, Repeated,
    SigningKey,
};

const COUNT: u64 = 21;

fn records() -> Vec<Record> {
    let mut records: Vec<Record> = (0..COUNT).map(record).collect();
    records[3] = Record {
        who: Agent::unknown(),
        from: Origin::Several,
        outcome: Outcome::Refused,
        code: Some(33),
        reason: Reason::new("no certificate of this site, a wrong or an expired one"),
        repeated: Some(Repeated { count: 17, since: Timestamp(5) }),
        objects: Vec::new(),
        session: None,
        request: None,
        ..record(3)
    };
    let v6 = [0x20, 1, 13, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    records[4] = Record { from: Origin::Network(v6.into(), 7), entry: Some(9), ..record(4) };
    records
}

fn proof(mut plan: ProofPlan, leaves: &[Hash]) -> Vec<String> {
    for (index, leaf) in (0..).zip(leaves) {
        plan.take(index, *leaf);
    }
    plan.finish().unwrap().iter().map(Hash::to_string).collect()
}

fn vectors() -> Value {
    let bytes: Vec<Vec<u8>> = records().iter().map(|it| it.to_bytes().unwrap()).collect();
    let leaves: Vec<Hash> = bytes.iter().map(|bytes| Hash::leaf(bytes)).collect();
    let mut chain = Chain::default();
    let mut roots = vec![Frontier::new().root().to_string()];
    for leaf in &leaves {
        chain.push(*leaf);
        roots.push(chain.frontier.root().to_string());
    }
    let hex =
        |bytes: &[u8]| bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let size = |count: u64| usize::try_from(count).unwrap();
    let inclusion = |(index, count): (u64, u64)| {
        let plan = ProofPlan::inclusion(index, count).unwrap();
        json!({ "index": index, "size": count, "path": proof(plan, &leaves[..size(count)]) })
    };
    let consistency = |(first, count): (u64, u64)| {
        let plan = ProofPlan::consistency(first, count).unwrap();
        json!({ "first": first, "size": count, "path": proof(plan, &leaves[..size(count)]) })
    };
    let pairs = |from: u64| {
        (1..=COUNT).flat_map(move |count| (from..count + from).map(move |at| (at, count)))
    };
    let head = Head {
        log: LogName::new(&name("st-anna"), &name("node-1")),
        size: COUNT,
        root: chain.frontier.root(),
        at: Timestamp(1_763_798_400_000_000_000),
        link: chain.link,
        previous: oracle::leaves(1)[0],
    };
    let key = SigningKey::from_seed(&[7; 32]);
    json!({
        "records": bytes.iter().zip(&leaves)
            .map(|(bytes, leaf)| json!({ "bytes": hex(bytes), "leaf": leaf.to_string() }))
            .collect::<Vec<_>>(),
        "roots": roots,
        "inclusion": pairs(0).map(inclusion).collect::<Vec<_>>(),
        "consistency": pairs(1).map(consistency).collect::<Vec<_>>(),
        "public_key": key.verifying().to_pem(),
        "head": head.sign(&key).to_string(),
    })
}

#[test]
fn the_vectors_are_what_the_code_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/tree.json");
    let made = serde_json::to_string_pretty(&vectors()).unwrap() + "\n";
    if std::env::var_os("ACH_WRITE_VECTORS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap();
    assert_eq!(made, kept, "the bytes, hashes or heads have changed");
}
