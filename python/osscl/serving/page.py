"""The page at ``/``, where one drops a recording and sees what the model says of it."""

from importlib.resources import files

from fastapi import FastAPI, Response

from osscl.support.installed import has_module

_FOLDER = files("osscl.serving") / "templates"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; media-src blob:; "
    "img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_PARTS = {
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
}

_WITHOUT_RESAMPLING = (
    b'type="checkbox"> convert its sample rate',
    b'type="checkbox" disabled> convert its sample rate (this server lacks osscl[resample])',
)


def add_to(app: FastAPI) -> None:
    """Add the page to an application.

    Parameters
    ----------
    app : FastAPI
        Which answers at ``/v1/machines``, ``/v1/score`` and ``/v1/explain``.
    """
    for path, (name, media_type) in _PARTS.items():
        content = (_FOLDER / name).read_bytes()
        if path == "/" and not has_module("soxr"):
            content = content.replace(*_WITHOUT_RESAMPLING)
        _add(app, path, content, media_type)


def _add(app: FastAPI, path: str, content: bytes, media_type: str) -> None:
    async def part() -> Response:
        return Response(content, media_type=media_type, headers={"content-security-policy": _POLICY})

    app.add_api_route(path, part, include_in_schema=False)
