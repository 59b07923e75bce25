"""A campaign's words for one follower: variables filled in, links counted; and what is wrong with them."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import clock
from bot.services import fields
from bot.services.rules import filled
from bot.settings import settings
from bot.wechat import limits
from bot.wechat.contents import Card, Content, ContentAdapter, Stories, Template, with_texts
from bot.wechat.messages import Text
from models import Account, Campaign, CampaignStatus, Channel, FieldValue, Follower, TrackedLink

# In a text a link ends where a space, a bracket or Chinese punctuation begins.
_URL = re.compile(r"https?://[^\s<>\"'，。；！？、（）【】《》]+")
_HREF = re.compile(r"""(<a\s[^>]*?href=["'])(https?://[^"']+)""", re.IGNORECASE)
_NAMED = re.compile(r"\{\{([^{}|]*)(\|[^{}]*)?\}\}")
FIELD = "field:"
OF_ACCOUNT = ("account", "date")  # the same for everybody
ALIKE = 0.9  # of 1: so much like an earlier one that it may be a slip
RECENT_DAYS = 7


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about a campaign; an error keeps it from being launched."""

    sentence: str  # with {named} gaps
    values: Mapping[str, object]
    is_error: bool = True
    variant: int = 0


def contents_of(campaign: Campaign) -> list[Content]:
    """What each variant says."""
    return [ContentAdapter.validate_python(variant["content"]) for variant in campaign.variants]


# Variables ------------------------------------------------------------------------------------------------------------


def names_in(content: Content) -> dict[str, bool]:
    """The variables a content uses, and whether each use has a fallback."""
    found: dict[str, bool] = {}

    def look(text: str) -> str:
        for name, otherwise in _NAMED.findall(text):
            found[name.strip()] = found.get(name.strip(), True) and bool(otherwise.strip("| "))
        return text

    with_texts(content, look)
    return found


def values_of(
    session: Session, account: Account, follower_ids: Collection[int], names: Collection[str], now: datetime
) -> dict[int, dict[str, str]]:
    """Follower → the value of each variable that is asked for."""
    local = now.astimezone(ZoneInfo(account.timezone))
    shared = {"account": account.title, "date": local.strftime("%Y-%m-%d")}
    nicknames: dict[int, str] = {}
    if "nickname" in names:
        rows = select(Follower.id, Follower.nickname).where(Follower.id.in_(follower_ids))
        nicknames = dict(session.execute(rows).all())
    found = {each: {**shared, "nickname": nicknames.get(each, "")} for each in follower_ids}
    wanted = {f"{FIELD}{field.name}": field for field in fields.list_all(session, account)}
    wanted = {name: field for name, field in wanted.items() if name in names}
    for values in found.values():
        values.update(dict.fromkeys(wanted, ""))
    of_field = {field.id: name for name, field in wanted.items()}
    if of_field:
        rows_of = select(FieldValue).where(
            FieldValue.follower_id.in_(follower_ids), FieldValue.field_id.in_(of_field.keys())
        )
        for value in session.scalars(rows_of):
            found[value.follower_id][of_field[value.field_id]] = _shown(value)
    return found


def known_names(session: Session, account: Account) -> list[str]:
    """The variables this account has."""
    return ["nickname", *OF_ACCOUNT, *(f"{FIELD}{field.name}" for field in fields.list_all(session, account))]


def _shown(value: FieldValue) -> str:
    if value.day is not None:
        return value.day.isoformat()
    if value.number is not None:
        return f"{value.number:g}"
    return value.text or ""


# Links ----------------------------------------------------------------------------------------------------------------


def links_in(content: Content) -> list[str]:
    """The addresses a content leads to, in order, each once."""
    found: dict[str, None] = {}

    def note(url: str) -> str:
        found[url] = None
        return url

    _with_links(content, note)
    return list(found)


def code_for(campaign: Campaign, variant: int, number: int) -> str:
    """The code of a campaign's link: the same for the same launch, guessed by nobody."""
    key = f"{campaign.salt}:{variant}:{number}".encode()
    return blake2b(key, digest_size=8, key=settings().secret_key.get_secret_value().encode()[:64]).hexdigest()[:12]


def codes_of(session: Session, campaign: Campaign) -> dict[int, dict[str, str]]:
    """Variant → address → the code that counts it."""
    found: dict[int, dict[str, str]] = {}
    for link in session.scalars(select(TrackedLink).where(TrackedLink.campaign_id == campaign.id)):
        found.setdefault(link.variant, {})[link.url] = link.code
    return found


def address_of(code: str, follower_id: int | None = None) -> str:
    """Where a link is opened; with a follower, so that their click is known to be theirs."""
    whose = f".{follower_id}.{sign(code, follower_id)}" if follower_id is not None else ""
    return f"{settings().base_url}/l/{code}{whose}"


def sign(code: str, follower_id: int) -> str:
    """Nobody clicks for somebody else."""
    key = settings().secret_key.get_secret_value().encode()[:64]
    return blake2b(f"{code}:{follower_id}".encode(), digest_size=6, key=key).hexdigest()


def _with_links(content: Content, swap: Callable[[str], str]) -> Content:
    match content:
        case Text():
            return content.model_copy(update={"text": _URL.sub(lambda found: swap(found[0]), content.text)})
        case Card():
            return content.model_copy(update={"url": swap(content.url)})
        case Template() if content.url:
            return content.model_copy(update={"url": swap(content.url)})
        case Stories():
            stories = tuple(
                story.model_copy(
                    update={
                        "content": _HREF.sub(lambda found: found[1] + swap(found[2]), story.content),
                        "content_source_url": story.content_source_url and swap(story.content_source_url),
                    }
                )
                for story in content.articles
            )
            return content.model_copy(update={"articles": stories})
        case _:
            return content


# For one follower -----------------------------------------------------------------------------------------------------


def render(
    content: Content, values: Mapping[str, str], codes: Mapping[str, str], follower_id: int | None = None
) -> Content:
    """What one follower (None: everybody alike) reads: the one renderer of sender, test send and preview."""
    if codes:
        content = _with_links(content, lambda url: address_of(codes[url], follower_id) if url in codes else url)
    return with_texts(content, lambda text: filled(text, dict(values)) if "{{" in text else text)


# What is wrong --------------------------------------------------------------------------------------------------------


def lint(
    session: Session, account: Account, campaign: Campaign, samples: Sequence[Mapping[str, str]] = ()
) -> list[Problem]:
    """All that is wrong with the words; ``samples`` are values of followers, the worst cases among them."""
    known = set(known_names(session, account))
    found: list[Problem] = []
    for at, content in enumerate(contents_of(campaign)):
        for name, has_fallback in names_in(content).items():
            if name not in known:
                found.append(Problem("There is no variable {{{{{name}}}}}.", {"name": name}, True, at))
            elif campaign.channel is Channel.MASS and name not in OF_ACCOUNT:
                sentence = "A mass message says the same to everybody: {{{{{name}}}}} works on other channels only."
                found.append(Problem(sentence, {"name": name}, True, at))
            elif not has_fallback and name not in OF_ACCOUNT and any(not one.get(name) for one in samples):
                sentence = "Some followers have no {name}: write {{{{{name}|…}}}} with what they read instead."
                found.append(Problem(sentence, {"name": name}, campaign.channel is Channel.TEMPLATE, at))
        for values in samples or [dict.fromkeys(known, "")]:
            size = len(text.encode()) if (text := _text(render(content, values, {}))) else 0
            if size > limits.TEXT_BYTES:
                sentence = "For some followers the text has {bytes} bytes; WeChat takes {max}."
                found.append(Problem(sentence, {"bytes": size, "max": limits.TEXT_BYTES}, True, at))
                break
            if isinstance(content, Text) and not text.strip():
                found.append(Problem("For some followers nothing is left of the text.", {}, True, at))
                break
    return found + _alike(session, campaign)


def _alike(session: Session, campaign: Campaign) -> list[Problem]:
    """An earlier campaign of these days that says nearly the same."""
    since = clock.now().timestamp() - RECENT_DAYS * 86_400
    ours = [_plain(variant["content"]) for variant in campaign.variants]
    sent = (CampaignStatus.SENDING, CampaignStatus.PAUSED, CampaignStatus.FINISHED, CampaignStatus.SCHEDULED)
    others = select(Campaign).where(
        Campaign.account_id == campaign.account_id,
        Campaign.status.in_(sent),
        Campaign.id != campaign.id,
        Campaign.launched_at >= datetime.fromtimestamp(since, clock.now().tzinfo),
    )
    for other in session.scalars(others.order_by(Campaign.launched_at.desc()).limit(20)):
        theirs = [_plain(variant["content"]) for variant in other.variants]
        if any(one and SequenceMatcher(None, one, two).quick_ratio() >= ALIKE and
               SequenceMatcher(None, one, two).ratio() >= ALIKE for one in ours for two in theirs):  # fmt: skip
            sentence = "“{name}” of the last days says nearly the same."
            return [Problem(sentence, {"name": other.name}, False)]
    return []


def worst_cases(session: Session, account: Account, found: Any, names: Collection[str]) -> list[int]:
    """Followers out of a query of ids to preview with: one whose name is missing, and the one with the longest."""
    whom = select(Follower.id).where(Follower.id.in_(found))
    missing = session.scalar(whom.where(Follower.nickname == "").limit(1))
    longest = session.scalar(whom.order_by(func.length(Follower.nickname).desc(), Follower.id).limit(1))
    return list(dict.fromkeys(each for each in (missing, longest) if each is not None))


def _text(content: Content) -> str:
    return content.text if isinstance(content, Text) else ""


def _plain(content: dict[str, Any]) -> str:
    """All the words of a content, to compare."""
    if content["kind"] == "articles":
        return " ".join(story["title"] for story in content["articles"])
    return str(content.get("text") or content.get("title") or sorted((content.get("values") or {}).items()) or "")
