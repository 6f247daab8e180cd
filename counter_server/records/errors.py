"""What can go wrong with a record. A check that fails is not here: it is a value, see `verify.Check`.

RecordError
├── RecordFormatError     these bytes are no record of ours              → refuse the file, name it to the operator
├── RecordExistsError     a sealed folder of this number is already there → sweep, then seal again
├── RecordUnknownError    no record of that number in the database       → say "not found"
├── StoreError            the disk did not keep what it was given        → the visit stays unsealed; try again
└── RecordKeyError
    ├── KeyFileError      a key file is missing, damaged or readable by others → operator: mend before starting
    └── WrongKeyError     this key does not open that object             → refuse; nothing was opened
"""


class RecordError(Exception):
    """The family of everything that goes wrong with records."""


class RecordFormatError(RecordError):
    """The bytes are not what a record of ours holds at this place."""


class RecordExistsError(RecordError):
    """A sealed folder of this number already exists and is never overwritten."""


class RecordUnknownError(RecordError):
    """The database knows no record of this number."""


class StoreError(RecordError):
    """The disk refused or lost what it was given."""


class RecordKeyError(RecordError):
    """Something about keys."""


class KeyFileError(RecordKeyError):
    """A key file is missing, damaged, or readable by others than its owner."""


class WrongKeyError(RecordKeyError):
    """This key does not open that object, or the object is damaged."""
