"""Images: files that a library reads, in the form and size that were asked for."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

import pytest
from openai.types import (
    ImageEditCompletedEvent,
    ImageEditPartialImageEvent,
    ImageGenCompletedEvent,
    ImageGenPartialImageEvent,
    ImagesResponse,
)
from PIL import Image

from mockserver.portkey.answers import images
from mockserver.portkey.answers.errors import Unanswerable
from mockserver.values import Record
from tests.portkey.answers.given import CREATED, Judge, chance

PROMPT = "A lighthouse in a paper-cut style"
GPT = "gpt-image-1"


def made(body: Record, model: str = "dall-e-2", seed: int = 7, **options: Any) -> images.Images:
    return images.answer({"prompt": PROMPT, "size": "64x32", **body}, model, chance(seed), CREATED, **options)


def reply(body: Record, model: str = "dall-e-2", **options: Any) -> Any:
    return made(body, model, **options).as_json()


def opened(coded: str) -> Image.Image:
    image = Image.open(BytesIO(base64.b64decode(coded)))
    image.load()
    return image


def shown(body: Record, model: str = "dall-e-2", **options: Any) -> list[Image.Image]:
    return [opened(each["b64_json"]) for each in reply({"response_format": "b64_json", **body}, model, **options)["data"]]


@pytest.mark.parametrize("size", ["1x1", "256x256", "1792x1024", "1024x1536"])
def test_image_has_its_size(size: str) -> None:
    (image,) = shown({"size": size})
    assert (image.format, f"{image.width}x{image.height}") == ("PNG", size)


@pytest.mark.parametrize("size", [None, "auto"])
def test_usual_size(size: str | None) -> None:
    assert shown({"size": size})[0].size == (1024, 1024)


@pytest.mark.parametrize("size", ["big", "0x10", "10x", "5000x10", "10x10x10", ""])
def test_size_that_is_none_is_refused(size: str) -> None:
    if not size:
        assert shown({"size": size})[0].size == (1024, 1024)
        return
    with pytest.raises(Unanswerable) as caught:
        made({"size": size})
    assert caught.value.pointer == "/size"


def test_same_request_gets_the_same_image() -> None:
    assert reply({}) == reply({"user": "ada"})
    assert reply({"response_format": "b64_json"}) == reply({"response_format": "b64_json"})


@pytest.mark.parametrize("change", [{"prompt": "A boat"}, {"quality": "hd"}, {"style": "vivid"}])
def test_other_request_gets_another_image(change: Record) -> None:
    assert shown(change)[0].tobytes() != shown({})[0].tobytes()


def test_images_of_one_call_differ() -> None:
    assert len({image.convert("RGB").tobytes() for image in shown({"n": 4})}) == 4


def test_image_has_something_on_it() -> None:
    assert len(shown({"size": "256x256"})[0].getcolors() or []) > 2


def test_image_is_light() -> None:
    assert len(reply({"size": "1024x1024", "response_format": "b64_json"})["data"][0]["b64_json"]) < 40000


@pytest.mark.parametrize("form", [None, "url"])
def test_address_holds_all_that_is_needed_to_draw(form: str | None) -> None:
    found = reply({"response_format": form, "n": 2}, address="http://localhost:8787/images/")["data"]
    for image, each in zip(shown({"n": 2}), found, strict=True):
        assert each["url"].startswith("http://localhost:8787/images/")
        drawn = images.served(each["url"].rpartition("/")[2])
        assert drawn is not None
        assert Image.open(BytesIO(drawn)).tobytes() == image.tobytes()


@pytest.mark.parametrize(
    "name", ["", "x.png", "0123456789abcdef-0x5.png", "0123456789abcdef-9999x9999.png", "0123456789abcdef-5x5.gif"]
)
def test_address_that_was_never_given_out_has_no_image(name: str) -> None:
    assert images.served(name) is None


def test_prompt_is_revised_by_the_model_that_does() -> None:
    assert PROMPT in reply({}, "dall-e-3")["data"][0]["revised_prompt"]
    assert "revised_prompt" not in reply({})["data"][0]


# GPT images.


def test_gpt_image_is_told_with_its_settings() -> None:
    found = reply({"response_format": "url"}, GPT)
    assert list(found["data"][0]) == ["b64_json"]
    assert (found["background"], found["output_format"], found["quality"], found["size"]) == (
        "opaque",
        "png",
        "medium",
        "64x32",
    )
    usage = found["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["input_tokens"] == sum(usage["input_tokens_details"].values())


@pytest.mark.parametrize(("quality", "tokens"), [(None, 1056), ("auto", 1056), ("low", 272), ("high", 4160)])
def test_gpt_image_costs_by_quality_and_number(quality: str | None, tokens: int) -> None:
    assert reply({"size": "1024x1024", "quality": quality}, GPT)["usage"]["output_tokens"] == tokens
    assert reply({"size": "1024x1024", "quality": quality, "n": 2}, GPT)["usage"]["output_tokens"] == 2 * tokens


@pytest.mark.parametrize(("form", "format_"), [(None, "PNG"), ("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
def test_gpt_image_has_the_form_asked_for(form: str | None, format_: str) -> None:
    (image,) = shown({"output_format": form}, GPT)
    assert (image.format, image.size) == (format_, (64, 32))


def test_compression_makes_it_smaller() -> None:
    sizes = [
        len(reply({"output_format": "jpeg", "output_compression": much, "size": "512x512"}, GPT)["data"][0]["b64_json"])
        for much in (10, 90)
    ]
    assert sizes[0] < sizes[1]


@pytest.mark.parametrize(("form", "is_clear"), [("png", True), ("webp", True), ("jpeg", False)])
def test_ground_may_be_clear(form: str, is_clear: bool) -> None:
    body = {"output_format": form, "background": "transparent", "size": "256x256"}
    (image,) = shown(body, GPT)
    alphas = image.convert("RGBA").getchannel("A").getextrema()
    assert alphas == ((0, 255) if is_clear else (255, 255))
    assert reply(body, GPT)["background"] == ("transparent" if is_clear else "opaque")


# Changes and variations.


def test_image_to_change_makes_a_difference() -> None:
    one, other = shown({"image": "a"}, kind="edit"), shown({"image": "b"}, kind="edit")
    assert one[0].tobytes() != other[0].tobytes()


@pytest.mark.parametrize(
    ("files", "count"), [({"image": "a"}, 1), ({"image[]": ["a", "b"]}, 2), ({"image": "a", "mask": "m"}, 2)]
)
def test_images_to_change_are_counted(files: Record, count: int) -> None:
    assert reply(files, GPT, kind="edit")["usage"]["input_tokens_details"]["image_tokens"] == 323 * count


def test_variation_needs_no_words() -> None:
    found = images.answer({"image": "a", "n": 2, "size": "256x256"}, "dall-e-2", chance(), CREATED, "variation").as_json()
    assert len({each["url"] for each in found["data"]}) == 2


# Replies and events.


@pytest.mark.parametrize("model", ["dall-e-2", "dall-e-3", GPT])
@pytest.mark.parametrize("body", [{}, {"response_format": "b64_json", "n": 2}], ids=["one", "two"])
def test_reply_keeps_the_document(body: Record, model: str, faults: Judge) -> None:
    found = reply({"size": "1024x1024", **body}, model)
    assert faults("ImageList", found) == []
    ImagesResponse.model_validate(found, strict=True)
    assert found["created"] == CREATED


@pytest.mark.parametrize(
    ("kind", "partial", "completed"),
    [
        ("generation", ImageGenPartialImageEvent, ImageGenCompletedEvent),
        ("edit", ImageEditPartialImageEvent, ImageEditCompletedEvent),
    ],
)
@pytest.mark.parametrize("rough", [0, 3, None])
def test_events_are_what_openai_sends(kind: images.Kind, partial: Any, completed: Any, rough: int | None) -> None:
    events = list(made({"stream": True, "partial_images": rough}, GPT, kind=kind).events())
    assert len(events) == (rough or 0) + 1
    for at, event in enumerate(events[:-1]):
        assert partial.model_validate(event, strict=True).partial_image_index == at
    last = completed.model_validate(events[-1], strict=True)
    assert last.usage.total_tokens == last.usage.input_tokens + last.usage.output_tokens


def test_rough_images_come_nearer_to_the_whole() -> None:
    drawn = [opened(event["b64_json"]) for event in made({"partial_images": 2, "size": "256x256"}, GPT).events()]
    far = [sum(a != b for a, b in zip(each.tobytes(), drawn[-1].tobytes(), strict=True)) for each in drawn]
    assert far[0] > far[1] > far[2] == 0


def test_last_event_has_the_image_of_the_reply() -> None:
    body = {"partial_images": 1}
    assert [*made(body, GPT).events()][-1]["b64_json"] == reply(body, GPT)["data"][0]["b64_json"]


def test_events_of_other_models_have_their_settings() -> None:
    events = list(made({"stream": True}).events())
    assert ImageGenCompletedEvent.model_validate(events[-1], strict=True).size == "64x32"
