"""What the tests stand on: the binary `ach`, a directory of their own, the specification."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def ach() -> Path:
    """The binary: `ACH_BINARY`, or what cargo has built."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    named = os.environ.get("ACH_BINARY")
    candidates = (
        [Path(named)] if named else [target / kind / "ach" for kind in ("release", "debug")]
    )
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    pytest.fail(f"no `ach` among {candidates}: build it, or name it in ACH_BINARY")


@pytest.fixture(scope="session")
def vectors() -> Path:
    """Golden bytes."""
    return REPOSITORY / "clients" / "vectors"


@pytest.fixture(scope="session")
def wire_md() -> str:
    """The specification."""
    return (REPOSITORY / "docs" / "specs" / "wire.md").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def alarm_life_md() -> str:
    """What an alarm goes through."""
    return (REPOSITORY / "docs" / "specs" / "alarm-life.md").read_text(encoding="utf-8")
