"""An explorer in its chapter: a link leads to it with its state."""

from __future__ import annotations


def test_a_link_to_an_explorer_leads_there_with_its_state(page, book):
    page.goto(f"{book}/book/strides.html#explorer-strides?view=sweep&strides=4&height=9&width=9")
    place = page.locator("#explorer-strides")
    assert place.locator(".cx-where").inner_text() == "1 of 4"
    assert page.evaluate("scrollY") > 0
    top = place.bounding_box()["y"]
    assert 0 <= top < 400
    place.get_by_role("button", name="Reset").click()
    assert place.locator(".cx-where").inner_text() == "1 of 5"
