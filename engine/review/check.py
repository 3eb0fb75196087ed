#!/usr/bin/env python3
"""Counts alarms again with pandas, out of what `ach alarms list` prints, and holds `ach alarms stats` against it.

    pip install pandas
    python3 engine/review/check.py --ach ./ach              # nights of a visitor, at random
    python3 engine/review/check.py --ach ./ach --seed 7
    python3 engine/review/check.py --ach ./ach --data DIR   # what a node remembers

At random a visitor of the example site goes in and out of a store at night, now and then many times a minute; that is
replayed, and alarms of it and of the feed that falls silent between are what is counted. Exit code 1 with the first
difference.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import pandas as pd

TEN_MINUTES = pd.Timedelta(minutes=10)
FLOOD_MAX = 10
FLOOD_OVER = 5
CHATTER_MIN = 3
ABOUT = ["rule", "kind", "subject", "place_kind", "place_id"]
TAG = "0200AC0000000004"
INSIDE, OUTSIDE = "13.0", "10.5"


def expect(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: {found!r} is not {expected!r}")


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def lines(ach, *words):
    return [json.loads(line) for line in run(ach, *words, "--json").splitlines()]


def walk(seed):
    """Goes in and out of the store; a line a second while it is heard."""
    chance = random.Random(seed)
    at = pd.Timestamp("2026-01-10T20:00:00Z")
    rows = ["time,tag,x,y,floor"]
    for _ in range(150):
        for x, seconds in ((INSIDE, chance.randint(4, 6)), (OUTSIDE, chance.randint(4, 7))):
            for _ in range(seconds):
                rows.append(f"{at.isoformat()},{TAG},{x},2.5,0")
                at += pd.Timedelta(seconds=1)
        if chance.random() < 0.3:
            at += pd.Timedelta(seconds=chance.choice([5, 20, 40, 200, 1500]))
    return "\n".join(rows) + "\n"


def recorded(ach, folder, seed):
    site, data = folder / "site", folder / "data"
    (folder / "walk.csv").write_text(walk(seed))
    run(ach, "site", "new", str(site))
    run(ach, "replay", str(folder / "walk.csv"), "--site", str(site), "--speed", "max", "--data", str(data))
    return data


def table(alarms):
    frame = pd.DataFrame(alarms)
    for moment in ("raised_at", "ended_at"):
        frame[moment] = pd.to_datetime(frame[moment], utc=True)
    frame["place_kind"] = [place["kind"] for place in frame["place"]]
    frame["place_id"] = [place["id"] for place in frame["place"]]
    frame["lasted"] = frame["ended_at"] - frame["raised_at"]
    return frame.sort_values("raised_at", kind="stable").reset_index(drop=True)


def most_within(raised, length):
    """The most within a length, and when the first of them was raised."""
    counts = pd.Series(1, index=raised).rolling(length).sum()
    most = int(counts.max())
    last = counts.index[(counts == most).argmax()]
    return most, raised[raised > last - length].iloc[0]


def floods(raised, end):
    """Begin with more than ten in ten minutes, are over with fewer than five."""
    come = pd.Series(1, index=raised)
    go = pd.Series(-1, index=raised + TEN_MINUTES)
    recent = pd.concat([come, go]).groupby(level=0).sum().cumsum()
    found, begun = [], None
    for at, count in recent.items():
        if at > end:
            break
        if begun is None and count > FLOOD_MAX:
            own = raised[(raised > at - TEN_MINUTES) & (raised > (found[-1][1] if found else raised.min() - TEN_MINUTES))]
            begun = own.iloc[0]
        elif begun is not None and count < FLOOD_OVER:
            found.append((begun, at))
            begun = None
    if begun is not None:
        found.append((begun, end))
    counted = []
    for begun, over in found:
        within = raised[(raised >= begun) & (raised <= over)]
        counted.append((begun, over, len(within)))
    return counted


def check(ach, data):
    whole = lines(ach, "alarms", "stats", "--data", str(data))[0]
    span = ["--from", whole["from"], "--to", whole["to"]]
    told = lines(ach, "alarms", "stats", "--data", str(data), *span)
    head = told[0]
    frame = table(lines(ach, "alarms", "list", "--data", str(data), *span))
    raised, end = frame["raised_at"], pd.Timestamp(head["to"])

    expect("raised", head["raised"], len(frame))
    for priority in ("high", "medium", "low"):
        expect(priority, head[priority], int((frame["priority"] == priority).sum()))
    is_retracted = frame["fate"] == "retracted"
    expect("retracted", head["retracted"], int(is_retracted.sum()))
    is_brief = ~is_retracted & (frame["lasted"] < pd.Timedelta(minutes=1))
    expect("over in a minute", head["over_in_a_minute"], int(is_brief.sum()))
    for name, length in (("busiest_ten_minutes", TEN_MINUTES), ("busiest_hour", pd.Timedelta(hours=1))):
        peak = head[name]
        expect(name, (peak["count"], pd.Timestamp(peak["from"])), most_within(raised, length))

    found = [
        (pd.Timestamp(it["from"]), pd.Timestamp(it["to"]), it["count"]) for it in told if it["event"] == "flood"
    ]
    expected = floods(raised, end)
    expect("floods", found, expected)
    expect("number of floods", head["floods"], len(expected))
    flooded = sum(((over - begun) for begun, over, _ in expected), pd.Timedelta(0))
    # What is printed has microseconds.
    expect("flooded_ms", abs(head["flooded_ms"] - flooded.total_seconds() * 1000) <= 1, True)

    minute = pd.Timedelta(minutes=1)
    actors = {}
    for about, group in frame.groupby(ABOUT, dropna=False):
        about = tuple(None if pd.isna(word) else word for word in about)
        actors[about] = (len(group), most_within(group["raised_at"], minute)[0])
    bad = [it for it in told if it["event"] == "bad_actor"]
    expect("bad actors", len(bad), len(actors))
    for it in bad:
        about = (it["rule"], it["kind"], it["subject"], it["place"]["kind"], it["place"]["id"])
        expect(f"{about}", (it["count"], it["minute_count_max"]), actors[about])
        expect(f"{about} chatters", it["is_chattering"], actors[about][1] >= CHATTER_MIN)
    counts = [it["count"] for it in bad]
    expect("the most frequent first", counts, sorted(counts, reverse=True))
    expect("chattering", head["chattering"], sum(1 for _, most in actors.values() if most >= CHATTER_MIN))

    day = pd.Timedelta(days=1)
    standing = frame[frame["ended_at"].isna() & (end - raised >= day)]
    expect("standing", head["standing"], len(standing))
    print(f"{len(frame)} alarms, {len(expected)} floods, {head['chattering']} that chatter: counted alike")
    return len(expected), head["chattering"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ach", required=True, help="the program")
    parser.add_argument("--data", type=pathlib.Path, help="the data directory of a node")
    parser.add_argument("--seed", type=int, help="of the random nights")
    given = parser.parse_args()
    if given.data:
        check(given.ach, given.data)
        return
    seed = random.SystemRandom().randrange(2**32) if given.seed is None else given.seed
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory() as folder:
        data = recorded(given.ach, pathlib.Path(folder), seed)
        found_floods, chattering = check(given.ach, data)
    if not (found_floods and chattering):
        sys.exit("nights without a flood and without chatter prove nothing")


if __name__ == "__main__":
    main()
