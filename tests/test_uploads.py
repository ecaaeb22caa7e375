"""Large files over a socket: streamed to disk and back, and nothing of what was refused is left."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockserver.blobs import IN_MEMORY
from tests.test_server import AUTH, MIB, Answer, Served, head, post, receive

BOUNDARY = b"x-the-boundary"
FORM = b"content-type: multipart/form-data; boundary=" + BOUNDARY + b"\r\n"
BEGINNING = (
    b'--%b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n'
    b'--%b\r\nContent-Disposition: form-data; name="file"; filename="big.bin"\r\n\r\n' % (BOUNDARY, BOUNDARY)
)
END = b"\r\n--%b--\r\n" % BOUNDARY
PIECE = bytes(range(256)) * 256
"""64 KiB, with line ends and hyphens among them."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server keeps temporary files."""
    return tmp_path_factory.mktemp("blobs")


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    """A server that takes forms up to 32 MiB. Its temporary files go with it."""
    # Without reasons of refusals: what they need is imported at some time, and memory is measured here.
    options = ("--no-explain", "--upload-limit", str(32 * MIB), "--body-limit", str(MIB), "--journal", "10")
    with Served("-p", "0", *options, environment={"TMPDIR": str(folder)}) as served:
        yield served
        assert sent(served, 32).status == 200
        assert served.stop() == 0
        assert left(folder) == []


@pytest.fixture(autouse=True)
def _clean(served: Served) -> Iterator[None]:
    """What a test leaves is gone for the next one."""
    yield
    assert served.post("/__admin/worlds/default/reset", b"", AUTH).status == 200


def delete(served: Served, file: Answer) -> None:
    assert served.send(head("DELETE", f"/v1/files/{file.json['id']}"), "DELETE").status == 200


def left(folder: Path) -> list[Path]:
    """The temporary files that are there once the server has come to rest."""
    for _ in range(1000):
        if not (found := list(folder.iterdir())):
            break
        time.sleep(0.01)  # of the machine: the server closes what a client leaves in a step of its own
    return found


def sent(served: Served, pieces: int, *, announced: bool = True, field: bytes = b"") -> Answer:
    """Upload so many pieces as one file."""
    body = [*([field] if field else []), BEGINNING, *[PIECE] * pieces, END]
    size = sum(map(len, body))
    with served.connect() as connection:
        connection.settimeout(30)
        length = b"content-length: %d\r\n" % size if announced else b"transfer-encoding: chunked\r\n"
        try:
            connection.sendall(head("POST", "/v1/files", AUTH + FORM + length))
            for piece in body:
                connection.sendall(piece if announced else b"%x\r\n%b\r\n" % (len(piece), piece))
            if not announced:
                connection.sendall(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass  # a server that has seen enough may stop reading
        return receive(connection, "POST")


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "chunked"])
def test_large_file_comes_back_whole_and_leaves_memory_alone(served: Served, folder: Path, announced: bool) -> None:
    delete(served, sent(served, 32))
    before_mib = served.memory_mib()
    made = sent(served, 384, announced=announced)
    assert made.status == 200, made.body[:500]
    assert made.json["bytes"] == 384 * len(PIECE)
    back = served.get(f"/v1/files/{made.json['id']}/content")
    assert back.body == PIECE * 384
    assert served.memory_mib() - before_mib < 8
    assert len(list(folder.iterdir())) == 1
    delete(served, made)
    assert left(folder) == []


def test_small_file_stays_in_memory(served: Served, folder: Path) -> None:
    assert sent(served, IN_MEMORY // len(PIECE)).status == 200
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "chunked"])
def test_too_large_upload_is_refused_and_forgotten(served: Served, folder: Path, announced: bool) -> None:
    reply = sent(served, 33 * MIB // len(PIECE), announced=announced)
    assert (reply.status, reply.json["message"]) == (413, "Payload size exceeds the limit of 32MB")
    assert left(folder) == []


def test_what_is_no_file_must_fit_into_memory(served: Served, folder: Path) -> None:
    field = b'--%b\r\nContent-Disposition: form-data; name="note"\r\n\r\n%b\r\n' % (BOUNDARY, b"n" * 2 * MIB)
    reply = sent(served, 32, field=field)
    assert (reply.status, reply.json["message"]) == (413, "Payload size exceeds the limit of 1MB")
    assert left(folder) == []


def test_refused_upload_is_forgotten(served: Served, folder: Path) -> None:
    wrong = BEGINNING.replace(b"user_data", b"fun")
    body = wrong + PIECE * 32 + END
    reply = served.send(post("/v1/files", body, AUTH + FORM), "POST")
    assert (reply.status, "purpose" in reply.json["message"]) == (400, True)
    assert left(folder) == []


def test_broken_form_is_read_to_its_end_and_forgotten(served: Served, folder: Path) -> None:
    body = BEGINNING + PIECE * 32
    reply = served.send(post("/v1/files", body, AUTH + FORM), "POST")
    assert (reply.status, "its last boundary is missing" in reply.json["message"]) == (400, True)
    assert left(folder) == []


def test_upload_of_a_client_that_leaves_is_forgotten(served: Served, folder: Path) -> None:
    with served.connect() as connection:
        connection.sendall(head("POST", "/v1/files", AUTH + FORM + b"content-length: %d\r\n" % (8 * MIB)))
        connection.sendall(BEGINNING + PIECE * 64)
        while not list(folder.iterdir()):
            time.sleep(0.01)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert left(folder) == []


def test_journal_keeps_the_beginning(served: Served) -> None:
    made = sent(served, 32)
    served.get(f"/v1/files/{made.json['id']}/content")
    download, upload = served.get("/__admin/requests").json["requests"][:2]
    delete(served, made)
    assert upload["request"]["size"] == len(BEGINNING) + 32 * len(PIECE) + len(END)
    assert download["reply"]["size"] == 32 * len(PIECE)
    assert len(served.get("/__admin/requests").body) < 4 * MIB
