"""Credentials for a TURN server, good for minutes: what coturn calls its REST API (`use-auth-secret`).

The user name is the time it ends and a name of ours, the password an HMAC over it. coturn computes the same from the
shared secret, so nothing is stored anywhere and nobody can go on relaying through it after the call.
Source: draft-uberti-behave-turn-rest-00 §2.2.
"""

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

# A page allocates when it gets its offer and refreshes with the same credentials; a call is longer than an offer, so
# the time covers a long visit rather than a handshake.
GOOD_FOR_S = 2 * 3600


@dataclass(frozen=True, slots=True, repr=False)
class TurnServer:
    """Where to relay through, and the secret shared with it; never shown by repr."""

    urls: tuple[str, ...]
    secret: bytes

    def credentials(self, name: str, now_s: float) -> tuple[str, str]:
        """User name and password for one leg; `name` must say nothing about the customer."""
        user = f"{int(now_s) + GOOD_FOR_S}:{name}"
        return user, base64.b64encode(hmac.digest(self.secret, user.encode(), "sha1")).decode()


def turn_server(urls: Sequence[str], secret: bytes) -> TurnServer | None:
    """None without addresses; `ValueError` for an address no browser takes, or a secret somebody could guess."""
    if not urls:
        return None
    for url in urls:
        if not url.startswith(("turn:", "turns:")):
            raise ValueError(f"a TURN address begins with turn: or turns:, not {url.partition(':')[0]}")
    if len(secret.strip()) < 16:
        raise ValueError("the secret shared with the TURN server needs 16 characters or more")
    return TurnServer(tuple(urls), secret.strip())
