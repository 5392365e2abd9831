"""Downloads from the hub, which a server on this machine stands in for."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer

import pytest

from edgevoice.errors import ModelError, PullError, UsageError
from edgevoice.models import hub
from edgevoice.models.own import add
from edgevoice.models.pull import pull
from tests.models.conftest import (
    EARS,
    VOICE,
    VOICE_CONFIG,
    VOICE_ENTRY,
    Told,
    World,
    content,
    gguf,
)
from tests.models.loopback_hub import COMMIT, Hub, handler


@contextmanager
def listening_hub() -> Iterator[Hub]:
    """A hub on a port of its own."""
    made = Hub("")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(made)) as listening:
        listening.daemon_threads, listening.block_on_close = True, False
        made.endpoint = f"http://127.0.0.1:{listening.server_port}"
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield made
        listening.shutdown()
        thread.join()


@pytest.fixture
def server(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with listening_hub() as made:
        from huggingface_hub import close_session, constants

        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "ENDPOINT", made.endpoint)
        monkeypatch.setattr(
            constants,
            "HUGGINGFACE_CO_URL_TEMPLATE",
            made.endpoint + "/{repo_id}/resolve/{revision}/{filename}",
        )
        yield made
        close_session()


def test_the_hub_is_asked_before_the_packages(server: Hub, world: World) -> None:
    """A model with a repository comes from it, at the pinned commit."""
    server.files = {"v.onnx": VOICE, "v.onnx.json": VOICE_CONFIG}
    (model,) = pull(["voice"], world.store(), Told())
    assert model.path.read_bytes() == VOICE
    assert server.asked[0] == (f"/someone/voices/resolve/{COMMIT}/v.onnx", "")


def test_a_broken_connection_is_gone_on_with(server: Hub, world: World) -> None:
    """The next pull asks for the bytes that are missing, and only for those."""
    server.files = {"v.onnx": VOICE, "v.onnx.json": VOICE_CONFIG}
    server.breaks_at = 20_000
    with pytest.raises(PullError):
        pull(["voice"], world.store(), Told())
    kept = (world.store().partial(VOICE_ENTRY.files[0]) / "data").stat().st_size
    assert 0 < kept <= 20_000
    server.asked.clear()
    (model,) = pull(["voice"], world.store(), Told())
    assert model.path.read_bytes() == VOICE
    assert server.asked[0][1] == f"bytes={kept}-"


def test_a_server_without_ranges_gives_the_file_from_its_start(server: Hub, world: World) -> None:
    """What is kept is dropped where the server cannot go on from it."""
    server.files = {"v.onnx": VOICE, "v.onnx.json": VOICE_CONFIG}
    server.breaks_at = 20_000
    with pytest.raises(PullError):
        pull(["voice"], world.store(), Told())
    server.ranges = False
    (model,) = pull(["voice"], world.store(), Told())
    assert model.path.read_bytes() == VOICE


def test_wrong_bytes_from_the_hub_are_refused(server: Hub, world: World) -> None:
    """The hub is believed as little as anybody."""
    server.files = {"v.onnx": b"x" * len(VOICE), "v.onnx.json": VOICE_CONFIG}
    with pytest.raises(PullError, match="is not the catalog's"):
        pull(["voice"], world.store(), Told())
    assert not (world.folder / "voice" / "v.onnx").exists()


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (401, "HF_TOKEN"),
        (403, "accept the model's licence"),
        (404, "not there"),
        (429, "wait some minutes"),
        (500, "500"),
    ],
)
def test_a_refusal_of_the_hub_is_one_message_that_says_what_to_do(
    server: Hub, world: World, status: int, told: str
) -> None:
    """Its status reaches the user, with what the user can do about it."""
    server.status = status
    with pytest.raises(PullError, match=rf"Hugging Face: {status}: .*{told}"):
        pull(["voice"], world.store(), Told())


def test_a_hub_that_sends_more_than_the_file_is_refused(server: Hub, world: World) -> None:
    """Nothing beyond the size in the catalog is written, and the file is not used."""
    server.files, server.more = {"v.onnx": VOICE, "v.onnx.json": VOICE_CONFIG}, b"x" * 100_000
    with pytest.raises(PullError, match="more than the"):
        pull(["voice"], world.store(), Told())
    assert not (world.folder / "voice" / "v.onnx").exists()


def test_a_hub_that_never_answers_is_given_up(
    server: Hub, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some seconds there is one message with what to do."""
    monkeypatch.setattr(hub, "HUB_TIMEOUT", 0.2)
    server.silent = True
    with pytest.raises(PullError, match="timed out") as caught:
        pull(["voice"], world.store(), Told())
    assert "edgevoice models pull voice" in caught.value.remedy


