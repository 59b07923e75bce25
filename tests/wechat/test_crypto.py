"""WeChat's cipher and signature against the published vectors."""

import pytest

from bot.wechat import crypto

from .conftest import AES_KEY, APPID, NONCE, NOW, TOKEN


def test_signs_like_the_published_vector():
    assert crypto.sign(TOKEN, str(NOW), NONCE) == "0cd7527cfa8c0d5ffa46212163f5f847d1d690fb"


VECTOR_TEXT = "<xml><ToUserName><![CDATA[gh_sim]]></ToUserName><Content><![CDATA[你好]]></Content></xml>".encode()
VECTOR = (
    "Q3stYC6hdFzMh9T8HCvyDChU+LUJux1Eo84blYhLoUivjG1lx3zxxWMN6LKxfz89EBzPZOeLzwaTDDetTKpQKMO9l8eXNRycVuo3NirJqoBKyL1v"
    "P5VVED0Ly4tKkYOY48RXmD9EZNw6AmMPZCZNb802Ks0KELg6XZD8syupHryqHKabIPFjaFiDUQO3Xcl6W5yiG5xJ/06Ggb1vKbDRWA=="
)


def test_encrypts_and_decrypts_the_published_vector():
    assert crypto.encrypt(AES_KEY, APPID, VECTOR_TEXT, b"0123456789abcdef") == VECTOR
    assert crypto.decrypt(AES_KEY, APPID, VECTOR) == VECTOR_TEXT
    assert crypto.sign(TOKEN, str(NOW), NONCE, VECTOR) == "1cd7b9e72a5129226314fd0c0a1b7df0bed262f5"


@pytest.mark.parametrize("length", range(0, 70))
def test_every_length_goes_there_and_back(length):
    assert crypto.decrypt(AES_KEY, APPID, crypto.encrypt(AES_KEY, APPID, b"x" * length)) == b"x" * length


def test_decrypts_with_a_key_whose_last_bits_are_not_zero():
    key = AES_KEY[:-1] + "9"
    assert crypto.decrypt(key, APPID, crypto.encrypt(key, APPID, b"x")) == b"x"
