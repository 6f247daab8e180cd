"""A kiosk that is not described rightly does not start, and says which key is wrong."""

from pathlib import Path

import pytest

from kiosk.config import ReaderKind, read_config
from kiosk.errors import ConfigError

GOOD = {
    "kiosk_id": '"kiosk-a"',
    "name": '"Kiosk A"',
    "listen_port": "0",
    "counter_url": '"https://127.0.0.1:8444"',
    "ca_file": '"ca.pem"',
    "cert_file": '"kiosk.pem"',
    "key_file": '"kiosk.key"',
}


def write(folder: Path, **changes: str) -> Path:
    """kiosk.toml with these lines changed, and the files it names."""
    for name in ("ca.pem", "kiosk.pem", "kiosk.key"):
        (folder / name).touch()
    path = folder / "kiosk.toml"
    path.write_text("\n".join(f"{key} = {value}" for key, value in (GOOD | changes).items()), encoding="utf-8")
    return path


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    config = read_config(write(tmp_path))
    assert (config.ca_file, config.reader) == (tmp_path / "ca.pem", ReaderKind.PCSC)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("counter_url", '"http://127.0.0.1:8444"'),  # never in the clear
        ("listen_port", "70000"),
        ("kiosk_id", '"Kiosk A"'),
        ("reader", '"usb"'),
        ("readr", '"pcsc"'),
        ("reader", '"cable"'),  # without cable_port
        ("key_file", '"nowhere.key"'),
        ("name", "Kiosk"),  # no TOML
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, key: str, value: str) -> None:
    with pytest.raises(ConfigError, match=r"kiosk\.toml"):
        read_config(write(tmp_path, **{key: value}))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml"):
        read_config(tmp_path / "absent.toml")
