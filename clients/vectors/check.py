#!/usr/bin/env python3
"""Holds every vector in this directory against the tables of docs/specs/wire.md.

A decoder and encoder of protocol ach/1 that needs nothing but Python 3.8. It reads the frames, their fields and the
words of each enumeration from the specification itself, so a vector that passes here has been read by the text that
an author in any language reads. What is fixed records there (pings, reports, preambles) is written out here.

    python3 clients/vectors/check.py            # prints what it checked; exit code 1 with the first difference
"""

import json
import pathlib
import re
import struct
import sys
import unicodedata

HERE = pathlib.Path(__file__).resolve().parent
SPEC = HERE.parent.parent / "docs" / "specs" / "wire.md"

PAYLOAD_BYTES_MAX = 65_536
RECORDS_MAX = 1_024
TEXT_BYTES_MAX = 256
ZEROS_MAX = 4_096
PART_BYTES_MAX = 49_152
LIST_MAX = 256
CRITICAL_TAG = 32_768
SKIPPABLE_TYPE = 128
NOT_A_NUMBER = -(2**63)

FRAME_TOO_LARGE, RESERVED, UNKNOWN_FRAME, MALFORMED, UNKNOWN_FIELD, TOO_MANY = 16, 17, 18, 19, 20, 37
NOT_A_NUMBER_CODE, OUT_OF_RANGE = 67, 68

INTEGERS = {"u8": "B", "u16": "<H", "u32": "<I", "u64": "<Q", "i16": "<h", "i32": "<i", "i64": "<q"}
REPORT_KINDS = {1, 2, 3, 4, *range(16, 31), *range(32, 37), 40}
NAME = re.compile(r"[A-Za-z0-9._:-]{1,64}\Z")
SPEAKERS = {"client", "node", "vendor", "receiver", "operator", "both"}


class Refused(Exception):
    """Bytes that must be refused, with the code."""

    def __init__(self, code, why):
        super().__init__(f"{why} (code {code})")
        self.code = code


class Field:
    """A field of a message: `tag name type`, how often, and the fields within."""

    def __init__(self, tag, name, kind, arity, most, inner):
        self.tag, self.name, self.kind, self.arity, self.most, self.inner = tag, name, kind, arity, most, inner


# ---- the specification ----------------------------------------------------------------------------------------------


def parse_fields(text):
    """Reads `1 lane lane; 2 totals msg {1 accepted u64; ...}; 3 refused msg*512 {...}`."""
    fields = []
    position = 0
    token = re.compile(r"\s*(\d+) (\w+) ([\w-]+)(\?|\*\d*)?\s*")
    while position < len(text):
        match = token.match(text, position)
        assert match, f"the specification has a field that cannot be read: {text[position:position + 40]!r}"
        tag, name, kind, arity = match.groups()
        position = match.end()
        inner = None
        if kind == "msg":
            end = text.index("}", position)
            assert text[position] == "{"
            inner = parse_fields(text[position + 1:end])
            position = end + 1
        most = int(arity[1:] or LIST_MAX) if arity and arity[0] == "*" else 1
        fields.append(Field(int(tag), name, kind, (arity or "")[:1], most, inner))
        position += 1 if text[position:position + 1] == ";" else 0
        position += len(text[position:]) - len(text[position:].lstrip())
    return fields


NAMED_MESSAGES = ("act", "door-order")


def parse_spec(text):
    """The messages by frame type, the words of each enumeration, and the messages within values."""
    frames, words, messages, filter_fields = {}, {}, {}, None
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if len(cells) == 4 and cells[0].isdigit() and set(cells[2].split(", ")) <= SPEAKERS:
            frames[int(cells[0])] = (cells[1], parse_fields(cells[3]))
        elif len(cells) == 2 and cells[0] == "filter":
            filter_fields = parse_fields(re.fullmatch(r"msg \{(.*)\}", cells[1]).group(1))
        elif len(cells) == 2 and re.fullmatch(r"[a-z-]+", cells[0]) and cells[1].startswith("u8: "):
            listed = cells[1][3:].split("; then")[0]
            words[cells[0]] = {int(number) for number in re.findall(r"(?:^|[ ,])(\d+) ", listed)}
            for inner, kind in re.findall(r"msg \{(.*?)\} \((\d+)\)", cells[1]):
                messages[cells[0], int(kind)] = parse_fields(inner)
        elif len(cells) == 2 and cells[0] in NAMED_MESSAGES:
            messages[cells[0]] = parse_fields(re.fullmatch(r"msg \{(.*)\}", cells[1]).group(1))
    assert filter_fields and len(frames) == 43, f"found {len(frames)} frames in the specification"
    return frames, words, messages, filter_fields


