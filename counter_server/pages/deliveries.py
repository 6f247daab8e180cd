"""Who was told what, for supervisors: a plain table without script, and without what was told."""

import html
import time

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from counter_server.errors import CounterError
from counter_server.outbox import service
from counter_server.outbox.service import DeliveryRow, DeliveryState
from counter_server.visits.doors import Clerk, office_of
from webrtc.wire.console import ClerkView
from webrtc.wire.message import ErrorCode, Language

router = APIRouter(prefix="/console/deliveries")

# "no-referrer", which every other page has, makes a form's origin "null", and the guards refuse that
HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}

COLUMNS = ("number", "made", "record", "subscriber", "state", "tries", "trouble", "act")
WORDS = {
    Language.ZH: {
        "title": "对外通知",
        "lead": "每份记录封存后通知谁、是否送达。未送达的会自动重试；放弃的要由您决定。",
        "none": "还没有任何通知。",
        "back": "返回工作台",
        "number": "编号",
        "made": "时间（UTC）",
        "record": "记录",
        "subscriber": "接收方",
        "state": "状态",
        "tries": "次数",
        "trouble": "原因",
        "act": "处理",
        "retry": "重试",
        "drop": "放弃",
        "waiting": "等待送达",
        "delivered": "已送达",
        "dead": "多次未送达",
        "dropped": "已放弃",
    },
    Language.EN: {
        "title": "Deliveries",
        "lead": "Who was told of each sealed record, and whether it arrived. What did not is tried again; "
        "what was given up is yours to decide.",
        "none": "Nobody was told anything yet.",
        "back": "Back to the console",
        "number": "No.",
        "made": "Time (UTC)",
        "record": "Record",
        "subscriber": "To",
        "state": "State",
        "tries": "Tries",
        "trouble": "Reason",
        "act": "Decide",
        "retry": "Retry",
        "drop": "Drop",
        "waiting": "waiting",
        "delivered": "delivered",
        "dead": "given up",
        "dropped": "dropped",
    },
}


@router.get("")
async def deliveries(request: Request, clerk: Clerk) -> Response:
    """The newest two hundred."""
    _supervises(clerk)
    rows = await office_of(request).db.run(service.list_deliveries)
    return HTMLResponse(_page(clerk.language, rows), headers=HEADERS)


@router.post("/{number}/retry")
async def retry(request: Request, clerk: Clerk, number: int) -> Response:
    """Try once more; pressed twice is pressed once."""
    _supervises(clerk)
    await office_of(request).db.run(service.retry, number)
    return RedirectResponse("/console/deliveries", 303)


@router.post("/{number}/drop")
async def drop(request: Request, clerk: Clerk, number: int) -> Response:
    """Give it up for good."""
    _supervises(clerk)
    await office_of(request).db.run(service.drop, number)
    return RedirectResponse("/console/deliveries", 303)


def _supervises(clerk: ClerkView) -> None:
    if "supervisor" not in clerk.roles:
        raise CounterError(ErrorCode.NOT_ALLOWED)


def _page(language: Language, rows: list[DeliveryRow]) -> str:
    words = WORDS[language]
    head = "".join(f'<th scope="col">{words[column]}</th>' for column in COLUMNS)
    body = "".join(_row(words, row) for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if rows else f"<p>{words['none']}</p>"
    return (
        f'<!doctype html><html lang="{"zh-CN" if language is Language.ZH else "en"}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{words["title"]}</title>'
        f'<link rel="stylesheet" href="/static/plain.css"></head><body><main class="wide">'
        f'<p class="language"><a href="/console">{words["back"]}</a></p><h1>{words["title"]}</h1>'
        f'<p>{words["lead"]}</p><div class="scrolls" tabindex="0" role="region" aria-label="{words["title"]}">{table}'
        "</div></main></body></html>"
    )


def _row(words: dict[str, str], row: DeliveryRow) -> str:
    made = time.strftime("%m-%d %H:%M:%S", time.gmtime(row.made_at_s))
    cells = (str(row.number), made, row.record_id, row.subscriber, words[row.state.value], str(row.attempts))
    shown = "".join(f"<td>{html.escape(cell)}</td>" for cell in (*cells, row.trouble or ""))
    return f'<tr data-state="{row.state.value}">{shown}<td>{_decide(words, row)}</td></tr>'


def _decide(words: dict[str, str], row: DeliveryRow) -> str:
    if row.state not in (DeliveryState.DEAD, DeliveryState.WAITING) or (
        row.state is DeliveryState.WAITING and row.attempts == 0
    ):
        return ""
    return "".join(
        f'<form method="post" action="/console/deliveries/{row.number}/{what}">'
        f'<button aria-label="{words[what]} {row.number}">{words[what]}</button></form>'
        for what in ("retry", "drop")
    )
