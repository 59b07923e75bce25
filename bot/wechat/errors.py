"""What went wrong with a call to WeChat, whether trying again helps, and what a person can do about it."""

import re

import requests
import urllib3

from bot import clock

_RID = re.compile(r"[\s,]*\brid:\s*([0-9a-fA-F-]{1,64})\s*$")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\s]+")
_IP = re.compile(r"\bip ([0-9a-fA-F.:]{2,45})")
_DAY = 86_400  # seconds
_CHINA = 8 * 3600  # seconds ahead of UTC; WeChat's daily quotas start anew at midnight there


class WeChatError(Exception):
    """WeChat refused, and the same call will be refused again: as a rule our request is wrong.

    Holds no token, secret or address with a query, and nothing is chained to it that would.
    """

    retry = False  # trying the same again later may help
    words = (
        "WeChat refused the request. Look the code up in WeChat's list of error codes.",
        "微信拒绝了这个请求，请在微信的错误码列表中查找该错误码。",
    )

    def __init__(self, errmsg: str = "", errcode: int | None = None, rid: str = "", call: str = "") -> None:
        """Args:
        errmsg: WeChat's own words, without the rid; ours when no answer came.
        errcode: None: the answer carried none, or there was none.
        rid: WeChat's name for this request, which its support asks for.
        call: the path, such as "/cgi-bin/message/custom/send".
        """
        super().__init__(errmsg)
        self.errmsg = errmsg
        self.errcode = errcode
        self.rid = rid
        self.call = call
        self.openids: list[str] = []  # of a list, those that were refused (45171); the others were not
        self.msg_id: int | None = None  # 45065: what the first call with this clientmsgid was given

    def __str__(self) -> str:
        code = "" if self.errcode is None else f"{self.errcode} "
        rid = f" (rid {self.rid})" if self.rid else ""
        return f"{self.call or 'WeChat'}: {code}{self.errmsg}{rid}"

    def advice(self, lang: str = "en") -> str:
        """What it means and what to do, for the people who run the account; "zh-CN" or English."""
        chinese = lang.lower().startswith("zh")
        words = _ADVICE.get(self.errcode, self.words) if self.errcode is not None else self.words
        if not self.address:
            return words[chinese]
        return words[chinese] + (f"（IP：{self.address}）" if chinese else f" (The address: {self.address}.)")

    @property
    def address(self) -> str:
        """This server's address as WeChat sees it, where it says so: it is not on the whitelist."""
        found = _IP.search(self.errmsg) if self.errcode in _WHITELIST else None
        return found[1] if found else ""


class WindowClosed(WeChatError):
    """This follower cannot be written to, or not now; sending this message again will not help."""


class TokenRefused(WeChatError):
    """The access token was refused, and so was the newer one."""

    retry = True


class QuotaReached(WeChatError):
    """A limit on calls is used up: ``retry_after`` says for how long."""

    retry = True

    @property
    def retry_after(self) -> float:
        """Seconds: a minute for the minute's limit (45011), else until midnight in China."""
        return 60.0 if self.errcode == 45011 else _DAY - (clock.timestamp() + _CHINA) % _DAY


class BadConfiguration(WeChatError):
    """The account or this server is not set up for it: stop calling until a person has changed that."""

    words = (
        "The address did not answer as WeChat does. Check LOBBY_WECHAT_URL and any proxy on the way.",
        "该地址的应答不是微信的应答，请检查 LOBBY_WECHAT_URL 以及中间的代理。",
    )


class Temporary(WeChatError):
    """WeChat is busy or down; nothing was done."""

    retry = True
    words = ("WeChat is busy or down. Try again in a while.", "微信系统繁忙，请稍后再试。")


class NotSent(Temporary):
    """No connection came about, so WeChat has certainly not seen the request."""

    words = (
        "WeChat could not be reached. Check this server's network, name service and clock.",
        "无法连接到微信，请检查服务器的网络、DNS 和时间。",
    )


