"""Speech, transcription and translation, through the gateway. Source: gateway-data-plane, /audio."""

from __future__ import annotations

from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey.gateway import serving
from mockserver.world.world import World


def create_speech(request: Request, world: World) -> Reply:
    """Speak a text; see `serving.answer`."""
    return serving.answer("createSpeech", request, world)


def create_transcription(request: Request, world: World) -> Reply:
    """Write down what is said; see `serving.answer`."""
    return serving.answer("createTranscription", request, world)


def create_translation(request: Request, world: World) -> Reply:
    """Write down in English what is said; see `serving.answer`."""
    return serving.answer("createTranslation", request, world)
