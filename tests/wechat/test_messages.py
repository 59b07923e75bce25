"""What makes two pushes the same one."""

from bot.wechat.messages import Message


def event(name: str, **fields: object) -> Message:
    return Message("oA", "event", event=name, created_at=1714112445, fields={"CreateTime": "1714112445", **fields})


def test_a_repeat_is_the_same() -> None:
    assert event("click", EventKey="A").dedup_key == event("click", EventKey="A").dedup_key
    assert event("subscribe", EventKey="").dedup_key == event("subscribe", EventKey="").dedup_key


def test_two_events_of_one_second_are_two() -> None:
    keys = [
        event("click", EventKey="A"),
        event("click", EventKey="B"),
        event("view", EventKey="A"),
        event("masssendjobfinish", MsgID="1"),
        event("masssendjobfinish", MsgID="2"),
        event("publishjobfinish", PublishEventInfo={"publish_id": "1"}),
        event("publishjobfinish", PublishEventInfo={"publish_id": "2"}),
        event("user_get_card", CardId="p", UserCardCode="1"),
        event("user_get_card", CardId="p", UserCardCode="2"),
    ]
    assert len({each.dedup_key for each in keys}) == len(keys)


def test_a_number_that_means_nothing_makes_no_two_messages_one() -> None:
    events = [Message("oA", "event", event="click", created_at=1, msg_id="0", fields={"EventKey": key}) for key in "AB"]
    texts = [Message("oA", "text", text, created_at=1, msg_id="0", fields={"Content": text}) for text in "AB"]

    assert len({each.dedup_key for each in events + texts}) == 4
