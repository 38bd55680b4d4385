"""Which promises of the sandbox hold on this machine, found out by trying."""

from nhlib.classroom.room import LIMITS, USER, SandboxError, has_room
from nhlib.classroom.sandbox import CallError, Sandbox

SECONDS = 10.0


def promises() -> dict[str, bool]:
    """What a student's code can't do here, by the words that say it; False where it can.

    Raises
    ------
    SandboxError
        When there is no sandbox, or it does not even run this.
    """
    if not has_room():
        return {"a sandbox": False}
    cell = "from inside.attempts import attempts"
    with Sandbox() as room:
        try:
            room.ask({"cells": [cell], "names": []}, SECONDS)
            room.ask({"run": [0, 0], "plain": False}, SECONDS)
            told = room.ask({"call": "attempts", "arguments": [USER, LIMITS["AS"]]}, SECONDS)
            found = {str(words): held is True for words, held in told["value"].items()}
        except (CallError, KeyError, AttributeError) as e:
            raise SandboxError(f"the sandbox could not be tried: {e}") from None
        found["a limit of memory that the kernel counts for all of it"] = room.group is not None
    return found
