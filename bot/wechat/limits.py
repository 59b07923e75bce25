"""WeChat's numbers, in one place (docs: wechat-protocol 2.3, 4.2, 5.2, 8)."""

from dataclasses import dataclass
from datetime import timedelta

TEXT_BYTES = 2048  # passive and customer-service text
CALLBACK_BYTES = 64 * 1024  # more than any push WeChat documents
CALLBACK_SKEW = timedelta(seconds=300)
ARTICLES_TO_MESSAGE = 1  # news shown when a message asked for it
ARTICLES_TO_EVENT = 8  # … when a tap, scan or follow did

MENU_BUTTONS = 3
MENU_SUB_BUTTONS = 5
MENU_NAME_BYTES = 16
MENU_SUB_NAME_BYTES = 60
MENU_KEY_BYTES = 128
MENU_URL_BYTES = 1024

MASS_OPENIDS = range(2, 10_001)
MASS_A_MINUTE = 60  # calls of mass messaging, all kinds together
MASS_A_DAY = 100  # sendall and send together
MASS_MONTHLY_EACH = 4  # of a service account to one follower; more is left out in silence
CLIENT_ID_BYTES = 32
CLIENT_ID_REMEMBERED = timedelta(hours=24)
TEMPLATE_REMEMBERED = timedelta(minutes=10)

USER_PAGE = 10_000
USER_BATCH = 100


@dataclass(frozen=True, slots=True)
class Window:
    """How many customer-service messages a trigger allows, and for how long."""

    messages: int
    lasts: timedelta


MESSAGE_WINDOW = Window(5, timedelta(hours=48))
ACTION_WINDOW = Window(3, timedelta(minutes=1))
TAPS_THAT_OPEN = frozenset({"click", "scancode_push", "scancode_waitmsg"})

TAGS = 100  # of an account, beside WeChat's own
TAGS_EACH = 20  # of a follower
TAG_NAME_BYTES = 30
TAG_FANS_DELETED = 100_000  # with more followers a tag cannot be deleted
TAG_BATCH = 50
FIRST_OWN_TAG = 100  # smaller numbers are WeChat's own tags, such as the starred ones
WECHATS_OWN_TAGS = frozenset({"未分组", "黑名单", "星标组"})
BLOCKLIST_BATCH = 20