class OutcomeUnknown(WeChatError):
    """The request went out and no readable answer came: WeChat may have acted on it or not.

    ``retry`` is True on calls that may be repeated without harm, never on a message.
    """

    words = (
        "WeChat's answer got lost, so it is not known whether it acted. Look before you repeat it.",
        "没有收到微信的有效应答，无法确定操作是否成功，请先确认再重试。",
    )


def refusal(errcode: int, errmsg: str, call: str) -> WeChatError:
    """The error for WeChat's own code, its rid taken out of the words."""
    errmsg = _UNPRINTABLE.sub(" ", errmsg).strip()
    rid = ""
    if found := _RID.search(errmsg):
        errmsg, rid = errmsg[: found.start()], found[1]
    return _kind(errcode)(errmsg[:300], errcode, rid, call)


def broken(error: Exception, call: str) -> WeChatError:
    """The error for a call that got no whole answer; none of the library's words, which hold the address."""
    cause: object = error.args[0] if error.args else None
    cause = getattr(cause, "reason", cause)
    if isinstance(cause, urllib3.exceptions.NameResolutionError):
        return NotSent("the name of the server is not known", call=call)
    if isinstance(error, requests.ConnectTimeout) or isinstance(cause, urllib3.exceptions.ConnectTimeoutError):
        return NotSent("no connection within the time allowed", call=call)
    if isinstance(cause, urllib3.exceptions.NewConnectionError):
        return NotSent("no connection", call=call)
    if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in repr(cause):
        return NotSent("the server's certificate is not to be trusted", call=call)
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return BadConfiguration("the address is not usable", call=call)
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError):
        return OutcomeUnknown("no answer within the time allowed", call=call)
    return OutcomeUnknown("the connection broke before the answer was complete", call=call)


def bad_status(status: int, call: str) -> WeChatError:
    """The error for an HTTP status other than 200."""
    # WeChat itself answers 200 with an errcode; anything else comes from a machine on the way.
    words = f"HTTP status {status}"
    if status in {500, 502, 504}:
        return OutcomeUnknown(words, call=call)  # a gateway passed the request on, and lost or gave up on the answer
    if status >= 500 or status in {408, 429}:
        return Temporary(words, call=call)
    if status < 300:
        return OutcomeUnknown(words, call=call)
    return BadConfiguration(words, call=call)


def _kind(errcode: int) -> type[WeChatError]:
    if errcode == -1 or 268_487_000 <= errcode < 268_489_000:
        return Temporary
    return _KINDS.get(errcode, WeChatError)


_WHITELIST = frozenset({40164, 61004})

_KINDS: dict[int, type[WeChatError]] = {
    code: kind
    for kind, codes in {
        WindowClosed: (40003, 43004, 43019, 43101, 45015, 45047, 48002, 50005, 70000),
        TokenRefused: (40001, 40014, 42001),
        QuotaReached: (45009, 45011, 45028),
        BadConfiguration: (
            *(40013, 40125, 40164, 40243, 41002, 41004, 43003, 45087, 48001, 48003, 48004, 50001, 50002, 50004),
            *(50007, 61003, 61004, 61007, 89501, 89503, 89504, 89505, 89506, 89507),
        ),
        Temporary: (42010, 45066, 45169, 61450, 61503),
    }.items()
    for code in codes
}

