"""Imported before processes are forked: what each of them would otherwise do anew for some hundred milliseconds."""

from sqlalchemy.orm import configure_mappers

import models  # noqa: F401

configure_mappers()
