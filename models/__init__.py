"""What we remember."""

from models.accounts import (
    AccessToken,
    Account,
    AccountKind,
    ApiToken,
    AuditRecord,
    CallbackMode,
    Membership,
    Operator,
    Role,
    SignIn,
    SignInLink,
)
from models.base import Base, UtcDateTime, affected, utc_now
from models.campaigns import (
    Batch,
    BatchStatus,
    Campaign,
    CampaignStatus,
    Channel,
    Click,
    Delivery,
    DeliveryStatus,
    Reach,
    TrackedLink,
)
from models.conversations import Conversation
from models.crm import Field, FieldKind, FieldValue, FollowerEvent, NameTerm, Note, Stage
from models.followers import Follower, FollowerTag, ReplyWindow, Tag
from models.menus import Menu, MenuOutcome, MenuVersion, fingerprint
from models.messages import InboundMessage, SeenSignature, Send, SendStatus
from models.rules import MatchMode, ReplyMode, Rule, RuleVersion, Trigger
from models.segments import Segment, SegmentUse
from models.tags import AutoTag, PushAction, TagPush
from models.takeovers import Takeover, TakeoverStatus
from models.tasks import Leadership, Task, TaskStatus

__all__ = [
    "AccessToken",
    "Account",
    "AccountKind",
    "ApiToken",
    "AuditRecord",
    "AutoTag",
    "Base",
    "Batch",
    "BatchStatus",
    "CallbackMode",
    "Campaign",
    "CampaignStatus",
    "Channel",
    "Click",
    "Conversation",
    "Delivery",
    "DeliveryStatus",
    "Field",
    "FieldKind",
    "FieldValue",
    "Follower",
    "FollowerEvent",
    "FollowerTag",
    "InboundMessage",
    "Leadership",
    "MatchMode",
    "Membership",
    "Menu",
    "MenuOutcome",
    "MenuVersion",
    "NameTerm",
    "Note",
    "Operator",
    "PushAction",
    "Reach",
    "ReplyMode",
    "ReplyWindow",
    "Role",
    "Rule",
    "RuleVersion",
    "SeenSignature",
    "Segment",
    "SegmentUse",
    "Send",
    "SendStatus",
    "SignIn",
    "SignInLink",
    "Stage",
    "Tag",
    "TagPush",
    "Takeover",
    "TakeoverStatus",
    "Task",
    "TaskStatus",
    "TrackedLink",
    "Trigger",
    "UtcDateTime",
    "affected",
    "fingerprint",
    "utc_now",
]
