"""/moments/api/v1/me/code, /me/password, /sign-ins: being found, and who is signed in."""

from datetime import datetime
from typing import Annotated, Any

from flask import request
from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.moments import addresses, codes, members
from bot.moments.api.contract import COOKIE, In, Out, endpoint, replace_password


class Code(Out):
    """How others find you in person."""

    code: Annotated[str | None, Field(description="null: none yet; make one")]
    address: Annotated[str, Field(description="what the QR code holds")]
    svg: Annotated[str, Field(description="the QR code")]


class PasswordChange(In):
    old: Annotated[str, Field(max_length=300, description="empty if you have none yet")] = ""
    new: Annotated[str, Field(max_length=300)]


class SignIn(Out):
    id: str
    device: str
    at: datetime
    is_this: Annotated[bool, Field(description="the browser that asks")]


class SignIns(Out):
    items: list[SignIn]


@endpoint("GET", "/me/code", scope="profile:read", summary="Your code, for others to add you", returns=Code)
def my_code(session: Session, me: models.Member) -> dict[str, Any]:
    return _code(me.code)


@endpoint("POST", "/me/code", scope="profile:write", summary="A new code; the old one ends", returns=Code)
def renew_code(session: Session, me: models.Member) -> dict[str, Any]:
    return _code(members.renew_code(session, me))


@endpoint(
    "PUT",
    "/me/password",
    scope="profile:write",
    summary="Change the password; all tokens and other browsers' sign-ins end",
    body=PasswordChange,
    status=204,
    is_slow=True,
)
def change_password(me: models.Member, body: PasswordChange) -> None:
    replace_password(me, body.old, body.new)


@endpoint("GET", "/sign-ins", scope="profile:read", summary="List your signed-in browsers", returns=SignIns)
def list_sign_ins(session: Session, me: models.Member) -> dict[str, Any]:
    found = members.sign_ins(session, me, request.cookies.get(COOKIE, ""))
    return {
        "items": [
            {"id": addresses.of("signin", each.id), "device": each.device, "at": each.created_at, "is_this": is_this}
            for each, is_this in found
        ]
    }


@endpoint("DELETE", "/sign-ins/<signin>", scope="profile:write", summary="Sign a browser out", status=204)
def end_sign_in(session: Session, me: models.Member, signin_id: int) -> None:
    members.end_sign_in(session, me, signin_id)


def _code(code: str | None) -> dict[str, Any]:
    return {
        "code": code,
        "address": codes.address(code) if code else "",
        "svg": codes.picture(code) if code else "",
    }
