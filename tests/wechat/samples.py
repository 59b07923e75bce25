"""One push of every kind WeChat documents; ``sample`` fills in who, to whom and when."""

_HEAD = (
    "<xml><ToUserName><![CDATA[{to}]]></ToUserName><FromUserName><![CDATA[{openid}]]></FromUserName>"
    "<CreateTime>{time}</CreateTime>"
)
_ID = "<MsgId>{msgid}</MsgId></xml>"

_MESSAGES = {
    "text": ("text", "<Content><![CDATA[this is a test]]></Content>"),
    "text_from_menu": ("text", "<Content><![CDATA[Yes]]></Content><bizmsgmenuid>101</bizmsgmenuid>"),
    "text_from_article": ("text", "<Content><![CDATA[你好]]></Content><MsgDataId>2247</MsgDataId><Idx>1</Idx>"),
    "text_emoji": ("text", "<Content><![CDATA[[微笑] 👩‍👩‍👧 <b>&amp; ]] > 1]]></Content>"),
    "image": ("image", "<PicUrl><![CDATA[http://mmbiz.qpic.cn/a?b=1&c=2]]></PicUrl><MediaId><![CDATA[m1]]></MediaId>"),
    "voice": (
        "voice",
        "<MediaId><![CDATA[m2]]></MediaId><Format><![CDATA[amr]]></Format><MediaId16K><![CDATA[m16]]></MediaId16K>"
        "<Recognition><![CDATA[]]></Recognition>",
    ),
    "voice_speex": ("voice", "<MediaId><![CDATA[m2]]></MediaId><Format><![CDATA[speex]]></Format>"),
    "video": ("video", "<MediaId><![CDATA[m3]]></MediaId><ThumbMediaId><![CDATA[t3]]></ThumbMediaId>"),
    "shortvideo": ("shortvideo", "<MediaId><![CDATA[m4]]></MediaId><ThumbMediaId><![CDATA[t4]]></ThumbMediaId>"),
    "location": (
        "location",
        "<Location_X>23.134521</Location_X><Location_Y>113.358803</Location_Y><Scale>20</Scale>"
        "<Label><![CDATA[位置信息]]></Label>",
    ),
    "link": (
        "link",
        "<Title><![CDATA[t]]></Title><Description><![CDATA[d]]></Description>"
        "<Url><![CDATA[https://example.org]]></Url>",
    ),
    "miniprogrampage": (
        "miniprogrampage",
        "<Title><![CDATA[t]]></Title><AppId><![CDATA[wx1234567890abcdef]]></AppId>"
        "<PagePath><![CDATA[pages/index]]></PagePath><ThumbUrl><![CDATA[https://example.org/t.jpg]]></ThumbUrl>"
        "<ThumbMediaId><![CDATA[t5]]></ThumbMediaId>",
    ),
    "file": (
        "file",
        "<Title><![CDATA[a.pdf]]></Title><Description><![CDATA[]]></Description><FileKey><![CDATA[k]]></FileKey>"
        "<FileMd5><![CDATA[1b5f7c23b5bf75682a53e7b6d163e185]]></FileMd5><FileTotalLen>1024</FileTotalLen>",
    ),
}

_CARD = "<CardId><![CDATA[pCard1]]></CardId>"
_CARD_CODE = _CARD + "<UserCardCode><![CDATA[12312312]]></UserCardCode>"
_SCANNED = (
    "<EventKey><![CDATA[6]]></EventKey><ScanCodeInfo><ScanType><![CDATA[{type}]]></ScanType>"
    "<ScanResult><![CDATA[1]]></ScanResult></ScanCodeInfo>"
)
_PICTURE = "<item><PicMd5Sum><![CDATA[1b5f7c23b5bf75682a53e7b6d163e185]]></PicMd5Sum></item>"
_PICTURES = (
    "<EventKey><![CDATA[6]]></EventKey><SendPicsInfo><Count>1</Count><PicList>" + _PICTURE + "</PicList></SendPicsInfo>"
)
_EXPIRES = "<ExpiredTime>1442401156</ExpiredTime>"
_FAILED = "<FailTime>1442401122</FailTime><FailReason><![CDATA[by time]]></FailReason>"
_USER = (
    "<OpenID><![CDATA[{openid}]]></OpenID><UnionID><![CDATA[u1]]></UnionID>"
    "<AppID><![CDATA[wx1234567890abcdef]]></AppID>"
)
_PRODUCT = "<KeyStandard><![CDATA[ean13]]></KeyStandard><KeyStr><![CDATA[6901481811083]]></KeyStr>"
_PLACE = "<Country><![CDATA[]]></Country><Province><![CDATA[]]></Province><City><![CDATA[]]></City><Sex>1</Sex>"

