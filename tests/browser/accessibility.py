"""What axe finds on a page: every rule, serious or not."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe


def violations(
    page: Any, within: Any = None, allowed: dict[str, str] | None = None
) -> list[str]:
    """List what axe objects to, a line for each element.

    `within` is a selector, or an object as axe takes it; without it, the whole page counts.
    `allowed` maps the id of a rule to the reason why it does not count.
    """
    # Without `preload`: axe would fetch the style sheets again, some from where they are not.
    result = Axe().run(page, context=within, options={"preload": False}).response
    return [
        f"{found['id']} ({found['impact']}): {node['html'][:200]} {node['failureSummary']}"
        for found in result["violations"]
        if found["id"] not in (allowed or {})
        for node in found["nodes"]
    ]
