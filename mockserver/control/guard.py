"""Keeps web pages away from the admin API: whoever may drive it is no page, or the admin API's own.

A browser sends requests for any page that somebody opens, to servers on the machine of that person as well. Three things tell
such a request from one of a test: `Origin`, which says whose page it is (Fetch standard, Origin header); `Sec-Fetch-Site`,
which says so where no `Origin` is sent, as for an image or a simple GET (Fetch Metadata); and `Host`, which names the page's
own server when that name was made to lead here (DNS rebinding), so that only names known to be ours are taken. A page can
send bodies to others without asking beforehand, but only such as forms have: so a body needs to say that it is JSON.
No reply of the admin API has a CORS header, so no browser shows one to another page.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from mockserver.contract.operations import Operation
from mockserver.contract.problems import FORBIDDEN, UNSUPPORTED_MEDIA_TYPE, Problem

_FOREIGN = (b"cross-site", b"same-site")
"""Another port of this machine is the same site, and another page all the same."""


def refuse_pages(headers: Mapping[bytes, bytes], hosts: Collection[str], *, is_page: bool) -> None:
    """Refuse what a page of another origin sends, or one that came here under a name which is not ours.

    `hosts` are names beside localhost and numeric addresses. `is_page` tells that a page is asked for, to which a link in
    another page may lead. Fails: `forbidden`.
    """
    host = headers.get(b"host")
    if host is not None and not _is_ours(host.decode("latin-1"), hosts):
        raise Problem(
            FORBIDDEN,
            f"The admin API is not called {_name(host.decode('latin-1'))[:100]!r}: use localhost or an address, "
            "or allow the name by --admin-host",
        )
    origin = headers.get(b"origin")
    if origin is not None:
        if not _is_same(origin.decode("latin-1"), (host or b"").decode("latin-1")):
            raise Problem(FORBIDDEN, "A page of another origin may not drive the admin API")
    elif headers.get(b"sec-fetch-site") in _FOREIGN and not (is_page and _is_navigation(headers)):
        raise Problem(FORBIDDEN, "A page of another origin may not call the admin API")


def refuse_forms(operation: Operation, headers: Mapping[bytes, bytes]) -> None:
    """Refuse a body that does not say by itself that it is of a type which the operation takes, JSON where it takes none.

    Fails: `unsupported-media-type`.
    """
    if headers.get(b"content-length", b"0") == b"0" and b"transfer-encoding" not in headers:
        return
    given = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
    taken = [content.media_type for content in operation.body.contents] if operation.body else ["application/json"]
    if given not in taken:
        what = given or "A body without a content type"
        raise Problem(UNSUPPORTED_MEDIA_TYPE, f"{what} is not taken, only {' or '.join(taken)}")


def _is_ours(host: str, hosts: Collection[str]) -> bool:
    # A numeric address is no name, so nobody can make it lead elsewhere.
    name = _name(host)
    return name == "localhost" or name.endswith(".localhost") or name in hosts or _is_address(name)


def _name(host: str) -> str:
    """The name or address of a `Host`, without the port."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_same(origin: str, host: str) -> bool:
    try:
        given = urlsplit(origin).netloc
    except ValueError:
        return False
    return bool(given) and given.lower() == host.lower()


def _is_navigation(headers: Mapping[bytes, bytes]) -> bool:
    """Whether somebody follows a link, so that no page gets to see the reply."""
    return headers.get(b"sec-fetch-mode") == b"navigate" and headers.get(b"sec-fetch-dest") == b"document"
