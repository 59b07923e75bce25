"""What the audit log holds, in the operator's words."""

from collections.abc import Callable
from typing import Any

from bot.console import words
from bot.console.language import _
from models import MatchMode


def audit_kinds() -> dict[str, str]:
    """What an action in the audit log begins with → what it is about."""
    return {
        "accounts": _("Settings"),
        "rules": _("Automatic replies"),
        "menus": _("Menu"),
        "followers": _("Followers"),
        "segments": _("Segments"),
        "campaigns": _("Campaigns"),
        "assistant": _("Assistant"),
        "stages": _("Stages"),
        "fields": _("Fields"),
        "conversations": _("Conversations"),
        "labels": _("Labels"),
        "canned_replies": _("Canned replies"),
        "sends": _("Messages"),
        "people": _("People"),
        "operators": _("Sign-in"),
        "tokens": _("API tokens"),
        "tags": _("Tags"),
        "takeovers": _("Connect"),
        "moments": "Moments",
        "callback": _("WeChat's calls"),
    }


def column(name: str, value: Any = None) -> str:
    """What an audit record calls a column by → its name; one nobody named here is shown as it is."""
    if name == "mode" and value in list(MatchMode):  # an automatic tag's; an account has one too
        return _("How the words fit")
    known = {
        "name": _("Name"),
        "title": _("Name"),
        "role": _("Role"),
        "is_active": _("may sign in"),
        "scopes": _("May do"),
        "revoked_at": _("revoked"),
        "remark": _("Remark"),
        "blocked_at": _("blocked"),
        "opted_out_at": _("Opted out of campaigns"),
        "pattern": _("Words, menu key or scene"),
        "channel": _("Channel"),
        "reach": _("Who gets it"),
        "to_everyone": _("everyone who follows"),
        "segment_id": _("Segment"),
        "excluded_ids": _("Not to these segments"),
        "variants": _("Variants"),
        "held_out": _("Held out, per cent"),
        "starts": _("Begins"),
        "in_own_zone": _("At that hour where each follower lives"),
        "quiet_from": _("Quiet from"),
        "quiet_until": _("Quiet until"),
        "missed_minutes": _("Ask me if it is late by more than (minutes)"),
        "pace": _("Messages a second, at most"),
        "ignores_cap": _("Also to those who had enough lately"),
        "goal": _("What counts as a success"),
        "status": _("State"),
        "approved_by": _("Approved by"),
        "stage_id": _("Stage"),
        "owner_id": _("Contact owner"),
        "choices": _("Choices"),
        "buttons": _("Menu"),
        "conditional": _("Menus for some followers"),
        "trigger": _("What happens"),
        "keywords": _("Keywords"),
        "reply_mode": _("Which reply"),
        "is_verified": _("Verified by WeChat"),
        "slug": _("Address"),
        "starts_on": _("From day"),
        "ends_on": _("To day"),
        "time_from": _("From hour"),
        "time_to": _("To hour"),
        "tag_id": _("Followers with the tag"),
        "replies": _("Replies"),
        "is_enabled": _("switched on"),
        "kind": _("Kind"),
        "timezone": _("Time zone"),
        "human_words": _("Words that ask for a person"),
        "human_reply": _("What the bot says then"),
        "handover_minutes": _("Minutes until the bot answers again"),
        "signs_members_in": _("People may sign in to Moments through this account"),
        "cap_messages": _("Campaign messages to one follower, at most"),
        "cap_days": _("Within so many days"),
        "approval_above": _("A second person approves above"),
        "opt_out_words": _("Words that opt out of campaigns"),
        "opt_out_reply": _("What is answered to who opts out"),
        "opt_in_words": _("Words that opt in again"),
        "opt_in_reply": _("What is answered to who opts in again"),
        "sealed_secret": "AppSecret",
        "sealed_token": _("Token"),
        "sealed_aes_key": "EncodingAESKey",
        "appid": "AppID",
        "original_id": _("Original id"),
        "mode": _("How WeChat sends messages"),
        "group_name": _("Group"),
        "conditions": _("Conditions"),
        "number": _("Version"),
        "url": _("Address of its API"),
        "model": _("Model"),
        "sealed_key": _("Key"),
        "is_streamed": _("Let it stream"),
        "prompt": _("Tell it who it is, in your words"),
        "prefix": _("Only texts that begin with"),
        "turns": _("Turns it remembers"),
        "max_tokens": _("Tokens of one answer, at most"),
        "fallback_reply": _("What is said when it cannot answer"),
        "link_reply": _("What is said before a link to the answer"),
        "signature": _("Put below each answer"),
        "words_in": _("In a question"),
        "words_out": _("In an answer"),
        "follower_messages": _("Questions of one follower"),
        "account_messages": _("Questions in all"),
        "follower_tokens": _("Tokens for one follower"),
        "account_tokens": _("Tokens in all"),
        "follower_fen": _("Fen for one follower"),
        "account_fen": _("Fen in all"),
        "price_in_fen": _("Fen for a million tokens read"),
        "price_out_fen": _("Fen for a million tokens written"),
        "passages": _("Passages"),
    }
    return known.get(name, name)


