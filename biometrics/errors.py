"""What can go wrong between a picture and a decision.

BiometricsError
├── LibraryMissingError   a library an engine needs is not installed       → operator: the message names the command
├── ModelError            weights are absent or not the ones we measured   → operator: install them again
├── ManifestError         an operator's engine is described wrongly        → operator: the message names the field
├── CalibrationError      thresholds absent, broken or made for another engine → operator: calibrate; nothing is decided
├── EvaluationDataError   the folder holds too few people to measure       → whoever evaluates
├── PortraitError         nothing to compare with comes out of a portrait
│   ├── PortraitUnreadableError  bytes are no JPEG or JPEG 2000, or too many pixels → go on without comparing
│   └── PortraitFaceError        no face, or more than one                          → go on without comparing
├── FingerImageError      no picture of a finger: shape, size or dpi       → operator: check the scanner's settings
├── TemplateError         a finger template is not written as its standard says → treated as absent; taken anew
└── EngineAbsentError     an optional engine is not installed or does not start → go on with the default engine

A face or finger that does not match, a poor impression, or a person who does not move, is no error but a
decision or an advice.
"""


class BiometricsError(Exception):
    """Root of the family; no other exception leaves this package."""


class LibraryMissingError(BiometricsError):
    """A library is not installed, or cannot be loaded on this machine."""


class ModelError(BiometricsError):
    """A weight file is missing or its hash is not the one the figures were measured with."""


class ManifestError(BiometricsError):
    """What an operator wrote about a network of their own cannot be used."""


class CalibrationError(BiometricsError):
    """There are no thresholds for this engine, so no score of it means anything."""


class EvaluationDataError(BiometricsError):
    """The folder does not hold enough people or pictures."""


class PortraitError(BiometricsError):
    """The portrait cannot serve as a reference."""


class PortraitUnreadableError(PortraitError):
    """The bytes are not a picture we are willing to decode."""


class PortraitFaceError(PortraitError):
    """The picture does not show exactly one face."""


class FingerImageError(BiometricsError):
    """The array cannot be a picture of a finger, or nobody told its resolution."""


class TemplateError(BiometricsError):
    """The bytes are not a finger template in the format asked for."""


class EngineAbsentError(BiometricsError):
    """The optional engine cannot be loaded on this machine."""
