"""Whatever is at WeChat becomes what is wanted, and nothing is taken away before all that is new is there."""

from hypothesis import given
from hypothesis import strategies as st

from bot.services.menu_sets import Act, Conditional, MenuSet, at_fault, next_call, plain, read

BUTTONS = st.sampled_from([[{"name": name, "type": "click", "key": name}] for name in "abc"])
CONDITIONAL = st.builds(
    Conditional, BUTTONS, st.sampled_from([{"tag_id": "1"}, {"tag_id": "2"}, {"client_platform_type": "1"}])
)
WANTED = st.one_of(st.just(MenuSet()), st.builds(MenuSet, BUTTONS, st.lists(CONDITIONAL, max_size=5)))


class WeChat:
    """Newest first, as it tries them."""

    def __init__(self, menus: MenuSet) -> None:
        self.serial = 100
        self.buttons = menus.buttons
        self.conditional = [self._numbered(each) for each in reversed(menus.conditional)][::-1]

    def _numbered(self, menu: Conditional) -> Conditional:
        self.serial += 1
        return Conditional(menu.buttons, menu.matchrule, str(self.serial))

    def there(self) -> MenuSet:
        return MenuSet(self.buttons, list(self.conditional))

    def do(self, call, wanted: MenuSet) -> dict[str, int]:
        match call.act:
            case Act.CREATE:
                self.buttons = wanted.buttons
                return {"": 0}
            case Act.CLEAR:
                self.buttons, self.conditional = [], []
            case Act.DELETE:
                before = len(self.conditional)
                self.conditional = [each for each in self.conditional if each.menuid != call.menuid]
                assert len(self.conditional) == before - 1
            case Act.ADD:
                assert self.buttons, "65303"
                self.conditional.insert(0, self._numbered(wanted.conditional[call.at]))
                return {self.conditional[0].menuid: call.at}
        return {}


def work(wechat: WeChat, wanted: MenuSet, *, remembers: bool = True, room_first: bool = False) -> list[Act]:
    acts, made = [], {}
    for _round in range(30):
        call = next_call(wechat.there(), wanted, made, room_first=room_first)
        if call is None:
            return acts
        acts.append(call.act)
        made |= wechat.do(call, wanted) if remembers else (wechat.do(call, wanted) and {})
    raise AssertionError(f"never ends: {acts}")


def content(menus: list[Conditional]):
    return [(each.buttons, each.matchrule) for each in menus]


@given(WANTED, WANTED, st.booleans(), st.booleans())
def test_ends_at_what_is_wanted(before, wanted, remembers, room_first):
    wechat = WeChat(before)
    acts = work(wechat, wanted, remembers=remembers, room_first=room_first)

    assert wechat.buttons == wanted.buttons
    assert content(wechat.conditional) == content(wanted.conditional)
    assert work(wechat, wanted) == []
    if not room_first and Act.DELETE in acts:  # who is refused has taken nothing away
        assert Act.ADD not in acts[acts.index(Act.DELETE) :]
        assert Act.CREATE not in acts[acts.index(Act.DELETE) :]


@given(WANTED, WANTED, st.integers(0, 8))
def test_from_halfway_the_way_back_leads_to_what_was_there(before, wanted, steps):
    wechat = WeChat(before)
    snapshot, made = wechat.there(), {}
    for _step in range(steps):
        call = next_call(wechat.there(), wanted, made)
        if call is None or call.act in (Act.DELETE, Act.CLEAR):
            break  # from here on nothing is refused
        made |= wechat.do(call, wanted)

    acts = work(wechat, snapshot)

    assert Act.ADD not in acts
    assert wechat.buttons == before.buttons
    assert [each.menuid for each in wechat.conditional] == [each.menuid for each in snapshot.conditional]


def test_a_menu_that_wechat_words_otherwise_is_known_by_its_number():
    wanted = MenuSet([{"name": "a", "type": "view", "url": "https://a.b/?x&y"}])
    there = MenuSet([{"name": "a", "type": "view", "url": "https://a.b/?x&amp;y"}])

    assert next_call(there, wanted, {}).act is Act.CREATE
    assert next_call(there, wanted, {"": 0}) is None


def test_reads_both_numbers_and_texts():
    answer = {
        "menu": {"button": [{"name": "m", "sub_button": [{"type": "view", "name": "s", "url": "u"}]}]},
        "conditionalmenu": [
            {"button": [{"type": "click", "name": "x", "key": "k", "sub_button": []}], "matchrule": {"tag_id": 2},
             "menuid": 9},
            {"button": [], "matchrule": {"group_id": "3", "sex": ""}, "menuid": "10"},
        ],
    }  # fmt: skip

    menus = read(answer)

    assert menus.buttons == [{"name": "m", "sub_button": [{"type": "view", "name": "s", "url": "u"}]}]
    assert [(each.menuid, each.matchrule) for each in menus.conditional] == [
        ("10", {"tag_id": "3"}),
        ("9", {"tag_id": "2"}),
    ]
    assert read(None) == MenuSet()


def test_a_refusal_names_the_buttons_it_can_be_about():
    buttons = [
        {"name": "top", "type": "view", "url": "u"},
        {"name": "m", "sub_button": [{"name": "below", "type": "view", "url": "u"}, {"name": "k", "type": "click"}]},
    ]

    assert at_fault(buttons, 40055) == ["top"]
    assert at_fault(buttons, 40054) == ["below"]
    assert at_fault(buttons, 65317) == ["top", "below"]
    assert at_fault(buttons, 40018) == ["top", "m"]
    assert at_fault(buttons, 48001) == at_fault(buttons, None) == []
    assert plain(buttons)[0] == buttons[0]