def recorded(name: str, value: Any) -> str:
    """A value in an audit record, for people: each of a list on its own line."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return "\n".join(recorded(name, each) for each in value)
    worded = _worded(name, value)
    if isinstance(value, dict) and not worded:
        return " · ".join(recorded(name, each) for each in value.values() if each)
    return worded or str(value)


def _worded(name: str, value: Any) -> str:
    """ "" where the words of today do not know it: what was recorded long ago must not break the page."""
    ways: dict[str, Callable[[Any], str]] = {
        "role": words.role,
        "trigger": words.trigger,
        "mode": words.match if value in list(MatchMode) else words.mode,
        "keywords": _keyword,
        "replies": words.reply_line,
        "reply_mode": _which,
        "buttons": _button,
        "conditional": _menu,
    }
    try:
        return ways[name](value)
    except (AttributeError, KeyError, TypeError, ValueError):
        return ""


def _keyword(keyword: dict[str, str]) -> str:
    return f"{words.match(keyword['mode'])} {keyword['text']}"


def _which(mode: str) -> str:
    return _("Send one at random") if mode == "random" else _("Send all of them")


def _menu(menu: dict[str, Any]) -> str:
    return "\n".join([words.menu_name(menu, {}), *(f"　{_button(each)}" for each in menu["buttons"])])


def _button(button: dict[str, Any]) -> str:
    return "\n".join(
        [words.menu_action(button), *("　" + words.menu_action(sub) for sub in button.get("sub_button", []))]
    )


def audit_action(value: str) -> str:
    """“rules.switch” as the log has it; an action nobody named here is shown as it is."""
    known = {
        "people.invite": _("Invited"),
        "people.role": _("Changed the role of"),
        "people.remove": _("Took the role away from"),
        "people.activate": _("Let sign in again:"),
        "people.deactivate": _("Let sign in no more:"),
        "people.end_browsers": _("Signed out everywhere:"),
        "people.link": _("Made a sign-in link for"),
        "people.second_factor_off": _("Switched off the second step of"),
        "operators.sign_in": _("Signed in"),
        "operators.password": _("Changed the password"),
        "operators.end_browser": _("Signed out a browser"),
        "operators.second_factor_on": _("Switched on the second step"),
        "operators.second_factor_off": _("Switched off the second step"),
        "tokens.create": _("Made a token"),
        "tokens.revoke": _("Revoked a token"),
        "accounts.add": _("Added the account"),
        "accounts.create": _("Added the account"),
        "accounts.edit": _("Changed the settings"),
        "accounts.check": _("Checked the connection"),
        "takeovers.read": _("Read what WeChat's console has"),
        "takeovers.approve": _("Took over what WeChat's console had"),
        "takeovers.restore": _("Brought back what was there before"),
        "accounts.reveal": _("Looked at the token and key"),
        "rules.add": _("Added a rule"),
        "rules.edit": _("Changed a rule"),
        "rules.switch": _("Switched a rule on or off"),
        "rules.move": _("Moved a rule"),
        "rules.delete": _("Deleted a rule"),
        "rules.restore": _("Put a rule back"),
        "rules.publish": _("Published the rules"),
        "rules.roll_back": _("Rolled the rules back"),
        "menus.edit": _("Changed the menu"),
        "menus.add": _("Added a menu for some followers"),
        "menus.move": _("Moved a menu for some followers"),
        "menus.delete": _("Deleted a menu for some followers"),
        "menus.restore": _("Put back a menu for some followers"),
        "menus.try_match": _("Asked WeChat who sees which menu"),
        "menus.publish": _("Published the menu"),
        "menus.roll_back": _("Rolled the menu back"),
        "followers.rename": _("Changed a remark"),
        "followers.change": _("Changed a follower"),
        "followers.change_many": _("Changed many followers"),
        "followers.export": _("Took the list of followers along"),
        "followers.note": _("Wrote a note"),
        "followers.note_delete": _("Deleted a note"),
        "stages.add": _("Added a stage"),
        "stages.change": _("Changed a stage"),
        "stages.delete": _("Deleted a stage"),
        "fields.add": _("Added a field"),
        "fields.change": _("Changed a field"),
        "fields.delete": _("Deleted a field"),
        "followers.sync": _("Read all followers"),
        "followers.block": _("Blocked"),
        "followers.unblock": _("Unblocked"),
        "followers.opt_out": _("Opted a follower out of campaigns"),
        "followers.opt_in": _("Let campaigns reach a follower again"),
        "tags.add": _("Added the tag"),
        "tags.rename": _("Renamed the tag to"),
        "tags.delete": _("Deleted the tag"),
        "tags.share": _("Sent the tag to WeChat"),
        "tags.settle": _("Settled what WeChat refused of tags"),
        "tags.tag": _("Tagged"),
        "tags.untag": _("Took a tag away"),
        "tags.auto_add": _("Added an automatic tag"),
        "tags.auto_switch": _("Switched an automatic tag on or off"),
        "tags.auto_delete": _("Deleted an automatic tag"),
        "segments.add": _("Added a segment"),
        "segments.edit": _("Changed a segment"),
        "segments.delete": _("Deleted a segment"),
        "segments.restore": _("Put a segment back"),
        "segments.export": _("Exported a segment"),
        "campaigns.add": _("Added a campaign"),
        "campaigns.edit": _("Changed a campaign"),
        "campaigns.delete": _("Deleted a campaign"),
        "campaigns.test": _("Sent a test of a campaign"),
        "campaigns.launch": _("Launched a campaign"),
        "campaigns.undo": _("Took a launch back"),
        "campaigns.approve": _("Approved a campaign"),
        "campaigns.move": _("Moved a campaign"),
        "campaigns.begin": _("Started a campaign that was late"),
        "campaigns.pause": _("Paused a campaign"),
        "campaigns.resume": _("Went on with a campaign"),
        "campaigns.cancel": _("Cancelled a campaign"),
        "campaigns.pace": _("Changed a campaign's speed"),
        "campaigns.retry": _("Tried again what failed"),
        "campaigns.again": _("Sent again what was not confirmed"),
        "campaigns.count": _("Counted as sent what was not confirmed"),
        "campaigns.recall": _("Recalled a campaign"),
        "campaigns.export": _("Exported a campaign"),
        "campaigns.check-links": _("Had a campaign's links opened"),
        "conversations.reply": _("Answered"),
        "conversations.take": _("Took over"),
        "conversations.hand_back": _("Handed back to the bot"),
        "conversations.close": _("Handed back to the bot"),
        "conversations.assign": _("Conversations assigned"),
        "conversations.give_back": _("Conversations given back to the queue"),
        "conversations.snooze": _("Conversations snoozed"),
        "conversations.wake": _("Conversations woken"),
        "conversations.label": _("Conversations labelled"),
        "conversations.unlabel": _("Labels taken off"),
        "conversations.undo": _("Taken back"),
        "conversations.reopen": _("Closing taken back"),
        "conversations.export": _("Report on conversations exported"),
        "conversations.note": _("Note added"),
        "conversations.part": _("Own part in the inbox"),
        "labels.add": _("Label added"),
        "labels.change": _("Label changed"),
        "canned_replies.add": _("Canned reply added"),
        "canned_replies.change": _("Canned reply changed"),
        "moments.look": _("Looked at what was reported"),
        "moments.hold": _("Held what was reported"),
        "moments.release": _("Showed again what was held"),
        "moments.dismiss": _("Closed a case"),
        "moments.suspend": _("Suspended a member"),
        "moments.release_member": _("Ended a member's suspension"),
        "callback.refused": _("Refused a call at WeChat's address"),
    }
    return known.get(value, value)
