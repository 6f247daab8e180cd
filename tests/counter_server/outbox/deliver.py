"""A counter's outbox as a process of its own, to be killed: arguments HOME URL CA_FILE RECORD…

Says each record's number only after its transaction is on the disk, as a counter acknowledges; then delivers for ever.
"""

import asyncio
import sys
from pathlib import Path

from counter_server.db import Database
from counter_server.outbox import service
from counter_server.outbox.courier import Courier, make_carriers
from counter_server.outbox.subscribers import OutboxSettings, WebhookSettings
from tests.counter_server.outbox.builders import occasion, write_secret
from tests.counter_server.outbox.receiver import HERE, HOST, to_here


async def main(home: Path, url: str, ca_file: Path, records: list[str]) -> None:
    hook = WebhookSettings(url=url, secret_file=write_secret(home), ca_file=ca_file, fields=("address",))
    settings = OutboxSettings(hosts=(HOST,), networks=HERE, webhook={"core": hook}, first_pause_s=0.05)
    database = Database(home / "counter.sqlite3")
    database.open()
    delivering = asyncio.create_task(Courier(database, settings, make_carriers(settings, home, to_here), home).run())
    for record in records:
        await database.run(service.post, settings, occasion(record, f"C-{record[-1]}"))
        print(record, flush=True)
    await delivering


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4:]))
