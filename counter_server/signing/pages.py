"""Pictures of a document's pages, made from the very bytes that are signed."""

import io

import pypdfium2

from counter_server.signing.errors import TemplateUnknownError

WIDEST_PX = 4000  # A4 at 480 dpi; more is a mistake or an attack on memory


def page_png(pdf: bytes, page: int, width_px: int) -> bytes:
    """One page as PNG; pages count from 1. Pdfium is not thread-safe: one call at a time per process."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        if not 1 <= page <= len(document) or not 1 <= width_px <= WIDEST_PX:
            raise TemplateUnknownError("no such page, or a width out of range")
        sheet = document[page - 1]
        picture = sheet.render(scale=width_px / sheet.get_width()).to_pil()
        stored = io.BytesIO()
        picture.save(stored, "PNG")
        return stored.getvalue()
    finally:
        document.close()
