"""A kiosk that is not described rightly does not start, and says which key is wrong."""

from pathlib import Path

import pytest

from hardware_drivers.bench import open_scanner
from kiosk.__main__ import scanner_settings, with_scanner
from kiosk.config import FingerConfig, ReaderKind, ScannerKind, read_config
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


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_bytes(path.read_text("utf-8").replace("Kiosk A", "一号机").encode("gbk"))
    with pytest.raises(ConfigError, match=r"kiosk\.toml"):
        read_config(path)


def finger_table(folder: Path, *lines: str) -> Path:
    """kiosk.toml with a table [finger]."""
    path = write(folder)
    path.write_text("\n".join([path.read_text("utf-8"), "[finger]", *lines]), encoding="utf-8")
    return path


def test_a_desk_has_no_scanner_unless_told(tmp_path: Path) -> None:
    assert read_config(write(tmp_path)).finger.scanner is ScannerKind.NONE


def test_paths_of_the_scanner_are_relative_to_the_file_too(tmp_path: Path) -> None:
    finger = read_config(finger_table(tmp_path, 'scanner = "simulated"', 'hand = "hand.json"')).finger
    assert (finger.scanner, finger.hand) == (ScannerKind.SIMULATED, tmp_path / "hand.json")


@pytest.mark.parametrize(
    "lines",
    [
        ('scanner = "sbi"',),  # nobody who may vouch for a device
        ('scanner = "folder"',),
        ('scanner = "usb"',),
        ('scanner = "libfprint"', "dpi = 0"),
        ("minimum_quality = 101",),
    ],
)
def test_what_is_wrong_with_the_scanner_is_named(tmp_path: Path, lines: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="finger"):
        read_config(finger_table(tmp_path, *lines))


@pytest.mark.parametrize("kind", [kind for kind in ScannerKind if kind is not ScannerKind.NONE])
def test_each_kind_of_the_file_is_a_scanner_of_the_bench(tmp_path: Path, kind: ScannerKind) -> None:
    told = FingerConfig(scanner=kind, folder=tmp_path, sbi_trust=tmp_path / "trust.pem")
    assert open_scanner(told.scanner.value, scanner_settings(told)) is not None


def test_another_scanner_on_the_command_line_needs_what_it_needs(tmp_path: Path) -> None:
    config = read_config(write(tmp_path))
    assert with_scanner(config, "simulated").finger.scanner is ScannerKind.SIMULATED
    with pytest.raises(ConfigError, match="sbi_trust"):
        with_scanner(config, "sbi")
