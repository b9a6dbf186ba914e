"""What is a URL, how places beside it are called, and that nothing secret in one is ever spelled."""

import pickle
from pathlib import Path

import pytest

from osscl.errors import ConfigError
from osscl.storage.urls import Url, hidden, place_of
from osscl.support.links import as_walked, missing, real_path
from osscl.support.urls import is_url


@pytest.mark.parametrize(
    "text", ["s3://b/k.wav", "memory://x", "abfs://c@a/x", "zip://a/b.wav::s3://b/a.zip"]
)
def test_urls_are_told_from_paths(text: str) -> None:
    assert is_url(text)
    assert is_url(text.encode())
    assert place_of(text) == Url(text)


@pytest.mark.parametrize("text", ["./s3://b/k.wav", "/s3://b", "a/b.wav", "x:y", "://b", "3://b", ""])
def test_paths_are_no_urls(text: str) -> None:
    assert not is_url(text)
    assert place_of(text) == Path(text)


def test_places_beside_a_url_and_its_ending() -> None:
    url = Url("s3://b//deep/table.CSV")
    assert (url.name, url.suffix, str(url.absolute())) == ("table.CSV", ".CSV", "s3://b//deep/table.CSV")
    assert str(url.with_name("table.CSV.run.json")) == "s3://b//deep/table.CSV.run.json"
    assert pickle.loads(pickle.dumps(url)) == url


@pytest.mark.parametrize(
    "text",
    [
        "s3://AKIA:hush@bucket/a.wav",
        "https://me:hush@host/a.wav",
        "zip://a.wav::https://me:hush@host/a.zip",
        "https://host/a.wav?X-Amz-Signature=hush",
        "https://host/a.wav?sv=1&sig=hush",
        "https://host/a.wav?access_token=hush",
    ],
)
def test_a_secret_in_a_url_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigError, match=r"leave it out") as refused:
        place_of(text)
    assert "hush" not in str(refused.value)
    assert "hush" not in hidden(text)


@pytest.mark.parametrize("text", ["s3://b/what?sig=1.wav", "sftp://me@host/a.wav", "https://h/a?page=2"])
def test_what_looks_like_a_secret_and_is_none_is_taken(text: str) -> None:
    assert str(place_of(text)) == text


def test_urls_are_no_paths_below_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert as_walked("s3://b/../k") == real_path("s3://b/../k") == "s3://b/../k"
    assert missing("s3://b/k") is None
