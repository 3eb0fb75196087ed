"""The tables of the specification against the words and codes of the client.

All that the specification has must be known here, and as it is named there. A client may know more:
values are never used again for something else.
"""

from __future__ import annotations

import re

import pytest

import ach_client.words as words
from ach_client.alarm_state import AlarmState, NamedState
from ach_client.codes import Code
from ach_client.fields import LIST_MAX, TEXT_BYTES_MAX, ZEROS_MAX

ENUMERATIONS = {
    "lane": words.Lane,
    "topic": words.Topic,
    "storage": words.Storage,
    "transition": words.Transition,
    "reason": words.Reason,
    "priority": words.Priority,
    "alarm-kind": words.AlarmKind,
    "event-word": words.EventWord,
    "item": words.ItemKind,
    "thing": words.ThingKind,
    "wish": words.WishKind,
    "cause": words.CauseKind,
    "act-word": words.ActWord,
    "alarm-cause": words.AlarmCause,
    "quiet-kind": words.QuietKind,
    "door-act": words.DoorAct,
    "door-mode": words.DoorMode,
    "door-slot": words.DoorSlot,
    "door-answer": words.DoorAnswer,
    "emergency-kind": words.EmergencyKind,
    "practice": words.Practice,
}


def table_rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_code_of_the_specification_is_known(wire_md: str) -> None:
    section = wire_md.split("## Codes")[1].split("\n## ")[0]
    rows = [row for row in table_rows(section) if row[0].isdigit()]
    assert len(rows) > 30
    for number, name, _, again in rows:
        code = Code(int(number))
        assert code.name.replace("_", "").lower() == name.lower()
        assert code.may_be_tried_again == (again == "yes"), name


@pytest.mark.parametrize("name", ENUMERATIONS)
def test_every_word_of_the_specification_is_known(wire_md: str, name: str) -> None:
    rows = [row for row in table_rows(wire_md) if len(row) == 2 and row[1].startswith("u8: ")]
    row = next(row for row in rows if row[0] == name)
    listed = row[1].split("u8: ")[1].split("; then")[0]
    found = {int(number): word for number, word in re.findall(r"(\d+) ([^,;]+)", listed)}
    assert len(found) > 1
    assert found == {number: str(ENUMERATIONS[name](number)) for number in found}


def test_every_report_and_gate_of_the_specification_is_known(wire_md: str) -> None:
    row = next(row for row in table_rows(wire_md) if row[0] == "20" and row[2] == "kind")
    kinds = {int(number) for number in re.findall(r"\b(\d+) [a-z]", row[3])} - {0, 1}
    assert kinds | {1} == {kind.value for kind in words.ReportKind}
    text = wire_md.split("Bits of `gates_passed`")[1].split("\n\n")[0].split(":", 1)[1]
    bits = {int(number) for number in re.findall(r"(?:^|,)\s*(\d+) [a-zA-Z]", text)}
    assert bits == {gate.value for gate in words.Gate}


def test_the_flags_of_an_alarm_are_those_of_both_specifications(
    wire_md: str, alarm_life_md: str
) -> None:
    listed = next(row[1] for row in table_rows(wire_md) if row[0] == "alarm-state")
    in_wire = {
        int(number): word
        for number, word in re.findall(r"(\d+) ([^,;]+)", listed.split("flags: ")[1])
    }
    section = alarm_life_md.split("## Flags")[1].split("\n## ")[0]
    rows = [row for row in table_rows(section) if row[1].replace(",", "").isdigit()]
    in_life = {int(row[1].replace(",", "")): row[0] for row in rows}
    ours = {flag.value: str(flag.name).lower().replace("_", " ") for flag in AlarmState}
    assert ours == in_wire == in_life


def test_every_state_by_name_is_that_of_the_first_line_that_fits(alarm_life_md: str) -> None:
    section = alarm_life_md.split("## State by name")[1].split("\n## ")[0]
    lines: list[tuple[str, str | None, str]] = []
    for state_name, letter, wanted in table_rows(section)[2:]:
        lines.append((state_name, letter or None, wanted.split(":")[0]))
    assert {name for name, _, _ in lines} == {str(state) for state in NamedState}

    def fits(state: AlarmState, wanted: str) -> bool:
        if wanted == "not retained":
            return AlarmState.RETAINED not in state
        flags = [flag.strip() for flag in wanted.split(",") if flag.strip()]
        return all(AlarmState[flag.upper().replace(" ", "_")] in state for flag in flags)

    for bits in range(2 ** len(AlarmState)):
        state = AlarmState(bits)
        name, isa_letter, _ = next(line for line in lines if fits(state, line[2]))
        assert (str(state.by_name), state.by_name.isa_letter) == (name, isa_letter), state


def test_the_causes_are_those_of_the_life_of_an_alarm(alarm_life_md: str) -> None:
    section = alarm_life_md.split("## Causes")[1].split("\n## ")[0]
    named = re.findall(r"`([a-z_]+)`", section)
    assert named == [cause.name.lower() for cause in words.AlarmCause]


def test_the_limits_are_those_of_the_specification(wire_md: str) -> None:
    assert f"at most {TEXT_BYTES_MAX} bytes, for people" in wire_md
    assert f"at most {ZEROS_MAX:,}" in wire_md
    assert f"any number of times up to {LIST_MAX}" in wire_md
