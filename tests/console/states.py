"""Pages in states that no address alone leads to: half connected, refused, empty, a moment after a button."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from playwright.sync_api import Page
from sqlalchemy import select

from bot import clock
from bot.database import transaction
from bot.services import (
    account_health,
    api_tokens,
    audit,
    auto_tags,
    checks,
    conversations,
    menus,
    operators,
    rules,
    second_factor,
    takeovers,
)
from bot.services.auto_tags import AutoTagDraft
from bot.services.rules import RuleDraft
from bot.wechat.errors import refusal
from models import Account, Conversation, Label, Operator, Role, Takeover, Task, TaskStatus, Trigger
from tests.console.samples import CONDITIONAL, CONSOLE_MENU, CONSOLE_REPLIES, MENU, RULES, TeaHouse
from tests.factories import Create

PASSWORD = "a quiet cup of tea"
NOT_LISTED = "invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist"


def stay(page: Page) -> None:
    """The address alone is enough."""


def press(form: str) -> Callable[[Page], None]:
    """Send the first form with this in its address."""
    return lambda page: page.locator(f'form[action*="{form}"] button').first.click()


def unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details.disclose').forEach(each => each.open = true)")


def make_token(page: Page) -> None:
    page.fill("#f-name", "小程序后台")
    for scope in ("rules:read", "followers:read", "sends:write"):
        page.check(f'[value="{scope}"]')
    page.locator(".form .btn.primary").click()


def mistype_password(page: Page) -> None:
    page.fill("#f-current", "wrong wrong wrong")
    page.fill("#f-password", "short sentence")
    page.locator(".form .btn.primary").click()


def sign_in(name: str, password: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        page.fill("#f-name", name)
        page.fill("#f-password", password)
        page.locator(".btn.primary").click()

    return act


def mistype_code(page: Page) -> None:
    sign_in("careful", PASSWORD)(page)
    page.fill("#f-code", "000000")
    page.locator(".btn.primary").click()


def switch_on(page: Page) -> None:
    secret = page.locator(".secret code").inner_text()
    page.fill("#f-code", _code(secret))
    page.locator("main .btn.primary").click()
    page.locator(".scopes").wait_for()
    with transaction() as session:  # the next picture begins anew
        second_factor.switch_off(session, session.scalars(select(Operator).where(Operator.name == "again")).one())


@dataclass(frozen=True)
class State:
    path: str
    act: Callable[[Page], None] = stay
    who: str = "owner"  # "": nobody


STATES = {
    "connect, nothing entered": State("/new/connect"),
    "connect, keys shown": State("/tea-house/connect", press("/connect/reveal")),
    "connect, taken over": State("/branch/connect"),
    "abilities of a subscription account": State("/new/abilities"),
    "conversations, none": State("/new/conversations"),
    "messages, none found": State("/tea-house/conversations/search?search=退款"),
    "messages, too little asked": State("/tea-house/conversations/search?search=退"),
    "report, three weeks": State("/branch/conversations/report"),
    "report, nothing": State("/new/conversations/report"),
    "report, no days": State("/tea-house/conversations/report?since=2026-13-01"),
    "conversations, closed": State("/tea-house/conversations?show=closed"),
    "conversation, closed": State("/tea-house/conversations/3?show=closed"),
    "audit, before and after": State("/tea-house/audit", unfold),
    "audit, nothing": State("/new/audit?kind=stages"),
    "token, just made": State("/tea-house/tokens", make_token),
    "tokens, refused": State("/tea-house/tokens", lambda page: page.locator(".form .btn.primary").click()),
    "accounts, none for you": State("/accounts", who="nobody"),
    "profile with a second step": State("/profile", who="careful"),
    "profile, refused": State("/profile", mistype_password, who="careful"),
    "not allowed": State("/tea-house/settings", who="小美"),
    "sign-in, refused": State("/sign-in", sign_in("nobody", "wrong wrong"), who=""),
    "sign-in, code": State("/sign-in", sign_in("careful", PASSWORD), who=""),
    "sign-in, wrong code": State("/sign-in", mistype_code, who=""),
    "sign-in by a link": State("/sign-in/{link}", who=""),
    "sign-in by a link that is gone": State("/sign-in/gone", who=""),
    "recovery codes": State("/profile/second-factor", switch_on, who="again"),
}


def arrange(create: Create, house: TeaHouse) -> tuple[dict[str, str], str]:
    """What the states need beside the tea house; returns name → cookie, and the secret of a sign-in link."""
    session = create.session
    create.account("new", title="新开的店", appid="", secret="", original_id="", kind="subscription", is_verified=False)
    branch = create.account("branch", title="云上茶舍·南京西路分店")
    session.add(Takeover(account_id=branch.id, selfmenu=CONSOLE_MENU, autoreply=CONSOLE_REPLIES))
    session.flush()
    takeovers.approve(session, branch, takeovers.latest(session, branch).id, "小美")
    branch.verified_at = clock.now()
    error = refusal(40164, NOT_LISTED, "/cgi-bin/token")
    found = [
        checks.fail(
            "IP whitelist",
            "{advice}",
            "Add the address under “IP whitelist” in WeChat's console.",
            advice=error,
            address=error.address,
        ),
        checks.warn("Rights", "Not known before WeChat was asked.", ""),
        checks.ok("Time", "The clock agrees with WeChat's."),
    ]
    kept = {"checks": [checks.kept(each) for each in found]}
    done = {"status": TaskStatus.DONE, "finished_at": clock.now(), "done": 3, "total": 3}
    session.add(Task(account_id=branch.id, kind=account_health.CHECK, state=kept, **done))
    conversations.hand_back(session, house.account, conversations.get(session, house.account, 3))
    api_tokens.create(session, account=house.account, name="report", scopes=["rules:read", "followers:read"])
    session.info.clear()  # or the whole house is told in the next record
    rules.save(session, house.account, RuleDraft.model_validate(RULES[2] | {"title": "价目表"}), house.rules[2])
    auto_tags.save(
        session, house.account, AutoTagDraft(trigger=Trigger.KEYWORD, pattern="团购", tag_id=house.tags[0].id)
    )
    menus.save(session, house.account, MENU[:2], CONDITIONAL)
    audit.record(session, "rules.edit", "", account_id=house.account.id, operator_id=1)
    audit.record(session, "people.role", "小美", before={"role": "agent"}, after={"role": "editor"})
    three_weeks(create, branch)
    session.commit()

    careful = create.operator("careful", PASSWORD, role=Role.AGENT, account=house.account)
    second_factor.enrol(session, careful, secret := second_factor.new_secret(), _code(secret))
    for device in ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) AppleWebKit/605 Safari/604", "Firefox"):
        operators.sign_in(session, careful, device)
    create.operator("nobody", PASSWORD, role=None)
    create.operator("again", PASSWORD, role=Role.AGENT, account=house.account)
    who = [operators.find(session, name) for name in ("owner", "careful", "nobody", "again", "小美")]
    cookies = {each.name: operators.sign_in(session, each, "Chromium") for each in who if isinstance(each, Operator)}
    link = operators.sign_in_link(session, careful)
    session.commit()
    return cookies, link.rsplit("/", 1)[-1]


def three_weeks(create: Create, account: Account, people: int = 3) -> None:
    """Conversations of some followers, most of them answered, all closed, some labelled."""
    session, now = create.session, clock.now()
    labels = [Label(account_id=account.id, name=name) for name in ("退款", "预约")]
    agents = [create.operator(f"{account.slug} {n}", role=None).id for n in range(2)]
    followers = [create.follower(account, remark=f"茶友 {n}").id for n in range(people)]
    session.add_all(labels)
    session.flush()
    for at in range(30):
        opened = now - timedelta(hours=17 * at + 1)
        row = Conversation(
            account_id=account.id,
            follower_id=followers[at % people],
            assignee_id=[None, *agents][at % 3],
            opened_at=opened,
            first_replied_at=opened + timedelta(minutes=at) if at % 4 else None,
            closed_at=opened + timedelta(minutes=50 + at * at % 37),
        )
        row.labels = labels[: at % 3]
        session.add(row)
    session.commit()


def _code(secret: str) -> str:
    return second_factor.code_at(secret, int(clock.now().timestamp()) // second_factor.STEP_SECONDS)