FRAMES, WORDS, MESSAGES, FILTER = parse_spec(SPEC.read_text(encoding="utf-8"))
CAUSE_INPUT = MESSAGES["cause", 1]
WISHES_WITH_MESSAGE = {3: "act", 4: "quiet", 5: "door", 6: "emergency", 7: "leave", 8: "band"}
THINGS_WITH_NAME, THING_TAG = {1, 2, 3, 5, 6, 7}, 4


# ---- values: bytes to what JSON holds, and back -----------------------------------------------------------------------


def need(is_so, why, code=MALFORMED):
    if not is_so:
        raise Refused(code, why)


def unpack(kind, data):
    need(len(data) == struct.calcsize(INTEGERS[kind]), f"{len(data)} bytes for {kind}")
    return struct.unpack(INTEGERS[kind], data)[0]


def read_name(data):
    name = data.decode("ascii", "replace")
    need(NAME.match(name), f"no name: {data!r}")
    return name


def read_remark(data):
    try:
        remark = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(MALFORMED, "a remark that is not UTF-8") from None
    is_one_line = not any(unicodedata.category(character) == "Cc" for character in remark)
    need(0 < len(data) <= TEXT_BYTES_MAX and is_one_line and remark == remark.strip(), "no remark")
    return remark


def read_tag(data):
    return f"{unpack('u64', data):016X}"


def read_one_of(data, tags, names, nothing=()):
    """`u8 kind`, then a tag, a name or nothing."""
    need(data, "an empty value")
    kind, rest = data[0], data[1:]
    if kind in tags:
        return {"kind": kind, "tag": read_tag(rest)}
    if kind in names:
        return {"kind": kind, "name": read_name(rest)}
    need(kind in nothing and not rest, f"kind {kind}")
    return {"kind": kind}


def read_cause(data):
    need(data and data[0] in (1, 2, 3, 4), "an unknown cause")
    if data[0] == 1:
        return {"kind": 1, "input": read_message(CAUSE_INPUT, data[1:])}
    if data[0] == 2:
        return {"kind": 2, "due": str(unpack("u64", data[1:]))}
    need(len(data) == 1, "a cause with more")
    return {"kind": data[0]}


def read_position(data):
    need(len(data) == 16, "a position's length")
    x_mm, y_mm, z_mm, floor, flags = struct.unpack("<iiihH", data)
    need(flags & ~3 == 0 and (flags & 1 or z_mm == 0) and (flags & 2 or floor == 0), "a position's zeros", RESERVED)
    position = {"x_mm": x_mm, "y_mm": y_mm}
    if flags & 1:
        position["z_mm"] = z_mm
    if flags & 2:
        position["floor"] = floor
    return position


def read_value(field, data):
    kind = field.kind
    if kind == "msg":
        return read_message(field.inner, data)
    if kind == "filter":
        return read_message(FILTER, data)
    if kind in NAMED_MESSAGES:
        return read_message(MESSAGES[kind], data)
    if kind == "alarm-state":
        return unpack("u16", data)
    if kind == "remark":
        return read_remark(data)
    if kind in ("u64", "i64"):
        return str(unpack(kind, data))
    if kind in INTEGERS:
        return unpack(kind, data)
    if kind == "code":
        return unpack("u16", data)
    if kind == "bool":
        need(unpack("u8", data) in (0, 1), "neither yes nor no")
        return data[0] == 1
    if kind in WORDS and kind not in ("thing", "item", "wish", "cause"):
        need(unpack("u8", data) in WORDS[kind], f"no {kind}: {data[0]}")
        return data[0]
    if kind == "text":
        need(len(data) <= TEXT_BYTES_MAX, "a text's length")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise Refused(MALFORMED, "a text that is not UTF-8") from None
    if kind == "bytes":
        need(len(data) <= PART_BYTES_MAX, "too many bytes")
        return data.hex()
    if kind == "zeros":
        need(len(data) <= ZEROS_MAX, "too many zeros")
        need(not any(data), "zeros that are none", RESERVED)
        return len(data)
    if kind == "id":
        need(len(data) == 16, "an id's length")
        return data[::-1].hex()
    if kind == "cursor":
        need(len(data) == 16, "a cursor's length")
        shard, ordinal, index = struct.unpack("<IIQ", data)
        return {"shard": shard, "ordinal": ordinal, "index": str(index)}
    if kind == "wish":
        need(data and data[0] in WORDS["wish"], "no wish")
        if data[0] in WISHES_WITH_MESSAGE:
            name = WISHES_WITH_MESSAGE[data[0]]
            return {"kind": data[0], name: read_message(MESSAGES["wish", data[0]], data[1:])}
        return {"kind": data[0], "thing": read_one_of(data[1:], {THING_TAG}, THINGS_WITH_NAME, {0})}
    readers = {
        "name": read_name,
        "tag": read_tag,
        "position": read_position,
        "cause": read_cause,
        "thing": lambda data: read_one_of(data, {THING_TAG}, THINGS_WITH_NAME, {0}),
        "item": lambda data: read_one_of(data, {1}, {2, 3, 4, 5}),
    }
    return readers[kind](data)


