"""How a conversation may move: the one table, which docs/conversations.md and the API publish.

A conversation is queued, assigned, snoozed or closed; "bot" is a follower who has no open one.
"""

from enum import StrEnum

from bot.errors import Conflict
from models import Conversation
from models import ConversationStatus as Status


class Command(StrEnum):
    ASK = "ask"  # the follower asks for a person
    TAKE = "take"  # an operator takes it, from the queue, from a colleague or from the bot
    ASSIGN = "assign"  # to somebody, by hand or by the account's rule
    RETURN = "return"  # to the queue: given back, or its operator has gone offline
    SNOOZE = "snooze"
    WAKE = "wake"  # its time has come, somebody says so, or the follower wrote
    REPLY = "reply"
    CLOSE = "close"  # handed back to the bot, timed out, or the follower has left
    REOPEN = "reopen"  # the undo of closing


BOT = "bot"
_OPEN = (Status.QUEUED, Status.ASSIGNED, Status.SNOOZED)
# (command, from) → to; what is not here is refused.  Of two, the second is where nobody has it: an API token takes
# part without being anybody.
TRANSITIONS: dict[tuple[Command, str], tuple[Status, ...]] = {
    (Command.ASK, BOT): (Status.QUEUED,),
    (Command.TAKE, BOT): (Status.ASSIGNED, Status.QUEUED),
    (Command.TAKE, Status.QUEUED): (Status.ASSIGNED, Status.QUEUED),
    (Command.TAKE, Status.ASSIGNED): (Status.ASSIGNED,),
    (Command.TAKE, Status.SNOOZED): (Status.ASSIGNED, Status.QUEUED),
    **{(Command.ASSIGN, each): (Status.ASSIGNED,) for each in _OPEN},
    (Command.RETURN, Status.ASSIGNED): (Status.QUEUED,),
    (Command.RETURN, Status.SNOOZED): (Status.QUEUED,),
    **{(Command.SNOOZE, each): (Status.SNOOZED,) for each in _OPEN},
    (Command.WAKE, Status.SNOOZED): (Status.ASSIGNED, Status.QUEUED),
    (Command.REPLY, Status.QUEUED): (Status.ASSIGNED, Status.QUEUED),
    (Command.REPLY, Status.ASSIGNED): (Status.ASSIGNED,),
    (Command.REPLY, Status.SNOOZED): (Status.ASSIGNED, Status.QUEUED),
    **{(Command.CLOSE, each): (Status.CLOSED,) for each in _OPEN},
    (Command.REOPEN, Status.CLOSED): (Status.ASSIGNED, Status.QUEUED),
}


def table() -> str:
    """The same for people, in Markdown: a row for each state, a column for each command; "–" is refused."""
    states = (BOT, *(status.value for status in Status))
    lines = [f"| | {' | '.join(Command)} |", f"|---|{'---|' * len(Command)}"]
    for state in states:
        cells = (" or ".join(TRANSITIONS.get((command, state), ("–",))) for command in Command)
        lines.append(f"| **{state}** | {' | '.join(cells)} |")
    return "\n".join(lines)


def may(command: Command, conversation: Conversation | None) -> bool:
    return (command, conversation.status if conversation else BOT) in TRANSITIONS


def must_allow(command: Command, conversation: Conversation) -> None:
    """
    Raises:
        Conflict: it has moved on since whoever asks looked.
    """
    if may(command, conversation):
        return
    if conversation.status is Status.CLOSED:
        raise Conflict("This conversation was closed; take it over again to go on.")
    raise Conflict("This conversation has moved on: look at it again.")