# Codes that mean the same thing to a person share a row: codes, English, Chinese.
_ROWS: tuple[tuple[tuple[int, ...], str, str], ...] = (
    # The account and its token
    (
        (40001, 40014, 42001),
        "The access token is no longer valid. Check the AppSecret, and whether another program fetches tokens too.",
        "access_token 已失效。请检查 AppSecret，以及是否有其他程序也在获取 token。",
    ),
    ((40002, 41001, 43001, 43002), "Our request has the wrong form. Please report this.", "请求格式有误，请反馈。"),
    ((40013, 41002), "The AppID is wrong. Copy it again from WeChat's console.", "AppID 有误，请从公众平台重新复制。"),
    (
        (40125, 41004),
        "The AppSecret is wrong. Reset it in WeChat's console and enter the new one.",
        "AppSecret 有误，请在公众平台重置后填入新的值。",
    ),
    ((40243,), "The AppSecret is frozen. Unfreeze it in WeChat's console.", "AppSecret 已被冻结，请在公众平台解冻。"),
    (
        (40164, 61004),
        "This server's address is not on the account's IP whitelist. Add it in WeChat's console.",
        "本服务器的 IP 不在公众号的 IP 白名单中，请在公众平台添加。",
    ),
    (
        (89501, 89503, 89504, 89505),
        "The account's administrator must allow this server's address first: see the message in WeChat.",
        "需要公众号管理员在微信中确认本服务器的 IP。",
    ),
    (
        (89506,),
        "The administrator refused this address; ask again in 24 hours.",
        "管理员已拒绝该 IP，24 小时后可再次申请。",
    ),
    (
        (89507,),
        "The administrator refused this address; ask again in an hour.",
        "管理员已拒绝该 IP，1 小时后可再次申请。",
    ),
    (
        (50001, 50002, 50004, 50007, 48004),
        "WeChat has restricted the account. See the notices in its console.",
        "公众号被限制使用，请查看公众平台的通知。",
    ),
    (
        (48001, 61003, 61007),
        "The account may not use this function. It needs verification, another account type or a permission.",
        "公众号没有该接口的权限，可能需要认证、其他账号类型或授权。",
    ),
    ((40200, 65306, 48008), "This kind of account does not support it.", "该类型的公众号不支持此功能。"),
    ((43003,), "WeChat takes https only. Check LOBBY_WECHAT_URL.", "微信只接受 https，请检查 LOBBY_WECHAT_URL。"),
    (
        (45009,),
        "The day's calls are used up. They start anew at midnight in China.",
        "当日调用次数已用完，次日零点恢复。",
    ),
    ((45011, 42010, 45066), "Too many calls in a minute. Wait a minute.", "调用过于频繁，请一分钟后再试。"),
    ((45028,), "The account's broadcasts for this period are used up.", "群发次数已用完。"),
    ((48003,), "Agree to the broadcast terms in WeChat's console first.", "请先在公众平台同意群发协议。"),
    (
        (-1, 61450, 61503, 268_487_001, 268_487_002, 268_488_001),
        "WeChat is busy or down. Try again in a while.",
        "微信系统繁忙，请稍后再试。",
    ),
    (
        (47001, 47002, 47003, 44002, 40097, 40033),
        "WeChat could not read our request. Please report this.",
        "微信无法解析请求，请反馈。",
    ),
    # Writing to a follower
    (
        (45015,),
        "The follower has not written lately or no longer follows. Wait until they write.",
        "用户近期没有互动或已取消关注，请等待用户主动发消息。",
    ),
    (
        (45047,),
        "All messages this follower's last action allowed are sent. Wait until they write again.",
        "本次互动允许的消息条数已用完，请等待用户再次发消息。",
    ),
    ((43004, 50005, 46004), "This person does not follow the account.", "该用户没有关注公众号。"),
    ((43019,), "The follower is on the blacklist. Take them off it first.", "用户在黑名单中，请先移出黑名单。"),
    ((48002,), "The follower has switched the account's messages off.", "用户已设置不接收公众号消息。"),
    ((43101,), "The follower has not agreed to this notification.", "用户没有订阅该通知。"),
    ((70000,), "WeChat holds the message back to protect minors.", "因未成年人保护，消息未发送。"),
    (
        (40003, 40031, 40132, 41009, 49003, 65302),
        "This openid is not one of this account's. Was it copied from another account?",
        "openid 不属于该公众号，是否来自其他公众号？",
    ),
    (
        (45087,),
        "WeChat has blocked the account's customer-service messages. See the notices in its console.",
        "客服消息已被微信封禁，请查看公众平台的通知。",
    ),
    ((45002,), "The text is too long: at most 2048 bytes, some 680 Chinese characters.", "内容过长，最多 2048 字节。"),
    ((45003, 40062), "The title is too long.", "标题过长。"),
    ((45004,), "The description is too long.", "描述过长。"),
    ((45005, 45006, 40039), "A link is too long.", "链接过长。"),
    ((40048, 40066, 41010), "A link is missing or not allowed.", "链接缺失或不被允许。"),
    ((45008,), "Only one article can be sent at a time.", "一次只能发送一篇图文。"),
    ((44003, 44004, 45166), "The message has no content WeChat can send.", "消息内容为空或不合规。"),
    (
        (40008, 45048, 45049, 45050, 45051, 45052, 45162),
        "This type of message cannot be sent this way.",
        "该类型的消息不能这样发送。",
    ),
    ((45098, 45099), "The message's menu is too long.", "菜单消息的选项过多或过长。"),
    (
        (40165, 40166, 45064),
        "The mini program is not linked to this account, or its page is wrong.",
        "小程序未关联或页面路径有误。",
    ),
    ((45072, 45081), "The typing sign is on already, or the command is wrong.", "“正在输入”已开启，或命令有误。"),
    ((45080,), "The typing sign needs a message within the last 30 seconds.", "30 秒内没有互动，无法显示“正在输入”。"),
    (
        (65400, 65401, 65402, 65413, 65414, 65415),
        "The service agent is not set up or not available.",
        "客服账号未设置好或不可用。",
    ),
    # Writing to many
    ((45065, 45067), "This was sent before, or its mark is too long.", "该消息已提交过，或 clientmsgid 过长。"),
    ((40130,), "A list needs two followers or more.", "群发列表至少需要两个用户。"),
    ((45113,), "Cards and goods can no longer be broadcast.", "卡券和商品已不能群发。"),
    ((48013, 48014, 48021, 48022), "This video or draft cannot be broadcast.", "该视频或草稿不能群发。"),
    ((40059, 40060, 40065, 40204), "This broadcast cannot be recalled.", "该群发不存在或不能删除。"),
    ((40036, 40037), "The account has no such template.", "公众号没有该模板。"),
    ((45026, 200012), "The account has 25 templates, which is the most.", "模板数量已达 25 个上限。"),
    ((41030,), "The notification's link is not allowed.", "通知的跳转链接不被允许。"),
    # Menus
    (
        (40015, 40017, 40024, 40119, 40120),
        "A button has a type that is unknown or not allowed there.",
        "菜单按钮的类型有误或不允许使用。",
    ),
    (
        (40016, 40022, 40023, 41007, 65308),
        "A menu has 1 to 3 buttons, each with an action or with 1 to 5 buttons below it.",
        "菜单须有 1 至 3 个按钮，每个按钮须有动作或 1 至 5 个子按钮。",
    ),
    (
        (40018, 40025),
        "A button's name is empty or too long: 16 bytes at the top, 60 below.",
        "按钮名称为空或过长：一级 16 字节，二级 60 字节。",
    ),
    ((40019, 40026), "A button's key is empty or above 128 bytes.", "按钮的 key 为空或超过 128 字节。"),
    ((40020, 40027), "A button's link is empty or above 1024 bytes.", "按钮的链接为空或超过 1024 字节。"),
    (
        (40054, 40055, 40155, 65317),
        "A button's link leads to an address WeChat does not allow.",
        "按钮链接的域名不被允许。",
    ),
    ((40117, 40118, 40121), "A button's media is missing or of the wrong type.", "按钮的素材缺失或类型不符。"),
    ((53600,), "The article of a button does not exist.", "按钮所用的文章不存在。"),
    ((40021, 46002, 46003), "The account has no menu made through the interface.", "公众号没有通过接口创建的菜单。"),
    ((40028, 65309, 65319), "The account's menu may not be changed now.", "公众号当前不能修改菜单。"),
    ((45010, 65305), "The account has too many menus.", "菜单数量已达上限。"),
    ((65301, 65307), "This conditional menu does not exist or is empty.", "个性化菜单不存在或为空。"),
    ((65303,), "Publish the usual menu first.", "请先发布默认菜单。"),
    (
        (65304, 65310, 65311, 65312, 65313, 65314, 65320),
        "The menu's condition is empty or one WeChat has retired: use a tag or the client's platform.",
        "个性化菜单的匹配条件为空或已下线，请使用标签或客户端平台。",
    ),
    ((65316,), "All conditional menus together may lead to three domains.", "所有个性化菜单最多跳转到 3 个域名。"),
    ((65318,), "The menu is not UTF-8. Please report this.", "菜单不是 UTF-8 编码，请反馈。"),
    # Followers and tags
    ((40032,), "Too many people in one call. Please report this.", "一次调用的用户过多，请反馈。"),
    ((40092,), "The remark is too long: below 30 bytes.", "备注过长，须少于 30 字节。"),
    ((45056,), "The account has 100 tags, which is the most.", "标签数量已达 100 个上限。"),
    (
        (45057,),
        "The tag has more than 100,000 followers; untag some first.",
        "标签下粉丝超过 10 万，请先移除部分粉丝。",
    ),
    ((45058,), "WeChat's own tags cannot be changed.", "不能修改系统标签。"),
    ((45059,), "The follower has 20 tags, which is the most.", "该粉丝的标签已达 20 个上限。"),
    ((45157,), "A tag of this name exists, or the name is not allowed.", "标签名重复或不被允许。"),
    ((45158,), "The tag's name is above 30 bytes.", "标签名超过 30 字节。"),
    ((45159, 40152), "This tag does not exist.", "标签不存在。"),
    ((45169, 45171), "Some followers could not be tagged just now. Try again.", "部分用户暂时无法打标签，请重试。"),
    # QR codes
    ((40052, 40053), "The QR code's type or scene is wrong: text of 1 to 64, or a number.", "二维码类型或场景值有误。"),
    ((45029,), "The account has 100,000 permanent QR codes, which is the most.", "永久二维码已达 10 万个上限。"),
    # Media
    (
        (40004, 40005, 40113, 40137),
        "WeChat does not take this kind of file: JPG, PNG, GIF, AMR, MP3 or MP4.",
        "不支持该文件格式，可用 JPG、PNG、GIF、AMR、MP3、MP4。",
    ),
    (
        (40006, 40009, 40010, 40011, 40012, 45001),
        "The file is too big: image 10 MB, voice 2 MB, video 10 MB, thumbnail 64 KB.",
        "文件过大：图片 10 MB、语音 2 MB、视频 10 MB、缩略图 64 KB。",
    ),
    ((45007,), "The recording is longer than 60 seconds.", "语音超过 60 秒。"),
    (
        (40007, 41006, 46001),
        "The file is no longer at WeChat: temporary ones last three days. Upload it again.",
        "素材已不存在（临时素材仅保存 3 天），请重新上传。",
    ),
    ((41005, 44001), "The file is empty.", "文件为空。"),
    ((45034, 45074), "The account's media library is full.", "素材数量已达上限。"),
    ((45060, 48005), "The file is in use by a menu or an automatic reply.", "素材正被菜单或自动回复使用。"),
)
_ADVICE: dict[int, tuple[str, str]] = {code: (en, zh) for codes, en, zh in _ROWS for code in codes}


def chinese() -> dict[str, str]:
    """Every English advice and its Chinese, for what was kept in English with a row."""
    kinds: list[type[WeChatError]] = [WeChatError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    return {kind.words[0]: kind.words[1] for kind in kinds} | {english: words for _codes, english, words in _ROWS}
