"""What can go wrong between a form and a signed document.

SigningError
├── UnprintableError       a value has a character the fonts lack (carries field)  → page: this field, other spelling
├── SignatureEmptyError    a dot, a tap or nothing on the pad                      → page: please sign
├── FontsMissingError      the system lacks the document fonts (names the package) → operator: install
├── TemplateUnknownError   no such template or page                                → a mistake of ours: internal error
├── RenderingError         typst refused for another reason                        → a mistake of ours: internal error
├── SignerGoneError        whoever holds a key refused or did not answer           → operator; the act is not done
│   └── SignerUnableError  it knows no such kind of key                            → operator: another holder
├── TimeStampError         the time stamp authority refused or did not answer      → operator; the act is not done
└── SigningLateError       a signature was not made in its time                    → operator; the act is not done
"""


class SigningError(Exception):
    """The family of everything that goes wrong with documents and signatures."""


class UnprintableError(SigningError):
    """A value cannot be printed exactly as it is. `field` names it; the value itself is not repeated."""

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(f"field {field!r} has a character the document's fonts lack")


class SignatureEmptyError(SigningError):
    """What is on the pad is no signature."""


class FontsMissingError(SigningError):
    """The fonts of documents are not installed."""


class TemplateUnknownError(SigningError):
    """There is no template, or no page, of that name."""


class RenderingError(SigningError):
    """Typst refused for a reason that is not a value's character."""


class SignerGoneError(SigningError):
    """Whoever holds a signing key refused, or did not answer."""


class SignerUnableError(SignerGoneError):
    """Whoever holds keys here knows no keys of this kind, and never will by asking again."""


class TimeStampError(SigningError):
    """The time stamp authority refused, did not answer, or answered something else."""


class SigningLateError(SigningError):
    """A signature was not made within its time; the process that was at it has been ended."""
