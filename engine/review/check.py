#!/usr/bin/env python3
"""Counts alarms again with pandas, out of what `ach alarms list` prints, and holds `ach alarms stats` against it.

    pip install pandas
    python3 engine/review/check.py --ach ./ach              # nights of a visitor, at random
    python3 engine/review/check.py --ach ./ach --seed 7
    python3 engine/review/check.py --ach ./ach --data DIR   # what a node remembers

At random a visitor of the example site goes in and out of a store at night, now and then many times a minute; that is
replayed, and alarms of it and of the feed that falls silent between are what is counted. Then a node is served, zones of
it are quarantined and released, and the alarms of that are acknowledged, closed, shelved or left alone, at random. Exit
code 1 with the first difference.
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
ZONES = ["ward", "corridor", "day-room", "store"]
FALSE = ["allowed", "wrong-position", "device-fault", "rule-too-strict"]
CAUSES = ["real", "test", "duplicate", *FALSE]
INSIDE, OUTSIDE = "13.0", "10.5"


def expect(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: {found!r} is not {expected!r}")


def run(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        last = "\n".join(done.stdout.splitlines()[-5:])
        sys.exit(f"{' '.join(map(str, words))}: exit code {done.returncode}\n{done.stderr}{last}")
    return done.stdout


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


def answered(ach, folder, seed):
    """A node whose zones are quarantined and released, and what people do with the alarms of that."""
    chance = random.Random(seed)
    site, data = str(folder / "site-2"), folder / "data-2"
    run(ach, "site", "new", site)
    serve = [ach, "serve", "--site", site, "--data", str(data), "--listen", "127.0.0.1:0", "--json"]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as node:
        address = json.loads(node.stdout.readline())["node"]
        # A connection that was closed is counted for a while, and one identity may have few of them.
        desks = [str(folder / f"desk-{number}") for number in range(30)]
        try:
            for desk in desks:
                run(ach, "operator", "enrol", pathlib.Path(desk).name, "--data", str(data), "--out", desk)
            is_set_aside = set()
            for desk in desks:
                to = ["--node", address, "--credentials", desk]
                zone = chance.choice(ZONES)
                if zone in is_set_aside:
                    run(ach, "actor", "release", "zone", zone, *to)
                run(ach, "actor", "quarantine", "zone", zone, *to)
                is_set_aside.add(zone)
                about = {"kind": "zone", "id": zone}
                opened = lines(ach, "alarms", "open", *to)
                alarm = next(it["id"] for it in opened if it.get("place") == about)
                if chance.random() < 0.6:
                    run(ach, "alarms", "ack", alarm, *to)
                    if chance.random() < 0.7:
                        run(ach, "alarms", "close", alarm, "--cause", chance.choice(CAUSES), *to)
                # What is shelved is quiet when it comes again.
                quiet = ["shelve", alarm, "--for", "1h"] if chance.random() < 0.3 else ["unshelve", alarm]
                run(ach, "alarms", *quiet, *to)
                if chance.random() < 0.8:
                    run(ach, "actor", "release", "zone", zone, *to)
                    is_set_aside.remove(zone)
        finally:
            node.terminate()
    return data


def table(alarms):
    frame = pd.DataFrame(alarms)
    for moment in ("raised_at", "ended_at", "acknowledged_at", "closed_at", "over_at"):
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
    end = pd.Timestamp(head["to"])
    day = pd.Timedelta(days=1)
    standing = frame[frame["ended_at"].isna() & (end - frame["raised_at"] >= day)]
    expect("standing", head["standing"], len(standing))
    is_unanswered = (frame["ended_at"] < end) & ~(frame["over_at"] < end)
    expect("unanswered", head["unanswered"], int(is_unanswered.sum()))
    # What was raised quietly called nobody.
    expect("quietly raised", head["quietly_raised"], int(frame["was_quiet"].sum()))
    frame = frame[~frame["was_quiet"]].reset_index(drop=True)
    # What doors did in a drill is counted apart.
    expect("raised in drills", head["raised_in_drills"], int(frame["was_drill"].sum()))
    frame = frame[~frame["was_drill"]].reset_index(drop=True)
    raised = frame["raised_at"]

    expect("raised", head["raised"], len(frame))
    per_incident = frame["incident"].map(lambda mark: mark["id"]).value_counts()
    expect("incidents", head["incidents"], len(per_incident))
    expect("largest incident", head["largest_incident"], int(per_incident.max()))
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

    asked = frame[frame["kind"] != "self_test"]
    for it in told:
        if it["event"] == "answers":
            check_answers(it, asked if it["priority"] is None else asked[asked["priority"] == it["priority"]])
        elif it["event"] == "causes":
            check_causes(it, asked)
        elif it["event"] == "rule_causes":
            check_causes(it, asked[asked["rule"].isna() if it["rule"] is None else asked["rule"] == it["rule"]])
    expect("priorities", sum(it["event"] == "answers" for it in told), 1 + asked["priority"].nunique())
    expect("rules", sum(it["event"] == "rule_causes" for it in told), asked["rule"].nunique(dropna=False))
    closed = int(asked["cause"].notna().sum())
    print(
        f"{len(frame)} alarms, {head['quietly_raised']} more quietly, {len(expected)} floods, {head['chattering']} that"
        f" chatter, {int(asked['acknowledged_at'].notna().sum())} acknowledged, {closed} closed: counted alike"
    )
    return {"floods": len(expected), "chatter": head["chattering"], "quiet": head["quietly_raised"], "closed": closed}


def check_lengths(what, found, lengths):
    """The nearest rank: the least that at least so many of a hundred do not exceed."""
    lengths = lengths.dropna().sort_values().reset_index(drop=True)
    if lengths.empty:
        expect(what, found, None)
        return
    expect(f"{what}: count", found["count"], len(lengths))
    for name, percent in (("median_ms", 50), ("p95_ms", 95), ("max_ms", 100)):
        place = -(-len(lengths) * percent // 100) - 1
        # What is printed has microseconds.
        apart = abs(found[name] - lengths[place].total_seconds() * 1000)
        expect(f"{what}: {name} {found[name]} of {lengths[place]}", apart <= 1, True)


def check_answers(it, asked):
    name = it["priority"] or "all"
    took = asked["acknowledged_at"] - asked["raised_at"]
    is_waiting = asked["acknowledged_at"].isna()
    is_over = asked["over_at"].notna()
    expect(f"{name} asked", it["asked"], len(asked))
    expect(f"{name} acknowledged", it["acknowledged"], int((~is_waiting).sum()))
    check_lengths(f"{name} acknowledged after", it["acknowledged_after"], took)
    expect(f"{name} in time", it["in_time"], int((took <= pd.Timedelta(milliseconds=it["target_ms"])).sum()))
    expect(f"{name} never", it["never_acknowledged"], int((is_waiting & is_over).sum()))
    expect(f"{name} waiting", it["waiting"], int((is_waiting & ~is_over).sum()))
    expect(f"{name} passed on", it["passed_on"], int((asked["escalated_count"] > 0).sum()))
    expect(f"{name} escalations", it["escalations"], int(asked["escalated_count"].sum()))
    check_lengths(f"{name} closed after", it["closed_after"], asked["closed_at"] - asked["raised_at"])


def check_causes(it, alarms):
    name = f"causes of {it.get('rule', 'all')}"
    counts = alarms["cause"].value_counts()
    expect(f"{name}: alarms", it["alarms"], len(alarms))
    expect(name, it["by_cause"], {cause: int(count) for cause, count in counts.items()})
    expect(f"{name}: closed", it["closed"], int(counts.sum()))
    expect(f"{name}: real", it["real"], int(counts.get("real", 0)))
    is_false = counts.index.isin([cause.replace("-", "_") for cause in FALSE])
    expect(f"{name}: false", it["false"], int(counts[is_false].sum()))
    expect(f"{name}: neither", it["neither"], it["closed"] - it["real"] - it["false"])


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
        nights = check(given.ach, data)
        people = check(given.ach, answered(given.ach, pathlib.Path(folder), seed))
    if not (nights["floods"] and nights["chatter"] and people["closed"] and people["quiet"]):
        sys.exit("nights without a flood and without chatter, and people who do nothing, prove nothing")


if __name__ == "__main__":
    main()