def read_message(fields, data):
    by_tag = {field.tag: field for field in fields}
    found = {field.name: [] for field in fields if field.arity == "*"}
    while data:
        need(len(data) >= 4, "a field's header is cut")
        tag, length = struct.unpack_from("<HH", data)
        need(len(data) >= 4 + length, "a field is cut")
        value, data = data[4:4 + length], data[4 + length:]
        if tag not in by_tag:
            need(tag < CRITICAL_TAG, f"field {tag} is not known", UNKNOWN_FIELD)
            continue
        field = by_tag[tag]
        if field.arity == "*":
            need(len(found[field.name]) < field.most, f"too many {field.name}", TOO_MANY)
            found[field.name].append(read_value(field, value))
        else:
            need(field.name not in found, f"{field.name} twice")
            found[field.name] = read_value(field, value)
    for field in fields:
        need(field.arity == "?" or field.name in found, f"{field.name} is missing")
    return found


def write_one_of(value):
    if "tag" in value:
        return bytes([value["kind"]]) + struct.pack("<Q", int(value["tag"], 16))
    return bytes([value["kind"]]) + value.get("name", "").encode("ascii")


def write_value(field, value):
    kind = field.kind
    if kind == "msg":
        return write_message(field.inner, value)
    if kind == "filter":
        return write_message(FILTER, value)
    if kind in NAMED_MESSAGES:
        return write_message(MESSAGES[kind], value)
    if kind == "alarm-state":
        return struct.pack("<H", value)
    if kind in INTEGERS:
        return struct.pack(INTEGERS[kind], int(value))
    if kind == "code":
        return struct.pack("<H", value)
    if kind in ("text", "name", "remark"):
        return value.encode("utf-8")
    if kind == "tag":
        return struct.pack("<Q", int(value, 16))
    if kind == "id":
        return bytes.fromhex(value)[::-1]
    if kind == "bytes":
        return bytes.fromhex(value)
    if kind == "zeros":
        return bytes(value)
    if kind == "cursor":
        return struct.pack("<IIQ", value["shard"], value["ordinal"], int(value["index"]))
    if kind == "position":
        flags = ("z_mm" in value) | ("floor" in value) << 1
        return struct.pack("<iiihH", value["x_mm"], value["y_mm"], value.get("z_mm", 0), value.get("floor", 0), flags)
    if kind in ("thing", "item"):
        return write_one_of(value)
    if kind == "wish" and value["kind"] in WISHES_WITH_MESSAGE:
        fields = MESSAGES["wish", value["kind"]]
        return bytes([value["kind"]]) + write_message(fields, value[WISHES_WITH_MESSAGE[value["kind"]]])
    if kind == "wish":
        return bytes([value["kind"]]) + write_one_of(value["thing"])
    if kind == "cause":
        rest = b""
        if value["kind"] == 1:
            rest = write_message(CAUSE_INPUT, value["input"])
        elif value["kind"] == 2:
            rest = struct.pack("<Q", int(value["due"]))
        return bytes([value["kind"]]) + rest
    return bytes([value])  # bool and words


def write_message(fields, values):
    out = b""
    for field in fields:
        if field.arity == "*":
            present = values[field.name]
        else:
            present = [values[field.name]] if field.name in values else []
        for value in present:
            data = write_value(field, value)
            out += struct.pack("<HH", field.tag, len(data)) + data
    return out


# ---- fixed records ----------------------------------------------------------------------------------------------------


