"""The admin API below `/__admin`: a service of the engine like any other, whose records are the worlds themselves."""

from mockserver.control.service import BASE_PATH, Access, Control, Extension, ServerFacts
from mockserver.control.tokens import Token, Tokens

__all__ = ["BASE_PATH", "Access", "Control", "Extension", "ServerFacts", "Token", "Tokens"]
