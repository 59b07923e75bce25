"""Test sends and recalls: work for campaigns that a person asked for and waits for."""

from sqlalchemy import select

from bot.database import reading, transaction
from bot.jobs.campaign_sending import deliver
from bot.services import campaign_tests, campaigns, tasks, tokens
from bot.services.tasks import Claimed
from bot.wechat import broadcasts, contents
from bot.wechat.contents import Stories
from models import Account, Batch, Channel, Follower


def send_test(claimed: Claimed) -> Claimed | None:
    """Send the real thing to one follower.

    Raises:
        WeChatError: what WeChat said of it.
    """
    with reading() as session:
        account = session.get_one(Account, claimed.account_id)
        campaign = campaigns.get(session, account, claimed.state["campaign_id"])
        follower = session.get_one(Follower, claimed.state["follower_id"])
        content = campaign_tests.preview(session, account, campaign, claimed.state["variant"], follower)
    client = tokens.client_for(account)
    try:
        if campaign.channel is Channel.MASS:
            draft_id = ""
            if isinstance(content, Stories):
                draft_id = broadcasts.add_draft(client, [story.model_dump() for story in content.articles])
            broadcasts.preview(client, contents.preview_body(content, draft_id), openid=follower.openid)
        else:
            deliver(client, follower.openid, content, f"test{claimed.task_id}-{claimed.attempts}")
    finally:
        client.close()
    with transaction() as session:
        tasks.finish(session, claimed)
    return None


def recall(claimed: Claimed) -> Claimed | None:
    """Take back one message after another.

    Raises:
        WeChatError: what WeChat said of it.
    """
    with reading() as session:
        account = session.get_one(Account, claimed.account_id)
        after = claimed.state.get("after", 0)
        query = select(Batch).where(Batch.campaign_id == claimed.state["campaign_id"], Batch.msg_id.is_not(None))
        batches = list(session.scalars(query.order_by(Batch.id)))
    batch = next((each for each in batches if each.id > after), None)
    if batch is None or batch.msg_id is None:
        with transaction() as session:
            tasks.finish(session, claimed)
        return None
    client = tokens.client_for(account)
    try:
        broadcasts.delete_mass(client, batch.msg_id)
    finally:
        client.close()
    with transaction() as session:
        state = {**claimed.state, "after": batch.id}
        return tasks.progress(session, claimed, done=claimed.done + 1, total=len(batches), state=state)