def read_ping(data):
    """A ping of 48 bytes; raises the code with which it alone is refused."""
    handle, flags, floor, observed_at, x, y, z, accuracy, battery, zero = struct.unpack("<IHhQqqiIB7s", data)
    is_zero_where_unsaid = (
        flags & ~31 == 0
        and (flags & 1 or floor == 0)
        and (flags & 2 or z == 0)
        and (flags & 8 or accuracy == 0)
        and (flags & 16 or battery == 0)
        and not any(zero)
    )
    need(is_zero_where_unsaid, "a ping's zeros", RESERVED)
    need(battery <= 100, "a battery over 100 percent", OUT_OF_RANGE)
    need(NOT_A_NUMBER not in (x, y), "not a number", NOT_A_NUMBER_CODE)
    ping = {"handle": handle, "observed_at": str(observed_at)}
    if flags & 4:
        need(abs(x) <= 180 * 10**9 and abs(y) <= 90 * 10**9, "beyond the globe", OUT_OF_RANGE)
        ping["longitude_nano_deg"], ping["latitude_nano_deg"] = str(x), str(y)
    else:
        need(-(2**31) <= min(x, y) and max(x, y) < 2**31, "beyond millimetres", OUT_OF_RANGE)
        ping["x_mm"], ping["y_mm"] = x, y
    for bit, name, value in ((1, "floor", floor), (2, "z_mm", z), (8, "accuracy_mm", accuracy), (16, "battery_percent", battery)):
        if flags & bit:
            ping[name] = value
    return ping


def write_ping(ping):
    is_global = "longitude_nano_deg" in ping
    x = int(ping["longitude_nano_deg"] if is_global else ping["x_mm"])
    y = int(ping["latitude_nano_deg"] if is_global else ping["y_mm"])
    said = (("floor", 1), ("z_mm", 2), ("accuracy_mm", 8), ("battery_percent", 16))
    flags = sum(bit for name, bit in said if name in ping) | (4 if is_global else 0)
    return struct.pack(
        "<IHhQqqiIB7x", ping["handle"], flags, ping.get("floor", 0), int(ping["observed_at"]), x, y,
        ping.get("z_mm", 0), ping.get("accuracy_mm", 0), ping.get("battery_percent", 0),
    )


def read_count(data, offset, record_bytes):
    header_bytes = offset + 8
    need(len(data) >= header_bytes, "a header is cut")
    count, zero = struct.unpack_from("<II", data, offset)
    need(zero == 0, "a header's zeros", RESERVED)
    need(count <= RECORDS_MAX, "too many records", TOO_MANY)
    need(count > 0 and len(data) == header_bytes + count * record_bytes, "a count that does not fit")
    return [data[at:at + record_bytes] for at in range(header_bytes, len(data), record_bytes)]


def read_pings(data):
    need(len(data) >= 16, "a header is cut")
    first_seq, count = struct.unpack_from("<QI", data)
    need(count > RECORDS_MAX or (first_seq > 0 and first_seq + count < 2**64), "numbers that cannot be")
    return {"first_seq": str(first_seq), "pings": [read_ping(ping) for ping in read_count(data, 8, 48)]}


def read_report(data):
    seq, observed_at, handle, kind, zero, number = struct.unpack("<QQIB3sQ", data)
    need(not any(zero), "a report's zeros", RESERVED)
    need(seq > 0, "a report without a number")
    need(kind in REPORT_KINDS, f"no report: {kind}")
    report = {"seq": str(seq), "observed_at": str(observed_at), "handle": handle, "kind": kind}
    if kind == 20:
        report["valid_ms"] = number & 0xFFFF_FFFF
        if number >> 32:
            report["badge"] = (number >> 32) - 1
    elif kind == 21:
        need(number < 1 << 32, "a time beyond 32 bits")
        report["valid_ms"] = number
    elif kind == 28:
        need(number <= 100, "a battery over 100 %")
        report["percent"] = number
    elif kind in (29, 30):
        need(number > 0, "an order without a number")
        report["order"] = str(number)
    elif kind == 36:
        need(number == 0 or number in WORDS["door-mode"], "no mode")
        report["mode"] = number
    else:
        need(number == 0, "a report's zeros", RESERVED)
    return report


def report_number(it):
    if "badge" in it:
        return it["badge"] + 1 << 32 | it["valid_ms"]
    return next((int(it[name]) for name in ("valid_ms", "percent", "order", "mode") if name in it), 0)


def read_reports(data):
    return {"reports": [read_report(report) for report in read_count(data, 0, 32)]}


def write_records(frame_type, fields):
    if frame_type == 32:
        pings = fields["pings"]
        return struct.pack("<QII", int(fields["first_seq"]), len(pings), 0) + b"".join(map(write_ping, pings))
    records = [
        struct.pack("<QQIB3xQ", int(it["seq"]), int(it["observed_at"]), it["handle"], it["kind"], report_number(it))
        for it in fields["reports"]
    ]
    return struct.pack("<II", len(records), 0) + b"".join(records)


