"""What each text can be found by, and how far the reading of texts has come."""

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from models import term_index
from models.base import Base


class MessageTerms(Base):
    """One text that a follower or a person wrote.  The later it was read, the higher its id."""

    __tablename__ = "message_terms"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    follower_id: Mapped[int] = mapped_column(ForeignKey("followers.id", ondelete="CASCADE"), index=True)
    # One of the two; no foreign keys, which would need an index each: both go with their follower.
    message_id: Mapped[int | None]
    send_id: Mapped[int | None]
    terms: Mapped[str] = mapped_column(Text)  # services.message_search spells them


term_index.index(MessageTerms, is_large=True)


class MessageReading(Base):
    """The one row that says up to which message, and which send, all is read.  It is of no account."""

    __tablename__ = "message_reading"

    message_id: Mapped[int]
    send_id: Mapped[int]
    last_id: Mapped[int]  # given to a text
