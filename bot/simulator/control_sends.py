"""Under /sim/: what a referee of broadcasts asks, and what followers allow."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, request

from bot.simulator import consents, control_bodies, receipts, templates
from bot.simulator.control_reading import Unusable, check_follower, find_account, read
from bot.simulator.errors import Refusal
from bot.simulator.world import World

MOST_TWICE = 1000
KINDS = {"message": templates.MESSAGE, "one-time": templates.ONE_TIME, "long-term": templates.LONG_TERM}


def add_to(bp: Blueprint, world: World) -> None:
    @bp.get("/receipts")
    def count_receipts() -> dict[str, Any]:
        account = find_account(world, request.args.get("account", ""))
        text, kind = request.args.get("contains", ""), request.args.get("kind", "")
        with world.store.reading() as db:
            told = receipts.totals(db, account.account, text, kind, MOST_TWICE)
        return {"account": account.account, "contains": text, "kind": kind} | told

    @bp.get("/receipts/lines")
    def list_receipts() -> Response:
        account = find_account(world, request.args.get("account", ""))
        text, kind = request.args.get("contains", ""), request.args.get("kind", "")
        at_least = request.args.get("at_least", 1, type=int)
        at_most = request.args.get("at_most", 2**31, type=int)

        def lines() -> Iterator[bytes]:
            with world.store.reading() as db:
                yield from receipts.lines(db, account.account, text, kind, at_least, at_most)

        return Response(lines(), content_type="text/plain; charset=utf-8")

    @bp.get("/jobs")
    def list_jobs() -> dict[str, Any]:
        account = find_account(world, request.args.get("account", ""))
        with world.store.reading() as db:
            return {"account": account.account} | receipts.jobs(db, account.account)

    @bp.post("/templates")
    def add_template() -> dict[str, Any]:
        body = read(control_bodies.TemplateBody)
        account = find_account(world, body.account)
        try:
            with world.store.writing() as db:
                return {"template_id": templates.add(db, account.account, KINDS[body.kind], body.title, body.content)}
        except Refusal:
            raise Unusable(f"{account.account} has as many templates as WeChat allows.", 409) from None

    @bp.post("/consents")
    def consent() -> dict[str, Any]:
        body = read(control_bodies.ConsentBody)
        account = find_account(world, body.account)
        with world.store.reading() as db:
            check_follower(db, account, body.openid)
            try:
                templates.find(db, account.account, body.template_id, (templates.ONE_TIME, templates.LONG_TERM))
            except Refusal:
                raise Unusable(f"template_id: {account.account} has no such template for notices.", 404) from None
        left = consents.choose(
            world,
            account.account,
            body.openid,
            body.template_id,
            accept=body.accept,
            always=body.always,
            scene=body.scene,
            settings=body.settings,
        )
        return {"remaining": left}
