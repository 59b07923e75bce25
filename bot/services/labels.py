"""Labels: what conversations are about, in the account's own words."""

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from bot.errors import Conflict, NotFound, Refused
from bot.services import conversations, journal, report_counts
from models import Account, Conversation, ConversationLabel, Label, Operator

LENGTH, MOST = 30, 200


def list_all(session: Session, account: Account) -> list[Label]:
    return list(session.scalars(select(Label).where(Label.account_id == account.id).order_by(Label.name)))


def get(session: Session, account: Account, label_id: int) -> Label:
    label = session.scalar(select(Label).where(Label.id == label_id, Label.account_id == account.id))
    if label is None:
        raise NotFound("There is no such label.")
    return label


def add(session: Session, account: Account, name: str) -> Label:
    """
    Raises:
        Refused: no name, a long one, or too many labels.
        Conflict: there is one of this name.
    """
    label = Label(account_id=account.id, name=_checked(session, account, name))
    if session.scalar(select(func.count(Label.id)).where(Label.account_id == account.id)) == MOST:
        raise Refused("An account takes {max} labels at most.", field="name", max=MOST)
    session.add(label)
    session.flush()
    return label


def rename(session: Session, account: Account, label: Label, name: str) -> None:
    label.name = _checked(session, account, name, label.id)
    session.flush()


def remove(session: Session, label: Label) -> None:
    """It is taken off every conversation, too; their journals still tell that it was there."""
    session.execute(delete(ConversationLabel).where(ConversationLabel.label_id == label.id))
    report_counts.forget_label(session, label)
    session.delete(label)
    session.flush()


def put(
    session: Session,
    conversation: Conversation,
    label: Label,
    by: Operator | None = None,
    who: str = conversations.API,
    *,
    on: bool = True,
) -> bool:
    """Put it on a conversation or take it off; False: that was so already."""
    conversation = conversations.fresh(session, conversation)
    if (label in conversation.labels) == on:
        return False
    if on:
        conversation.labels.append(label)
    else:
        conversation.labels.remove(label)
    journal.append(session, conversation, journal.LABELLED if on else journal.UNLABELLED, by, who, label=label.name)
    return True


def _checked(session: Session, account: Account, name: str, own_id: int = 0) -> str:
    name = " ".join(name.split())
    if not name:
        raise Refused("Give the label a name.", field="name")
    if len(name) > LENGTH:
        raise Refused("A label's name takes {max} characters at most.", field="name", max=LENGTH)
    taken = select(Label.id).where(Label.account_id == account.id, Label.name == name, Label.id != own_id)
    if session.scalar(taken) is not None:
        raise Conflict("There is a label of this name already.", field="name")
    return name