_EVENTS = {
    "subscribe": ("subscribe", "<EventKey><![CDATA[]]></EventKey>"),
    "subscribe_without_key": ("subscribe", ""),
    "subscribe_by_qrcode": (
        "subscribe",
        "<EventKey><![CDATA[qrscene_123123]]></EventKey><Ticket><![CDATA[TICKET]]></Ticket>",
    ),
    "subscribe_by_product": ("subscribe", "<EventKey><![CDATA[scanbarcode|ean13|6901481811083]]></EventKey>"),
    "subscribe_after_payment": ("subscribe", "<EventKey><![CDATA[last_trade_no_4200001]]></EventKey>"),
    "unsubscribe": ("unsubscribe", "<EventKey><![CDATA[]]></EventKey>"),
    "scan": ("SCAN", "<EventKey><![CDATA[123123]]></EventKey><Ticket><![CDATA[TICKET]]></Ticket>"),
    "location_report": (
        "LOCATION",
        "<Latitude>23.137466</Latitude><Longitude>113.352425</Longitude><Precision>119.385040</Precision>",
    ),
    "click": ("CLICK", "<EventKey><![CDATA[V1001]]></EventKey>"),
    "view": ("VIEW", "<EventKey><![CDATA[https://example.org/?a=1&b=2]]></EventKey><MenuId>466142396</MenuId>"),
    "view_miniprogram": (
        "view_miniprogram",
        "<EventKey><![CDATA[pages/index/index]]></EventKey><MenuId>466142396</MenuId>",
    ),
    "scancode_push": ("scancode_push", _SCANNED.replace("{type}", "qrcode")),
    "scancode_waitmsg": ("scancode_waitmsg", _SCANNED.replace("{type}", "barcode")),
    "pic_sysphoto": ("pic_sysphoto", _PICTURES),
    "pic_photo_or_album": ("pic_photo_or_album", _PICTURES.replace(_PICTURE, _PICTURE * 2)),
    "pic_weixin": ("pic_weixin", _PICTURES.replace("</item>", "</item></PicList><PicList>" + _PICTURE)),
    "location_select": (
        "location_select",
        "<EventKey><![CDATA[6]]></EventKey><SendLocationInfo><Location_X><![CDATA[23]]></Location_X>"
        "<Location_Y><![CDATA[113]]></Location_Y><Scale><![CDATA[15]]></Scale><Label><![CDATA[广州市]]></Label>"
        "<Poiname><![CDATA[]]></Poiname></SendLocationInfo>",
    ),
    "template_sent": (
        "TEMPLATESENDJOBFINISH",
        "<MsgID>200163836</MsgID><Status><![CDATA[failed: system failed]]></Status>",
    ),
    "mass_sent": (
        "MASSSENDJOBFINISH",
        "<MsgID>1000001625</MsgID><Status><![CDATA[send success]]></Status><TotalCount>100</TotalCount>"
        "<FilterCount>80</FilterCount><SentCount>75</SentCount><ErrorCount>5</ErrorCount>"
        "<CopyrightCheckResult><Count>1</Count><ResultList><item><ArticleIdx>1</ArticleIdx>"
        "<UserDeclareState>0</UserDeclareState><AuditState>2</AuditState>"
        "<OriginalArticleUrl><![CDATA[Url_1]]></OriginalArticleUrl><OriginalArticleType>1</OriginalArticleType>"
        "<CanReprint>1</CanReprint><NeedReplaceContent>1</NeedReplaceContent>"
        "<NeedShowReprintSource>1</NeedShowReprintSource></item></ResultList><CheckState>2</CheckState>"
        "</CopyrightCheckResult><ArticleUrlResult><Count>1</Count><ResultList><item><ArticleIdx>1</ArticleIdx>"
        "<ArticleUrl><![CDATA[Url]]></ArticleUrl></item></ResultList></ArticleUrlResult>",
    ),
    "published": (
        "PUBLISHJOBFINISH",
        "<PublishEventInfo><publish_id>2247503051</publish_id><publish_status>0</publish_status>"
        "<article_id><![CDATA[b5O2OUs25HBxRceL7hfReg]]></article_id><article_detail><count>1</count><item><idx>1</idx>"
        "<article_url><![CDATA[ARTICLE_URL]]></article_url></item></article_detail></PublishEventInfo>",
    ),
    "publish_failed": (
        "PUBLISHJOBFINISH",
        "<PublishEventInfo><publish_id>2247503051</publish_id><publish_status>2</publish_status>"
        "<fail_idx>1</fail_idx><fail_idx>2</fail_idx></PublishEventInfo>",
    ),
    "kf_create_session": ("kf_create_session", "<KfAccount><![CDATA[test1@test]]></KfAccount>"),
    "kf_close_session": ("kf_close_session", "<KfAccount><![CDATA[test1@test]]></KfAccount>"),
    "kf_switch_session": (
        "kf_switch_session",
        "<FromKfAccount><![CDATA[test1@test]]></FromKfAccount><ToKfAccount><![CDATA[test2@test]]></ToKfAccount>",
    ),
    "subscribe_msg_popup": (
        "subscribe_msg_popup_event",
        "<SubscribeMsgPopupEvent><List><TemplateId><![CDATA[VRR0]]></TemplateId>"
        "<SubscribeStatusString><![CDATA[accept]]></SubscribeStatusString><PopupScene>2</PopupScene></List><List>"
        "<TemplateId><![CDATA[VRR1]]></TemplateId><SubscribeStatusString><![CDATA[reject]]></SubscribeStatusString>"
        "<PopupScene>2</PopupScene></List></SubscribeMsgPopupEvent>",
    ),
    "subscribe_msg_change": (
        "subscribe_msg_change_event",
        "<SubscribeMsgChangeEvent><List><TemplateId><![CDATA[VRR0]]></TemplateId>"
        "<SubscribeStatusString><![CDATA[reject]]></SubscribeStatusString></List></SubscribeMsgChangeEvent>",
    ),
    "subscribe_msg_sent": (
        "subscribe_msg_sent_event",
        "<SubscribeMsgSentEvent><List><TemplateId><![CDATA[VRR0]]></TemplateId><MsgID>1700827132819554304</MsgID>"
        "<ErrorCode>0</ErrorCode><ErrorStatus><![CDATA[success]]></ErrorStatus></List></SubscribeMsgSentEvent>",
    ),
    "user_info_modified": ("user_info_modified", _USER),
    "user_authorization_revoke": ("user_authorization_revoke", _USER + "<RevokeInfo><![CDATA[301]]></RevokeInfo>"),
    "user_authorization_cancellation": ("user_authorization_cancellation", _USER),
    "qualification_verify_success": ("qualification_verify_success", _EXPIRES),
    "qualification_verify_fail": ("qualification_verify_fail", _FAILED),
    "naming_verify_success": ("naming_verify_success", _EXPIRES),
    "naming_verify_fail": ("naming_verify_fail", _FAILED),
    "annual_renew": ("annual_renew", _EXPIRES),
    "verify_expired": ("verify_expired", _EXPIRES),
    "card_pass_check": ("card_pass_check", _CARD),
    "card_not_pass_check": ("card_not_pass_check", _CARD + "<RefuseReason><![CDATA[reason]]></RefuseReason>"),
    "user_get_card": (
        "user_get_card",
        _CARD_CODE + "<IsGiveByFriend>1</IsGiveByFriend><FriendUserName><![CDATA[oFriend]]></FriendUserName>"
        "<OuterId>0</OuterId><OldUserCardCode><![CDATA[]]></OldUserCardCode><OuterStr><![CDATA[12b]]></OuterStr>"
        "<IsRestoreMemberCard>0</IsRestoreMemberCard><IsRecommendByFriend>0</IsRecommendByFriend>"
        "<UnionId><![CDATA[o6_b]]></UnionId>",
    ),
    "user_gifting_card": (
        "user_gifting_card",
        _CARD_CODE + "<IsReturnBack>0</IsReturnBack><FriendUserName><![CDATA[oFriend]]></FriendUserName>"
        "<IsChatRoom>0</IsChatRoom>",
    ),
    "user_del_card": ("user_del_card", _CARD_CODE),
    "user_enter_session_from_card": ("user_enter_session_from_card", _CARD_CODE),
    "submit_membercard_user_info": ("submit_membercard_user_info", _CARD_CODE),
    "user_view_card": ("user_view_card", _CARD_CODE + "<OuterStr><![CDATA[x]]></OuterStr>"),
    "user_consume_card": (
        "user_consume_card",
        _CARD_CODE + "<ConsumeSource><![CDATA[FROM_API]]></ConsumeSource><LocationName><![CDATA[]]></LocationName>"
        "<StaffOpenId><![CDATA[oStaff]]></StaffOpenId><VerifyCode><![CDATA[]]></VerifyCode>"
        "<RemarkAmount><![CDATA[]]></RemarkAmount><OuterStr><![CDATA[x]]></OuterStr>",
    ),
    "user_pay_from_pay_cell": (
        "user_pay_from_pay_cell",
        _CARD_CODE + "<TransId><![CDATA[10022403432015000000000]]></TransId><LocationId>291710000</LocationId>"
        "<Fee>10000</Fee><OriginalFee>10000</OriginalFee>",
    ),
    "update_member_card": (
        "update_member_card",
        _CARD_CODE + "<ModifyBonus>3</ModifyBonus><ModifyBalance>0</ModifyBalance>",
    ),
    "card_sku_remind": ("card_sku_remind", _CARD + "<Detail><![CDATA[stock below 200]]></Detail>"),
    "card_pay_order": (
        "card_pay_order",
        "<OrderId><![CDATA[404091456]]></OrderId><Status><![CDATA[ORDER_STATUS_FINANCE_SUCC]]></Status>"
        "<CreateOrderTime>1472527165</CreateOrderTime><PayFinishTime>0</PayFinishTime><Desc><![CDATA[]]></Desc>"
        "<FreeCoinCount><![CDATA[200]]></FreeCoinCount><PayCoinCount><![CDATA[0]]></PayCoinCount>"
        "<RefundFreeCoinCount><![CDATA[0]]></RefundFreeCoinCount><RefundPayCoinCount><![CDATA[0]]></RefundPayCoinCount>"
        "<OrderType><![CDATA[ORDER_TYPE_WXK]]></OrderType><Memo><![CDATA[]]></Memo><ReceiptInfo><![CDATA[]]></ReceiptInfo>",
    ),
    "wifi_connected": (
        "WifiConnected",
        "<ConnectTime>0</ConnectTime><ExpireTime>0</ExpireTime><VendorId><![CDATA[3001224419]]></VendorId>"
        "<PlaceId><![CDATA[1234]]></PlaceId><DeviceNo><![CDATA[00:1f:7a:ad:5c:a8]]></DeviceNo>",
    ),
    "poi_check_notify": (
        "poi_check_notify",
        "<UniqId><![CDATA[123adb]]></UniqId><PoiId><![CDATA[123123]]></PoiId><Result><![CDATA[fail]]></Result>"
        "<msg><![CDATA[xxx]]></msg>",
    ),
    "shake": (
        "ShakearoundUserShake",
        "<ChosenBeacon><Uuid><![CDATA[uuid]]></Uuid><Major>1</Major><Minor>1</Minor><Distance>0.057</Distance>"
        "</ChosenBeacon><AroundBeacons><AroundBeacon><Uuid><![CDATA[uuid]]></Uuid><Major>2</Major><Minor>2</Minor>"
        "<Distance>166.816</Distance></AroundBeacon></AroundBeacons>",
    ),
    "user_scan_product": ("user_scan_product", _PRODUCT + _PLACE + "<Scene>2</Scene>"),
    "user_scan_product_enter_session": ("user_scan_product_enter_session", _PRODUCT),
    "user_scan_product_async": ("user_scan_product_async", _PRODUCT + "<RegionCode><![CDATA[440105]]></RegionCode>"),
    "user_scan_product_verify_action": (
        "user_scan_product_verify_action",
        _PRODUCT + "<Result><![CDATA[verify_ok]]></Result><ReasonMsg><![CDATA[]]></ReasonMsg>",
    ),
    "user_authorize_invoice": (
        "user_authorize_invoice",
        "<SuccOrderId><![CDATA[1202933957956]]></SuccOrderId><FailOrderId><![CDATA[]]></FailOrderId>"
        "<AppId><![CDATA[wx1234567890abcdef]]></AppId><Source><![CDATA[web]]></Source>",
    ),
    "update_invoice_status": (
        "update_invoice_status",
        "<Status><![CDATA[INVOICE_REIMBURSE_INIT]]></Status>" + _CARD + "<Code><![CDATA[186921658591]]></Code>",
    ),
    "merchant_order": (
        "merchant_order",
        "<OrderId><![CDATA[test_order_id]]></OrderId><OrderStatus>2</OrderStatus><ProductId><![CDATA[test]]></ProductId>"
        "<SkuInfo><![CDATA[10001:1000012;10002:100021]]></SkuInfo>",
    ),
}

SAMPLES: dict[str, str] = {
    name: f"{_HEAD}<MsgType><![CDATA[{kind}]]></MsgType>{rest}{_ID}" for name, (kind, rest) in _MESSAGES.items()
} | {
    name: f"{_HEAD}<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[{event}]]></Event>{rest}</xml>"
    for name, (event, rest) in _EVENTS.items()
}


def sample(
    name: str,
    openid: str = "oFollower_1234567890-abcdefg",
    to: str = "gh_sim",
    time: int = 1714112445,
    msgid: int = 24_650_000_000_000_001,
) -> str:
    """The push of that name; ``time`` in Unix seconds, ``msgid`` above 2**53 to catch floats."""
    filled = SAMPLES[name].replace("{openid}", openid).replace("{to}", to)
    return filled.replace("{time}", str(time)).replace("{msgid}", str(msgid))
