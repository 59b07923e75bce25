"""The peers, as their own documentation shows them: run in a venv of their own, served by the same server.

PEER names the one: werobot-echo, werobot-rules, wechatpy-echo.  RULES is a JSON list of [mode, text, reply].
"""

import json
import os
import re
from pathlib import Path

from flask import Flask, request

TOKEN, APPID, AES_KEY = os.environ["TOKEN"], os.environ["APPID"], os.environ["AES_KEY"]
app = Flask(__name__)


def always(reply):
    return lambda message: reply


def werobot(rules):
    from werobot import WeRoBot
    from werobot.contrib.flask import make_view

    # Its session would be written after every filter tried: switched off, to its advantage.
    robot = WeRoBot(token=TOKEN, app_id=APPID, encoding_aes_key=AES_KEY, enable_session=False)
    for mode, text, reply in rules:
        pattern = text if mode == "exact" else re.compile(f".*{text}" if mode == "contains" else f".*(?:{text})")
        robot.filter(pattern)(always(reply))
    robot.add_handler(lambda message: message.content, type="text")
    app.add_url_rule("/wechat/bench", "werobot", make_view(robot), methods=["GET", "POST"])


def wechatpy():
    from wechatpy import create_reply, parse_message
    from wechatpy.crypto import WeChatCrypto
    from wechatpy.utils import check_signature

    crypto = WeChatCrypto(TOKEN, AES_KEY, APPID)

    @app.post("/wechat/bench")
    def echo():
        given = request.args
        check_signature(TOKEN, given["signature"], given["timestamp"], given["nonce"])
        opened = crypto.decrypt_message(request.data, given["msg_signature"], given["timestamp"], given["nonce"])
        message = parse_message(opened)
        return crypto.encrypt_message(
            create_reply(message.content, message).render(), given["nonce"], given["timestamp"]
        )


match os.environ["PEER"]:
    case "werobot-echo":
        werobot([])
    case "werobot-rules":
        werobot(json.loads(Path(os.environ["RULES"]).read_text()))
    case "wechatpy-echo":
        wechatpy()