def test_a_hub_that_is_slow_is_waited_for(
    server: Hub, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as bytes come, however few."""
    monkeypatch.setattr(hub, "HUB_TIMEOUT", 5.0)
    server.files = {"v.onnx": VOICE, "v.onnx.json": VOICE_CONFIG}
    server.drips_at = len(VOICE) - 3
    (model,) = pull(["voice"], world.store(), Told())
    assert model.path.read_bytes() == VOICE


@pytest.mark.parametrize("at", [1, 100, 8192, 49_999])
def test_a_connection_that_breaks_at_any_byte_loses_nothing(
    server: Hub, world: World, at: int
) -> None:
    """One message says how to go on, and going on gives the file."""
    server.files = {"v.onnx": VOICE, "v.onnx.json": VOICE_CONFIG}
    server.breaks_at = at
    with pytest.raises(PullError) as caught:
        pull(["voice"], world.store(), Told())
    assert "it resumes where it stopped" in caught.value.remedy
    (model,) = pull(["voice"], world.store(), Told())
    assert model.path.read_bytes() == VOICE


@pytest.mark.parametrize(
    ("size", "told"), [(100, "it sent 40,000 of"), (-100, "more than the|not the catalog's")]
)
def test_metadata_that_lies_about_a_size_is_found_out(
    server: Hub, world: World, size: int, told: str
) -> None:
    """The file is not used; nothing but the message and the entry is left."""
    data = gguf(weights=20_000)
    data += content("more", 40_000 - len(data))
    server.files, server.lies = {"toy.gguf": data}, size
    entry = add("someone/toys/toy.gguf", world.store(), Told())
    with pytest.raises(PullError, match=told) as caught:
        pull([entry.name], world.store(), Told())
    assert "edgevoice models pull toy" in caught.value.remedy
    assert world.store().state(entry) == "absent"


def test_a_redirection_to_another_host_gets_no_token(
    server: Hub, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file comes from there if its hash is right; the user's token stays with the hub."""
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with listening_hub() as other:
        other.files = {"v.onnx": VOICE, "v.onnx.json": VOICE_CONFIG}
        server.redirects_to = other.endpoint.replace("127.0.0.1", "localhost")
        (model,) = pull(["voice"], world.store(), Told())
        assert model.path.read_bytes() == VOICE
        assert set(server.tokens) == {"Bearer hf_secret"}
        assert set(other.tokens) == {""}


def test_a_redirection_to_wrong_bytes_is_refused(server: Hub, world: World) -> None:
    """Another host is believed as little as the hub."""
    with listening_hub() as other:
        other.files = {"v.onnx": b"x" * len(VOICE), "v.onnx.json": VOICE_CONFIG}
        server.redirects_to = other.endpoint
        with pytest.raises(PullError, match="is not the catalog's"):
            pull(["voice"], world.store(), Told())


def test_a_licence_to_be_accepted_first_is_said_when_a_model_is_added(
    server: Hub, world: World
) -> None:
    """With the page's licence and the token as the remedy, as for a pull."""
    server.status, server.files = 403, {"toy.gguf": gguf(weights=20_000)}
    with pytest.raises(PullError, match="accept the model's licence on its page, and set HF_TOKEN"):
        add("someone/toys/toy.gguf", world.store(), Told())
    assert not world.own.exists()


def test_a_hub_reference_becomes_an_entry_pinned_to_its_commit(server: Hub, world: World) -> None:
    """Hash, size, licence and commit come from the metadata; the pull then needs no more."""
    data = gguf(weights=20_000)
    server.files = {"q4/toy.gguf": data}
    entry = add("someone/toys/q4/toy.gguf", world.store(), Told())
    assert (entry.name, entry.role, entry.repo, entry.revision) == (
        "toy",
        "slm",
        "someone/toys",
        COMMIT,
    )
    assert entry.main.sha256 == hashlib.sha256(data).hexdigest()
    assert entry.licence == "mit"
    (model,) = pull(["toy"], world.store(), Told())
    assert model.path.read_bytes() == data


def test_a_base_model_on_the_hub_is_refused_before_it_is_fetched(server: Hub, world: World) -> None:
    """The start of the file tells; it gets into no catalog."""
    server.files = {"base.gguf": gguf(template=None, weights=20_000)}
    with pytest.raises(ModelError, match="no chat template"):
        add("someone/toys/base.gguf", world.store(), Told())
    assert not world.own.exists()


def test_a_voice_on_the_hub_brings_its_configuration(server: Hub, world: World) -> None:
    """The small file is hashed from its bytes, which the git hash proves."""
    server.files = {"en/v.onnx": VOICE, "en/v.onnx.json": VOICE_CONFIG}
    entry = add("someone/voices/en/v.onnx", world.store(), Told(), "other")
    assert [file.hub_path for file in entry.files] == ["en/v.onnx", "en/v.onnx.json"]
    (model,) = pull(["other"], world.store(), Told())
    assert (model.path.parent / "v.onnx.json").read_bytes() == VOICE_CONFIG


def test_a_whisper_repository_is_added_whole(server: Hub, world: World) -> None:
    """Without a path, a repository with model.bin at its top is a recognizer."""
    server.files = {
        "model.bin": EARS,
        "config.json": b'{"lang_ids": []}',
        "tokenizer.json": b"{}",
        "README.md": b"nothing of use",
    }
    entry = add("someone/whisper@main", world.store(), Told())
    assert (entry.role, entry.format, entry.languages) == ("stt", "ctranslate2", ("en",))
    assert {file.name for file in entry.files} == {"model.bin", "config.json", "tokenizer.json"}


def test_a_repository_without_a_path_says_which_files_it_has(server: Hub, world: World) -> None:
    """Of several quantizations one must be named."""
    server.files = {"a-q4.gguf": content("a", 11_000), "a-q8.gguf": content("b", 12_000)}
    with pytest.raises(UsageError, match=r"a-q4\.gguf, a-q8\.gguf"):
        add("someone/toys", world.store(), Told())


def test_no_hub_in_reach_is_found_out_and_said(world: World) -> None:
    """Offline, adding from the hub ends in one clear error."""
    with pytest.raises(PullError, match="the hub could not be asked"):
        add("someone/toys/x.gguf", world.store(), Told())


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a/b/c/d.gguf", ("a/b", "main", "c/d.gguf")),
        ("a/b@v1/d.gguf", ("a/b", "v1", "d.gguf")),
        ("a/b", ("a/b", "main", "")),
        ("https://hf.co/a/b/blob/main/c/d.gguf", ("a/b", "main", "c/d.gguf")),
        ("https://hf.co/a/b/resolve/abc/d.gguf?download=true", ("a/b", "abc", "d.gguf")),
        ("https://hf.co/a/b", ("a/b", "main", "")),
        ("https://example.org/a/b/blob/main/d.gguf", None),
        ("just-a-word", None),
        ("a//b", None),
    ],
)
def test_references_are_understood_as_they_are_written(
    text: str, parts: tuple[str, str, str] | None
) -> None:
    """Repository, revision and path, from a short form or from the page's address."""
    found = hub.reference(text)
    assert (found and (found.repo, found.revision, found.path)) == parts
