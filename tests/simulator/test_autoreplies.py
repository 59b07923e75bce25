"""What the owner set on WeChat's own pages can be read, and answers while nobody else does."""

import pytest

RULES = {
    "is_add_friend_reply_open": 1,
    "is_autoreply_open": 1,
    "add_friend_autoreply_info": {"type": "text", "content": "欢迎"},
    "message_default_autoreply_info": {"type": "text", "content": "稍后回复"},
    "keyword_autoreply_info": {
        "list": [
            {
                "rule_name": "时间",
                "create_time": 1423028166,
                "reply_mode": "random_one",
                "keyword_list_info": [{"type": "text", "match_mode": "contain", "content": "营业"}],
                "reply_list_info": [{"type": "text", "content": "九点到九点"}],
            }
        ]
    },
}


def test_reads_nothing_and_then_what_was_set(sim):
    api = sim.api(sim.account(kind="subscription", verified=False))
    assert api.get("get_current_autoreply_info") == {"is_add_friend_reply_open": 0, "is_autoreply_open": 0}

    sim.post("/sim/autoreplies", account="tea", **RULES)

    assert api.get("get_current_autoreply_info") == RULES


@pytest.mark.parametrize(("text", "reply"), [("今天营业吗", "九点到九点"), ("你好", "稍后回复")])
def test_answers_messages(sim, text, reply):
    sim.account()
    sim.post("/sim/autoreplies", account="tea", **RULES)
    openid = sim.follower()

    assert sim.say(openid, text)["reply"]["text"] == reply
    assert [item["text"] for item in sim.inbox(openid)] == [reply]


def test_greets_who_follows(sim):
    sim.account()
    sim.post("/sim/autoreplies", account="tea", **RULES)

    done = sim.post("/sim/followers", account="tea", name="mei", follow=True)

    assert done["reply"]["text"] == "欢迎"
    assert sim.get("/sim/followers", account="tea")[0]["following"] is True
