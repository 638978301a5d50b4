"""Keras and convlab side by side: the same expressions, arrays and seeds given to both.

`.venv/bin/pytest tests/parity` compares them; `-k` with a piece of an id picks single cases.
Where the two differ on purpose, `book/_tools/differences.py` says so, and the book prints it.
"""
