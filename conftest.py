"""What every test needs: notebooks are compared with their pictures."""

pytest_plugins = ["comparison"]
