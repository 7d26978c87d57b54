"""Pictures of strangers are bounded, and hostile ones are refused without a traceback."""

import logging

import pytest

from page_client import Page
from uploads import png, send_all

pytestmark = pytest.mark.torch


def test_hostile_pictures_are_refused_without_a_traceback(
    page: Page, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        counted = send_all(page, 60)
    assert counted[422] > 20
    assert not caplog.records


def test_a_picture_of_too_many_pixels_is_not_decoded(page: Page) -> None:
    fault = page.send("/api/d/emoji/search", png(8_000, 6_251), status=422)
    assert "at most 50,000,000" in fault["what"]


@pytest.mark.parametrize("data", [b"BM" + bytes(60), b"II*\0" + bytes(60), b"<svg/>", b""])
def test_only_four_formats_are_read(page: Page, data: bytes) -> None:
    page.send("/api/d/emoji/search", data, status=422)
    page.send("/api/d/emoji/sketch", data, status=422)


def test_json_is_not_a_picture(page: Page) -> None:
    page.post("/api/d/emoji/search", json={"id": "200_noto.jpg"}, status=415)
