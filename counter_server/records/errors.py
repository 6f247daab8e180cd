"""What can go wrong with a record. A check that fails is not here: it is a value, see `verify.Check`.

RecordError
├── RecordFormatError     these bytes are no record of ours              → refuse the file, name it to the operator
├── RecordExistsError     a sealed folder of this number is already there → sweep, then seal again
├── RecordUnknownError    no record of that number in the database       → say "not found"
├── KeepingError          a law, a hold or the settings forbid it        → say until when and why; nothing was erased
├── StoreError            the disk did not keep what it was given        → the visit stays unsealed; try again
└── RecordKeyError
    ├── KeyFileError      a key file is missing, damaged or readable by others → operator: mend before starting
    │   └── KeyUnsupportedError  the token knows no such keys  → operator: another token, or this key in a file
    └── WrongKeyError     this key does not open that object             → refuse; nothing was opened
        └── NoKeyError    it is sealed for somebody else
            └── WithheldError  for a key that was erased or not handed over → leave it out, and say so
"""

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

# What `cryptography`, and taking such a structure apart, end in where bytes of a stranger's are no certificate or hold
# what it does not know. Doors that read certificates turn these into one of the errors below.
UNREADABLE = (
    ValueError,
    TypeError,
    LookupError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


class RecordError(Exception):
    """The family of everything that goes wrong with records."""


class RecordFormatError(RecordError):
    """The bytes are not what a record of ours holds at this place."""


class RecordExistsError(RecordError):
    """A sealed folder of this number already exists and is never overwritten."""


class RecordUnknownError(RecordError):
    """The database knows no record of this number."""


class KeepingError(RecordError):
    """What was asked for contradicts how long records are kept."""


class StoreError(RecordError):
    """The disk refused or lost what it was given."""


class RecordKeyError(RecordError):
    """Something about keys."""


class KeyFileError(RecordKeyError):
    """A key file is missing, damaged, or readable by others than its owner."""


class KeyUnsupportedError(KeyFileError):
    """The token that was to hold a key knows no keys of that kind."""


class WrongKeyError(RecordKeyError):
    """This key does not open that object, or the object is damaged."""


class NoKeyError(WrongKeyError):
    """The object is sealed for another key."""


class WithheldError(NoKeyError):
    """The object is sealed for a key of the record that was erased or not handed over."""
