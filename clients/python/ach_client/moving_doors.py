"""Moving doors: what an operator wishes of doors, one by one or in a lockdown or an evacuation."""

from __future__ import annotations

import secrets

from .doors import Doors
from .orders import Done, Giving, nanoseconds
from .values import need
from .wishes import DoorWish, EmergencyWish, Wish
from .words import DoorAct, DoorMode, EmergencyKind, Practice, WishKind


class MovingDoors(Giving):
    """What an operator can do about doors that the node moves.

    Each waits until the node has it on disk, but that a door that lets people out is told so at
    once; whether the door does it, `doors` tells. Raises as acts do. `key` is 32 hexadecimal
    digits: what is wished with the same key within 10 minutes is done once, also over another
    connection; without one a key is drawn. `void_at`, in ns since 1970 UTC by the node's clock, is
    when it is wanted no more: what comes later is refused with 104, unless it lets people out.
    """

    async def unlock(
        self,
        door: str,
        for_s: float,
        remark: str,
        *,
        person: str | None = None,
        key: str | None = None,
        void_at: int | None = None,
    ) -> Done:
        """Unlocks a door for a time, 24 hours at most: anybody may pass."""
        return await self._move(DoorMode.UNLOCKED, door, for_s, remark, person, key, void_at)

    async def lock(
        self,
        door: str,
        for_s: float,
        remark: str,
        *,
        person: str | None = None,
        key: str | None = None,
        void_at: int | None = None,
    ) -> Done:
        """Locks a door for a time: who has a grant may come in."""
        return await self._move(DoorMode.LOCKED, door, for_s, remark, person, key, void_at)

    async def block(
        self,
        door: str,
        for_s: float,
        remark: str,
        *,
        person: str | None = None,
        key: str | None = None,
        void_at: int | None = None,
    ) -> Done:
        """Blocks a door for a time: nobody comes in. Who may leave may leave."""
        return await self._move(DoorMode.BLOCKED, door, for_s, remark, person, key, void_at)

    async def give_back(
        self,
        door: str,
        *,
        person: str | None = None,
        remark: str | None = None,
        key: str | None = None,
        void_at: int | None = None,
    ) -> Done:
        """Moves a door no more: its hours, or what it does by itself, count again."""
        return await self._about(DoorAct.GIVE_BACK, door, person, remark, key, void_at)

    async def release_door(
        self,
        door: str,
        *,
        person: str | None = None,
        remark: str | None = None,
        key: str | None = None,
        void_at: int | None = None,
    ) -> Done:
        """Lets people out by a door, for life safety, until `end_release`; nothing counts for more.

        The way out that is built into the door is the safe one.
        """
        return await self._about(DoorAct.RELEASE, door, person, remark, key, void_at)

    async def end_release(
        self,
        door: str,
        *,
        person: str | None = None,
        remark: str | None = None,
        key: str | None = None,
        void_at: int | None = None,
    ) -> Done:
        """Takes a release back; a fire goes on releasing."""
        return await self._about(DoorAct.END_RELEASE, door, person, remark, key, void_at)

    async def end_fire(
        self,
        door: str,
        remark: str,
        *,
        person: str | None = None,
        key: str | None = None,
        void_at: int | None = None,
    ) -> Done:
        """Says that the fire told at a door is over, where its fire input cannot any more."""
        return await self._about(DoorAct.END_FIRE, door, person, remark, key, void_at)

    async def declare(
        self,
        kind: EmergencyKind,
        practice: Practice,
        for_s: float,
        remark: str,
        *,
        zone: str | None = None,
        label: str | None = None,
        person: str | None = None,
        key: str | None = None,
        void_at: int | None = None,
    ) -> Done:
        """Begins a lockdown or an evacuation, or lets it last so long from now, 24 hours at most.

        It is of the doors at a zone, of those with a label, or without either of all doors. A drill
        moves doors, but for some; an exercise moves none.
        """
        wish = EmergencyWish(
            kind=kind,
            zone=zone,
            label=label,
            practice=practice,
            for_ns=nanoseconds(for_s),
            key=key or _drawn_key(),
            void_at=void_at,
            person=person,
            remark=remark,
        )
        return await self._declare(wish)

    async def end_declared(
        self,
        kind: EmergencyKind,
        practice: Practice,
        *,
        zone: str | None = None,
        label: str | None = None,
        person: str | None = None,
        remark: str | None = None,
        key: str | None = None,
        void_at: int | None = None,
    ) -> Done:
        """Ends the one that was declared with the same kind, practice and zone or label."""
        wish = EmergencyWish(
            kind=kind,
            zone=zone,
            label=label,
            practice=practice,
            for_ns=0,
            key=key or _drawn_key(),
            void_at=void_at,
            person=person,
            remark=remark,
        )
        return await self._declare(wish)

    async def doors(self) -> Doors:
        """How doors stand, what they are told and whether they do it; and what is declared."""
        return await self._orders.ask_doors(self.answer_within_s)

    async def _move(
        self,
        mode: DoorMode,
        door: str,
        for_s: float,
        remark: str,
        person: str | None,
        key: str | None,
        void_at: int | None,
    ) -> Done:
        wish = DoorWish(
            door=door,
            act=DoorAct.MOVE,
            mode=mode,
            for_ns=nanoseconds(for_s),
            key=key or _drawn_key(),
            void_at=void_at,
            person=person,
            remark=remark,
        )
        return await self._give(Wish(kind=WishKind.DOOR, door=wish))

    async def _about(
        self,
        act: DoorAct,
        door: str,
        person: str | None,
        remark: str | None,
        key: str | None,
        void_at: int | None,
    ) -> Done:
        wish = DoorWish(
            door=door,
            act=act,
            key=key or _drawn_key(),
            void_at=void_at,
            person=person,
            remark=remark,
        )
        return await self._give(Wish(kind=WishKind.DOOR, door=wish))

    async def _declare(self, wish: EmergencyWish) -> Done:
        need(wish.zone is None or wish.label is None, "one zone or one label, and not both")
        return await self._give(Wish(kind=WishKind.EMERGENCY, emergency=wish))


def _drawn_key() -> str:
    """By which the node knows a wish that is sent again over the next connection."""
    return secrets.token_hex(16)
