"""A stand-in for an HTTP API, made from its OpenAPI document, with memory, identity and time."""

__version__ = "0.1.0"
