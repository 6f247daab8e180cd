"""The touch page, as it was built: files of kiosk/web/dist and nothing else."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

DIST = Path(__file__).parent / "web" / "dist"
NAMED_BY_CONTENT = "public, max-age=31536000, immutable"  # the build puts a hash of the content into these names
NOT_BUILT = "The touch page is not built. Run: ./run build\n"


class BuiltPage(StaticFiles):
    """Built files, with caching that fits their names."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or starlette's 404."""
        answer = await super().get_response(path, scope)
        answer.headers["cache-control"] = NAMED_BY_CONTENT if path.startswith("assets/") else "no-cache"
        return answer


def mount_screen(app: Starlette, dist: Path = DIST) -> None:
    """Serve the page at `/`; without a build, say how to make one instead of failing at the start."""
    if dist.is_dir():
        app.mount("/", BuiltPage(directory=dist, html=True), name="screen")
        return

    async def not_built(_: Request) -> Response:
        return PlainTextResponse(NOT_BUILT, 503)

    app.add_route("/", not_built)
