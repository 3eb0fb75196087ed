#!/usr/bin/env python3
"""Holds the audit log's tree, proofs and heads against pymerkle and an Ed25519 that is not ours.

    pip install pymerkle cryptography
    python3 engine/audit/vectors/check.py                          # the vectors beside this file
    python3 engine/audit/vectors/check.py --ach ./ach --data DIR   # and the log of a node, by its own commands

pymerkle computes every root and every proof of inclusion from the records' bytes; its proofs of consistency have
another form than those of RFC 9162, so those are checked by the algorithm of section 2.1.4.2, written out here, between
roots that pymerkle has computed. Exit code 1 with the first difference.
"""

import argparse
import base64
import hashlib
import json
import pathlib
import subprocess
import sys

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pymerkle import InmemoryTree, verify_inclusion

HERE = pathlib.Path(__file__).resolve().parent
DASH = "\u2014 "


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def expect(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: {found!r} is not {expected!r}")


def tree_of(records):
    tree = InmemoryTree(algorithm="sha256")
    for record in records:
        tree.append_entry(record)
    return tree


def check_inclusion(tree, index, size, path):
    """Our path is pymerkle's, and pymerkle's proof verifies."""
    proof = tree.prove_inclusion(index + 1, size)
    leaf = tree.get_leaf(index + 1)
    expect(f"path of record {index} in {size}", [leaf] + path, proof.path)
    verify_inclusion(leaf, tree.get_root(size), proof, index=index + 1, size=size)


def check_consistency(tree, first, size, path):
    """RFC 9162, section 2.1.4.2, between two roots of pymerkle's."""
    first_root, root = tree.get_root(first), tree.get_root(size)
    what = f"consistency of {first} and {size}"
    if first == size:
        expect(what, path, [])
        return
    if first & (first - 1) == 0:
        path = [first_root] + path
    at, last = first - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    one = two = path[0]
    for node in path[1:]:
        expect(what + ", length", last == 0, False)
        if at & 1 or at == last:
            one, two = sha256(b"\1", node, one), sha256(b"\1", node, two)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            two = sha256(b"\1", two, node)
        at, last = at >> 1, last >> 1
    expect(what, (one, two, last), (first_root, root, 0))


def check_head(text, public_pem, tree, records):
    """A head is what it says it is, and signed by the key."""
    body, signed = text.rstrip("\n").split("\n\n")
    body += "\n"
    name, size, root, at, link, previous = body.rstrip("\n").split("\n")
    expect("name in the signature's line", signed.startswith(f"{DASH}{name} "), True)
    blob = base64.b64decode(signed.rsplit(" ", 1)[1], validate=True)
    key = load_pem_public_key(public_pem.encode())
    raw = key.public_bytes_raw()
    expect("id of the key", blob[:4], sha256(name.encode(), b"\n\x01", raw)[:4])
    key.verify(blob[4:], body.encode())
    size = int(size)
    root_then = tree.get_root(size) if size else sha256()
    expect(f"root of the head at {size}", base64.b64decode(root), root_then)
    chained = bytes(32)
    for record in records[:size]:
        chained = sha256(b"\2", chained, sha256(b"\0", record))
    expect(f"link of the head at {size}", base64.b64decode(link.removeprefix("link ")), chained)
    expect("at", at.removeprefix("at ").isdigit(), True)
    expect("previous", len(base64.b64decode(previous.removeprefix("previous "))), 32)
    return size


def check_vectors():
    vectors = json.loads((HERE / "tree.json").read_text())
    records = [bytes.fromhex(record["bytes"]) for record in vectors["records"]]
    tree = tree_of(records)
    for index, record in enumerate(vectors["records"]):
        expect(f"leaf {index}", bytes.fromhex(record["leaf"]), tree.get_leaf(index + 1))
    for size, root in enumerate(vectors["roots"]):
        expected = tree.get_root(size) if size else sha256()
        expect(f"root of {size}", bytes.fromhex(root), expected)
    hashes = lambda path: [bytes.fromhex(text) for text in path]
    for proof in vectors["inclusion"]:
        check_inclusion(tree, proof["index"], proof["size"], hashes(proof["path"]))
    for proof in vectors["consistency"]:
        check_consistency(tree, proof["first"], proof["size"], hashes(proof["path"]))
    check_head(vectors["head"], vectors["public_key"], tree, records)
    counts = len(vectors["inclusion"]), len(vectors["consistency"])
    print(f"{len(records)} records, {counts[0]} proofs of inclusion and {counts[1]} of consistency, one head")


def check_node(ach, data):
    def lines(*words):
        done = subprocess.run([ach, "audit", *words], capture_output=True, text=True)
        expect(f"exit code of `ach audit {' '.join(words)}` ({done.stderr.strip()})", done.returncode, 0)
        return [json.loads(line) for line in done.stdout.splitlines()]

    shown = lines("show", data, "--count", "1000000", "--json")
    records = [bytes.fromhex(line["bytes"]) for line in shown]
    expect("a log with records", bool(records), True)
    tree = tree_of(records)
    public = (pathlib.Path(data) / "audit.pub").read_text()
    for index in sorted({0, len(records) // 3, len(records) // 2, len(records) - 1}):
        (proof,) = lines("prove", data, str(index), "--json")
        expect("root under the proof", bytes.fromhex(proof["root"]), tree.get_root(proof["size"]))
        check_inclusion(tree, index, proof["size"], [bytes.fromhex(text) for text in proof["path"]])
        check_head(proof["head"], public, tree, records)
    actions = sorted({line["action"] for line in shown})
    print(f"{data}: {len(records)} records ({', '.join(actions)}), in the tree as pymerkle has it")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ach", help="the program")
    parser.add_argument("--data", help="the data directory of a node that has ended")
    words = parser.parse_args()
    check_vectors()
    if words.data:
        check_node(words.ach, words.data)


main()
