"""Pages that need no script (receipt check, health) and the built pages of clerks and phones."""

import html
from pathlib import Path
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from counter_server.errors import CounterError
from counter_server.records import service as records
from counter_server.records.log.checkpoint import Checkpoint
from counter_server.records.log.proof import Proof
from counter_server.visits.doors import office_of
from counter_server.visits.once import json_response
from counter_server.visits.receipts import check_receipt, prove
from webrtc.wire.message import ErrorCode, Language
from webrtc.wire.visit import ReceiptCheck

router = APIRouter()

DIST = Path(__file__).parent.parent / "web" / "dist"

WORDS = {
    Language.ZH: {
        "title": "查验回执",
        "number": "记录编号",
        "code": "查验码",
        "check": "查验",
        "intact": "记录真实且完整。",
        "broken": "警告：记录与封存时不一致。请联系我们。",
        "unknown": "编号或查验码不正确。请核对回执后重试。",
        "failed": "未通过的检查",
        "sealed": "封存时间",
        "outcome": "结果",
        "hash": "清单 SHA-256",
        "log": "公开日志",
        "log_place": "{origin} 第 {index} 条，共 {size} 条",
        "outcome_of": "{title}：{outcome}",
        "proof": "下载证明（.tlog-proof）",
        "done": "已办理",
        "refused": "未办理",
    },
    Language.EN: {
        "title": "Check a receipt",
        "number": "Record number",
        "code": "Check code",
        "check": "Check",
        "intact": "The record is genuine and complete.",
        "broken": "Warning: the record is no longer what was sealed. Please contact us.",
        "unknown": "Number or code is wrong. Please compare with your receipt and try again.",
        "failed": "The check that failed",
        "sealed": "Sealed at",
        "outcome": "Outcome",
        "hash": "Manifest SHA-256",
        "log": "Public log",
        "log_place": "entry {index} of {size}, {origin}",
        "outcome_of": "{title}: {outcome}",
        "proof": "Download the proof (.tlog-proof)",
        "done": "done",
        "refused": "not done",
    },
}


@router.get("/livez")
async def livez() -> Response:
    """The loop turns."""
    return Response("ok", media_type="text/plain")


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """The database writes and calls can begin; 503 with what is missing otherwise."""
    office = office_of(request)
    await office.db.run(records.list_records, limit=1)
    ready = office.calls.healthy
    return Response("ready" if ready else "no media worker", 200 if ready else 503, media_type="text/plain")


@router.get("/api/receipts/{record_id}")
async def receipt(request: Request, record_id: str, code: str = "") -> Response:
    """What whoever holds number and code may know."""
    return json_response((await check_receipt(office_of(request), record_id, code)).model_dump_json())


@router.get("/api/receipts/{record_id}/proof")
async def receipt_proof(request: Request, record_id: str, code: str = "") -> Response:
    """The proof that a record is in the public log, for whoever holds number and code."""
    office = office_of(request)
    checked = await check_receipt(office, record_id, code)
    proof = await prove(office, checked.record_id) if checked.known else None
    if proof is None:
        raise CounterError(ErrorCode.NOT_FOUND)
    named = {"Content-Disposition": f'attachment; filename="{checked.record_id}.tlog-proof"'}
    return Response(proof.spelling(), media_type="text/plain; charset=utf-8", headers=named)


@router.get("/check")
async def check_page(request: Request, record: str = "", code: str = "", lang: str = "") -> Response:
    """The receipt check as a page without script."""
    language = _language(request, lang)
    checked: ReceiptCheck | None = None
    proof: Proof | None = None
    status = 200
    if record:
        try:
            checked = await check_receipt(office_of(request), record, code)
            proof = await prove(office_of(request), checked.record_id) if checked.known else None
        except CounterError as error:
            if error.code is not ErrorCode.TOO_MANY_TRIES:
                raise
            status = error.status
    return HTMLResponse(
        _receipt_html(language, record[:24], code[:16], checked, proof), status, headers={"Cache-Control": "no-store"}
    )


def mount_pages(app: FastAPI) -> None:
    """Serve what `build_web.py` built; a page that is not built says so instead of an empty screen."""
    for path, folder in (("/console", "clerk"), ("/phone", "phone")):
        if (DIST / folder / "index.html").exists():
            app.mount(path, StaticFiles(directory=DIST / folder, html=True), name=folder)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")


def _language(request: Request, asked: str) -> Language:
    if asked in ("zh", "en"):
        return Language(asked)
    return Language.ZH if request.headers.get("accept-language", "zh").lower().startswith("zh") else Language.EN


def _receipt_html(language: Language, record: str, code: str, checked: ReceiptCheck | None, proof: Proof | None) -> str:
    words = WORDS[language]
    answer = ""
    if checked is not None:
        key = "unknown" if not checked.known else "intact" if checked.intact else "broken"
        rows = ""
        if checked.known and checked.sealed_at is not None and checked.service_title is not None:
            title = checked.service_title.zh if language is Language.ZH else checked.service_title.en
            outcome = words.get(checked.outcome or "", checked.outcome or "")
            rows = "".join(
                f"<dt>{html.escape(label)}</dt><dd>{html.escape(value)}</dd>"
                for label, value in (
                    (words["outcome"], words["outcome_of"].format(title=title, outcome=outcome)),
                    (words["sealed"], f"{checked.sealed_at:%Y-%m-%d %H:%M:%S} UTC"),
                    (words["hash"], checked.manifest_sha256 or ""),
                )
            )
        if checked.broken is not None:
            rows = f"<dt>{words['failed']}</dt><dd>{html.escape(checked.broken)}</dd>{rows}"
        if proof is not None and checked.known:
            rows += _log_html(words, checked.record_id, code, proof)
        answer = f'<p class="{key}" role="status">{html.escape(words[key])}</p><dl>{rows}</dl>'
    other = Language.EN if language is Language.ZH else Language.ZH
    other_name = "English" if other is Language.EN else "中文"
    return (
        f'<!doctype html><html lang="{"zh-CN" if language is Language.ZH else "en"}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{words["title"]}</title>'
        f'<link rel="stylesheet" href="/static/plain.css"></head><body><main>'
        f'<p class="language"><a href="?lang={other.value}&amp;record={html.escape(record)}" '
        f'lang="{other.value}">{other_name}</a></p>'
        f'<h1>{words["title"]}</h1>{answer}<form method="get" action="/check">'
        f'<input type="hidden" name="lang" value="{language.value}">'
        f'<label>{words["number"]}<input name="record" required value="{html.escape(record)}"></label>'
        f'<label>{words["code"]}<input name="code" required autocomplete="off" value="{html.escape(code)}"></label>'
        f"<button>{words['check']}</button></form></main></body></html>"
    )


def _log_html(words: dict[str, str], record_id: str, code: str, proof: Proof) -> str:
    """Where the record stands in the public log, and the proof to take away: it needs neither us nor our word."""
    checkpoint = Checkpoint.parse(proof.note.text)
    place = words["log_place"].format(index=proof.index + 1, size=checkpoint.size, origin=checkpoint.origin)
    link = f"/api/receipts/{quote(record_id)}/proof?code={quote(code)}"
    return (
        f"<dt>{html.escape(words['log'])}</dt><dd>{html.escape(place)}, {html.escape(checkpoint.origin)}<br>"
        f'<a href="{html.escape(link)}">{html.escape(words["proof"])}</a></dd>'
    )
