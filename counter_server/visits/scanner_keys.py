"""Whose key a scanner signs with: remembered from the first picture on, so that no device passes for another.

An SBI statement holds the device's identity as a statement of its own, and nothing binds the two but that one device
should have signed both. A device that somebody vouches for could thus put another's signed identity beside its own
picture. Hence two rules: a key that has signed as one device never signs as another again; and where a device has
signed its identity with the very key of its pictures (SBI's level L0), that identity under another key is a stolen one.
"""

import time

from sqlalchemy import Connection, insert, select, update

from counter_server.identification.signed_finger import SignedFinger
from counter_server.visits.tables import scanner_key

DEVICE_MAX = 512  # of the column; longer names are cut alike whenever they come


def belong_together(connection: Connection, believed: SignedFinger) -> bool:
    """Whether picture and identity are one device's, as far as its keys are known; new ones are its own from now on."""
    device = believed.device[:DEVICE_MAX]
    keys = {believed.identity_key: False, believed.capture_key: True}
    rows = connection.execute(select(scanner_key).where(scanner_key.c.key_sha256.in_(keys))).all()
    if any(row.device != device for row in rows):
        return False
    known = {row.key_sha256: bool(row.signs_pictures) for row in rows}
    if believed.capture_key != believed.identity_key and known.get(believed.identity_key):
        return False
    for key, pictures in keys.items():
        if key not in known:
            new = {"key_sha256": key, "device": device, "signs_pictures": int(pictures), "first_seen_at_s": time.time()}
            connection.execute(insert(scanner_key).values(**new))
        elif pictures and not known[key]:  # so far it only stood beside pictures: the thief's, if it was stolen
            connection.execute(update(scanner_key).where(scanner_key.c.key_sha256 == key).values(signs_pictures=1))
    return True