def read_preamble(data):
    kind, lane, zero, number = struct.unpack("<BBHI", data)
    need(zero == 0, "a preamble's zeros", RESERVED)
    need(lane in WORDS["lane"] and kind in (1, 2) and (kind == 2 or lane in (0, 1, 3)), "no preamble")
    return {"kind": kind, "lane": lane, "epoch" if kind == 1 else "subscription": number}


# ---- frames -----------------------------------------------------------------------------------------------------------


def read_frame(data):
    """The type and fields of one frame; None for one that is to be skipped."""
    length, frame_type, flags, zero = struct.unpack_from("<IBBH", data)
    need(length <= PAYLOAD_BYTES_MAX, "a frame's length", FRAME_TOO_LARGE)
    need(flags == 0 and zero == 0, "a header's zeros", RESERVED)
    payload = data[8:]
    need(len(payload) == length, "a frame that is cut")
    if frame_type == 32:
        return frame_type, read_pings(payload)
    if frame_type == 33:
        return frame_type, read_reports(payload)
    if frame_type in FRAMES:
        return frame_type, read_message(FRAMES[frame_type][1], payload)
    need(frame_type >= SKIPPABLE_TYPE, f"frame type {frame_type} is not known", UNKNOWN_FRAME)
    return None


def write_frame(frame_type, fields):
    payload = write_records(frame_type, fields) if frame_type in (32, 33) else write_message(FRAMES[frame_type][1], fields)
    return struct.pack("<IBBH", len(payload), frame_type, 0, 0) + payload


# ---- the vectors ------------------------------------------------------------------------------------------------------


def load(file):
    return json.loads((HERE / file).read_text(encoding="utf-8"))


def same(name, found, expected):
    assert found == expected, f"{name}:\n  found    {found}\n  expected {expected}"


def refused_with(read, data):
    try:
        return f"not refused: {read(data)}"
    except Refused as refused:
        return refused.code


def check_frames():
    vectors = load("frames.json")
    for vector in vectors:
        name, data = vector["name"], bytes.fromhex(vector["hex"])
        same(name, read_frame(data), (vector["type"], vector["fields"]))
        same(f"{name}, written", write_frame(vector["type"], vector["fields"]).hex(), vector["hex"])
        for cut in range(8, len(data)):
            same(f"{name}, cut at {cut}", refused_with(read_frame, data[:cut]), MALFORMED)
    missing = set(FRAMES) | {32, 33}
    missing -= {vector["type"] for vector in vectors}
    assert not missing, f"no vector for frame types {sorted(missing)}"
    return len(vectors)


def check_growth():
    """What a later version adds is skipped, unless it is critical."""
    heartbeat = next(vector for vector in load("frames.json") if vector["type"] == 9)
    payload = bytes.fromhex(heartbeat["hex"])[8:]
    header = lambda frame_type, payload: struct.pack("<IBBH", len(payload), frame_type, 0, 0)
    for tag, expected in ((32_767, (9, heartbeat["fields"])), (32_768, UNKNOWN_FIELD)):
        grown = payload + struct.pack("<HH", tag, 3) + b"abc"
        found = read_frame(header(9, grown) + grown) if tag < CRITICAL_TAG else refused_with(read_frame, header(9, grown) + grown)
        same(f"field {tag}", found, expected)
    same("type 200", read_frame(header(200, payload) + payload), None)
    return 3


def check_refused():
    vectors = load("refused.json")
    for vector in vectors:
        same(vector["name"], refused_with(read_frame, bytes.fromhex(vector["hex"])), vector["code"])
    return len(vectors)


def check_pings():
    vectors = load("pings.json")
    for vector in vectors:
        data = bytes.fromhex(vector["hex"])
        if "code" in vector:
            same(vector["name"], refused_with(read_ping, data), vector["code"])
        else:
            same(vector["name"], read_ping(data), vector["fields"])
            same(f"{vector['name']}, written", write_ping(vector["fields"]).hex(), vector["hex"])
    return len(vectors)


def check_preambles():
    vectors = load("preambles.json")
    for vector in vectors:
        same(vector["hex"], read_preamble(bytes.fromhex(vector["hex"])), vector["fields"])
    return len(vectors)


def main():
    checks = {
        "frames, read and written, and cut anywhere": check_frames,
        "additions of later versions": check_growth,
        "frames refused with their codes": check_refused,
        "single pings, taken or refused": check_pings,
        "preambles": check_preambles,
    }
    for what, check in checks.items():
        try:
            print(f"{check():4} {what}")
        except (AssertionError, Refused) as difference:
            print(f"WRONG {what}: {difference}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
