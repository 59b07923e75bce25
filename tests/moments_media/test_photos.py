"""What a photo looks like afterwards: upright, in its colours, in sizes that a page can count on."""

from io import BytesIO

import pytest
from PIL import Image, ImageCms

from bot.moments.media import blurhash
from tests.moments_media.photos import encoded, exif, picture


def opened(jpeg: bytes) -> Image.Image:
    return Image.open(BytesIO(jpeg))


def near(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return all(abs(a - b) < 12 for a, b in zip(one, other, strict=True))


RED, BLUE, WHITE = (254, 0, 0), (0, 0, 254), (255, 255, 255)
UNDONE = {  # how a camera lays down a picture of each orientation
    1: (),
    2: (Image.Transpose.FLIP_LEFT_RIGHT,),
    3: (Image.Transpose.ROTATE_180,),
    4: (Image.Transpose.FLIP_TOP_BOTTOM,),
    5: (Image.Transpose.TRANSPOSE,),
    6: (Image.Transpose.ROTATE_90,),
    7: (Image.Transpose.TRANSVERSE,),
    8: (Image.Transpose.ROTATE_270,),
}


@pytest.mark.parametrize("orientation", UNDONE)
def test_a_photo_stands_upright_however_the_camera_was_held(take_apart, orientation):
    upright = picture((64, 48))
    upright.paste("lime", (0, 0, 16, 16))
    lying = upright
    for way in UNDONE[orientation]:
        lying = lying.transpose(way)

    media, made = take_apart(encoded("JPEG", lying, quality=95, exif=exif(orientation)))

    shown = opened(made["full"])
    assert shown.size == (media["width"], media["height"]) == (64, 48)
    assert near(shown.getpixel((4, 4)), (0, 254, 0))
    assert near(shown.getpixel((60, 4)), RED)
    assert near(shown.getpixel((60, 44)), BLUE)


def test_a_photo_is_turned_as_the_composer_says(take_apart):
    media, made = take_apart(encoded("PNG", picture((60, 40))), turns=1)
    assert (media["width"], media["height"]) == (40, 60)
    assert near(opened(made["full"]).getpixel((36, 30)), RED)  # what was above is on the right


def test_colours_are_what_the_profile_says(take_apart):
    """A picture in a profile of its own looks in sRGB as it did."""
    lab = Image.new("LAB", (32, 32), (150, 160, 90))
    srgb = ImageCms.createProfile("sRGB")
    wanted = ImageCms.profileToProfile(lab, ImageCms.createProfile("LAB"), srgb, outputMode="RGB")
    assert wanted is not None
    # The red and green of a monitor that has them the other way round: a profile with two tags exchanged.
    swapped = ImageCms.ImageCmsProfile(srgb).tobytes().replace(b"rXYZ", b"tmp!").replace(b"gXYZ", b"rXYZ")
    swapped = swapped.replace(b"tmp!", b"gXYZ")
    red, green, blue = wanted.split()

    _said, made = take_apart(encoded("PNG", Image.merge("RGB", (green, red, blue)), icc_profile=swapped))

    assert near(opened(made["full"]).getpixel((9, 9)), wanted.getpixel((9, 9)))
    assert take_apart(encoded("PNG", picture(), icc_profile=b"no profile at all"))[0]["width"] == 48


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_any_kind_of_pixels_becomes_a_photo(take_apart, mode):
    kind = "JPEG" if mode == "CMYK" else "PNG"
    made = Image.new("I;16", (48, 32), 40_000) if mode == "I;16" else picture(mode=mode)
    shown = opened(take_apart(encoded(kind, made))[1]["full"])
    assert (shown.mode, shown.size) == ("RGB", (48, 32))
    if mode == "I;16":
        assert near(shown.getpixel((5, 5)), (156, 156, 156))


def test_what_is_transparent_is_white(take_apart):
    made = picture(mode="RGBA")
    made.paste((9, 9, 9, 0), (0, 0, 48, 10))
    shown = opened(take_apart(encoded("WEBP", made, lossless=True))[1]["full"])
    assert near(shown.getpixel((5, 3)), WHITE)
    assert near(shown.getpixel((5, 28)), BLUE)


def test_large_ones_are_made_smaller(take_apart):
    def sizes(content: bytes) -> dict[str, tuple[int, int]]:
        return {part: opened(jpeg).size for part, jpeg in take_apart(content)[1].items()}

    wide = {"thumb": (360, 360), "feed": (1080, 810), "full": (2048, 1536)}
    assert sizes(encoded("JPEG", picture((2400, 1800)))) == wide
    assert sizes(encoded("PNG", picture((1, 20_000))))["full"] == (1, 8192)


def test_long_ones_stay_wide_enough_to_read_and_show_no_seams(take_apart):
    _said, made = take_apart(encoded("PNG", picture((1200, 5000), "P"), compress_level=1))
    shown = {part: opened(jpeg) for part, jpeg in made.items()}
    assert {part: one.size for part, one in shown.items()} == {
        "thumb": (360, 360),
        "feed": (1080, 2160),
        "full": (1080, 4500),
    }
    column = shown["full"].crop((540, 0, 541, 4500))
    assert all(near(column.getpixel((0, y)), RED) for y in range(0, 2240, 5))
    assert all(near(column.getpixel((0, y)), BLUE) for y in range(2260, 4500, 5))


def test_the_first_picture_of_many_is_taken(take_apart):
    moving = encoded("GIF", picture(), save_all=True, append_images=[picture().rotate(180)] * 3)
    assert near(opened(take_apart(moving)[1]["full"]).getpixel((5, 3)), RED)


def test_the_blur_says_which_colour_is_where():
    upright = picture((320, 240))
    coded = blurhash.encode(upright)
    assert len(coded) == 28
    assert coded[0] == "L"  # four cosines across, three down
    mean = sum(83 ** (3 - place) * blurhash.ALPHABET.index(digit) for place, digit in enumerate(coded[2:6]))
    assert near((mean >> 16, mean >> 8 & 255, mean & 255), (188, 0, 188))  # half the light of red and of blue
    turned = blurhash.encode(upright.transpose(Image.Transpose.ROTATE_180))
    assert turned[2:6] == coded[2:6]
    assert turned != coded
    across = blurhash.ALPHABET.index(coded[6]) * 83 + blurhash.ALPHABET.index(coded[7])
    down = blurhash.ALPHABET.index(coded[12]) * 83 + blurhash.ALPHABET.index(coded[13])
    assert (across // 361, across // 19 % 19, across % 19) == (9, 9, 9)  # nothing changes from left to right
    assert (down // 361, down % 19) == (18, 0)  # red above, blue below
