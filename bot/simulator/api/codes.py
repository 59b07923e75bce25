"""Makes QR codes whose scene comes back when a phone scans them."""

from typing import Any

from bot.simulator import qrcodes
from bot.simulator.api.calls import Asked, Call
from bot.simulator.errors import Refusal
from bot.simulator.permissions import Allowed

LONGEST_SECONDS = 2_592_000
USUAL_SECONDS = 60
SCENE_CHARACTERS = 64
MOST_PERMANENT_NUMBER = 100_000

# action name: (the scene is a number, the code is permanent)
ACTIONS = {
    "QR_SCENE": (True, False),
    "QR_STR_SCENE": (False, False),
    "QR_LIMIT_SCENE": (True, True),
    "QR_LIMIT_STR_SCENE": (False, True),
}


def create(asked: Asked) -> dict[str, Any]:
    action = asked.body.get("action_name")
    if not isinstance(action, str) or action not in ACTIONS:
        raise Refusal(40052)
    is_number, is_permanent = ACTIONS[action]
    scene = _scene(asked.body.get("action_info"), is_number, is_permanent)
    seconds = asked.body.get("expire_seconds", USUAL_SECONDS)
    if not is_permanent and (isinstance(seconds, bool) or not isinstance(seconds, int)):
        raise Refusal(47001)
    if not is_permanent and not 0 < seconds <= LONGEST_SECONDS:
        raise Refusal(40097)
    with asked.world.store.writing() as db:
        code = qrcodes.create(
            db,
            asked.account.account,
            scene,
            is_number=is_number,
            now=asked.now,
            expires_at=None if is_permanent else asked.now + seconds,
        )
    if code is None:
        raise Refusal(45029)
    lasting = {} if is_permanent else {"expire_seconds": seconds}
    return {"ticket": code["ticket"], **lasting, "url": code["url"]}


def _scene(info: Any, is_number: bool, is_permanent: bool) -> str:
    scene = info.get("scene") if isinstance(info, dict) else None
    value = scene.get("scene_id" if is_number else "scene_str") if isinstance(scene, dict) else None
    if is_number:
        most = MOST_PERMANENT_NUMBER if is_permanent else 2**32 - 1
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
            raise Refusal(40053)
        return str(value)
    if not isinstance(value, str) or not 1 <= len(value) <= SCENE_CHARACTERS:
        raise Refusal(40053)
    return value


CALLS = (Call("/cgi-bin/qrcode/create", create, allowed=Allowed.VERIFIED_SERVICE, daily=100_000),)
