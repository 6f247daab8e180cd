"""The reference phone: relays a card on a PC/SC reader, or on the simulated cable, to a counter.

    python -m hardware_drivers.smartcard.relay_client --url wss://counter.example/relay --token … --reader "Kiosk A"

A native app does the same with its NFC interface in place of `CardReaders`; `docs/relay.md` has the frames.
"""

import argparse
import asyncio
import logging
import ssl
import sys
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from hardware_drivers.bench import ReaderKind, open_readers
from hardware_drivers.errors import CardMuteError, CardRemovedError, DeviceError, TamperedAnswerError
from hardware_drivers.smartcard.channel import CardLink, ends_batch
from hardware_drivers.smartcard.relay import MESSAGE_MAX, Answers, Bye, Hello, Run, Wait, parse_from_counter

log = logging.getLogger("relay")

WAIT_EVERY_S = 3.0  # below the counter's patience with a silent phone
DONE, NO_CARD, REFUSED = 0, 2, 3


async def relay(link: CardLink, url: str, token: str, context: ssl.SSLContext | None) -> bool:
    """Carry frames until somebody says bye; True when the counter was done.

    Raises:
        OSError, InvalidHandshake: The counter cannot be reached.
    """
    async with connect(url, ssl=context, max_size=MESSAGE_MAX, compression=None) as counter:
        most = link.limits.answer_max + 2
        await counter.send(Hello(token=token, atr=link.atr, max_len=max(261, most)).model_dump_json())
        async for text in counter:
            try:
                frame = parse_from_counter(str(text))
            except TamperedAnswerError:
                await counter.send(Bye(why="broken").model_dump_json())
                return False
            if isinstance(frame, Bye):
                log.info("the counter said bye: %s", frame.why)
                return frame.why == "done"
            if not await _serve(counter, link, frame):
                return False
    return False


async def _serve(counter: ClientConnection, link: CardLink, run: Run) -> bool:
    """One batch: answers, or bye with what happened to the card."""
    working = asyncio.create_task(asyncio.to_thread(_run_one_by_one, link, run.apdus))
    try:
        while not (await asyncio.wait({working}, timeout=WAIT_EVERY_S))[0]:
            await counter.send(Wait(seq=run.seq).model_dump_json())
        answers = await working
    except CardRemovedError:
        await counter.send(Bye(why="removed").model_dump_json())
        return False
    except CardMuteError:
        await counter.send(Bye(why="mute").model_dump_json())
        return False
    except DeviceError:
        await counter.send(Bye(why="broken").model_dump_json())
        return False
    await counter.send(Answers(seq=run.seq, answers=answers).model_dump_json())
    return True


def _run_one_by_one(link: CardLink, apdus: list[bytes]) -> list[bytes]:
    """What an app does with its NFC interface: send, collect, stop at the first answer that ends the batch."""
    answers: list[bytes] = []
    for apdu in apdus:
        answers += link.transmit_many([apdu])
        if ends_batch(answers[-1]):
            break
    return answers


def main() -> int:
    """Relay one card; the exit code says how it ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True, help="wss:// address from the counter's QR code")
    parser.add_argument("--token", required=True, help="the pairing token from the same code; it serves once")
    parser.add_argument("--reader", default="", help="part of a PC/SC reader's name")
    parser.add_argument("--cable", type=int, metavar="PORT", help="no PC/SC: a simulated card joins here")
    parser.add_argument("--ca", type=Path, help="PEM of the authority that signed the counter's certificate")
    parser.add_argument("--wait", type=float, default=30.0, help="seconds to wait for a card")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    kind = ReaderKind.PCSC if asked.cable is None else ReaderKind.CABLE
    readers = open_readers(kind, name_contains=asked.reader, cable_port=asked.cable or 0)
    readers.start()
    try:
        link = readers.wait_for_card(asked.wait, lambda: False)
    except DeviceError as error:
        print(f"no card: {error}", file=sys.stderr)
        readers.stop()
        return NO_CARD
    context = ssl.create_default_context(cafile=asked.ca) if asked.url.startswith("wss:") else None
    try:
        done = asyncio.run(relay(link, asked.url, asked.token, context))
    except (OSError, InvalidHandshake, WebSocketException) as error:
        print(f"the counter cannot be reached: {type(error).__name__}", file=sys.stderr)
        done = False
    finally:
        link.close()
        readers.stop()
    return DONE if done else REFUSED


if __name__ == "__main__":
    sys.exit(main())
