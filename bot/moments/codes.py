"""A member's code: who has it, on paper or on a screen, finds the member by it."""

import segno

from bot.settings import settings


def address(code: str) -> str:
    return f"{settings().base_url}/moments/add/{code}"


def picture(code: str) -> str:
    """The QR code of the address as SVG, dark on white in any mode: not every phone reads it inverted."""
    svg: str = segno.make(address(code), error="m").svg_inline(border=3, light="#fff", svgclass="qr", omitsize=True)
    return svg
