"""``lobby openapi``: the description of the REST API, for generators of clients."""

import click

from bot.cli.base import Sentence, command, prepared


@command("openapi")
def openapi() -> None:
    """Print the OpenAPI 3.1 document, the same that /api/v1/openapi.json serves."""
    prepared()
    from bot.app import create_app

    answer = create_app().test_client().get("/api/v1/openapi.json")
    if answer.status_code != 200:
        raise Sentence(f"The document could not be made (status {answer.status_code}).")
    click.echo(answer.get_data(as_text=True).rstrip())
