"""A page that is watched: what goes wrong in it is kept, and fails the test at its end."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Where macOS and Windows keep a browser that is not on the path.
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
# Without these, Chromium asks its maker for updates and lists, and no sandbox opens for root.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A camera that shows a moving test picture, and is granted without a question.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
WITHIN = ("data", "blob", "about")


def chromium() -> str | None:
    """Find a Chromium on this computer; CONVLAB_CHROMIUM names one."""
    given = os.environ.get("CONVLAB_CHROMIUM")
    found = (given, *map(shutil.which, NAMES), *filter(lambda place: Path(place).exists(), PLACES))
    return next(filter(None, found), None)


def watch(page: Any, home: str) -> list[str]:
    """Collect what a page should not do: errors, failed requests, requests to other hosts."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("console", lambda said: complaints.extend(console_errors(said)))
    page.on("requestfailed", lambda request: complaints.extend(failures(request)))
    page.on("response", lambda answer: complaints.extend(refusals(answer)))
    page.on("request", lambda request: complaints.extend(outside(request, home)))
    return complaints


def console_errors(message: Any) -> list[str]:
    """Messages of the console that tell of an error."""
    # A missing file is told twice: as an answer, with its address, and here, without.
    if message.type != "error" or message.text.startswith("Failed to load resource"):
        return []
    return [f"console: {message.text}"]


def failures(request: Any) -> list[str]:
    """Requests without an answer; those that the page itself gave up are none."""
    if request.failure == "net::ERR_ABORTED":
        return []
    return [f"failed: {request.url} ({request.failure})"]


def refusals(answer: Any) -> list[str]:
    """Answers that are errors."""
    return [f"{answer.status}: {answer.url}"] if answer.status >= 400 else []


def outside(request: Any, home: str) -> list[str]:
    """Requests to another host than that of the page."""
    asked, own = urlsplit(request.url), urlsplit(home)
    if asked.scheme in WITHIN or (asked.scheme, asked.netloc) == (own.scheme, own.netloc):
        return []
    return [f"another host: {request.url}"]
