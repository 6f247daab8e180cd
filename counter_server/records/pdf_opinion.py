"""A second opinion on contracts, where a PDF library is installed: what each revision changed, judged by pyHanko.

Kept apart from `verify_content`, which must run with the standard library and `cryptography` alone.
"""

from importlib.util import find_spec

from cryptography import x509

from counter_server.records.examination import BrokenError, Examination
from counter_server.records.record import CONTRACT_ROOT, ObjectClass
from counter_server.records.verify import Step
from counter_server.records.verify_clock import accepted_clocks


def opinions() -> tuple[Step, ...]:
    """What a PDF library says of the contract, where one is installed."""
    return () if find_spec("pyhanko") is None else (pdf_library_agrees,)


def pdf_library_agrees(examination: Examination) -> str:
    """Last: pyHanko finds the contract's signatures good, and between them nothing but places filled in and proof."""
    manifest = examination.manifest
    if all(item.name != CONTRACT_ROOT for item in manifest.objects):
        return "signed by statements alone"
    from counter_server.signing.examine import examine  # noqa: PLC0415 - pyHanko loads for a second

    root = x509.load_pem_x509_certificate(examination.content(CONTRACT_ROOT))
    clocks = accepted_clocks(examination)
    contracts = [item.name for item in manifest.objects if item.object_class is ObjectClass.CONTRACT]
    for name in set(contracts) - examination.withheld:
        flaws = examine(examination.content(name), root, clocks, closed=len(manifest.signatures) > 1).flaws
        if flaws:
            raise BrokenError(f"{name}: {flaws[0]}")
    return f"{len(contracts)} contracts"
