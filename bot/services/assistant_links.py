"""The signed address of one answer's page, good for two days."""

from itsdangerous import BadSignature, SignatureExpired, TimestampSigner, URLSafeTimedSerializer

from bot import clock
from bot.settings import settings

SECONDS = 48 * 3600


class _Signer(TimestampSigner):
    def get_timestamp(self) -> int:
        return int(clock.timestamp())


def address(answer_id: int) -> str:
    return f"{settings().base_url}/p/answers/{_serializer().dumps(answer_id)}"


def read(signed: str) -> int | None:
    """The answer's id; None: not ours, changed, or too old."""
    try:
        answer_id = _serializer().loads(signed, max_age=SECONDS)
    except (BadSignature, SignatureExpired):
        return None
    return answer_id if isinstance(answer_id, int) else None


def _serializer() -> URLSafeTimedSerializer:
    secret = settings().secret_key.get_secret_value()
    return URLSafeTimedSerializer(secret, salt="lobby answers", signer=_Signer)
