"""Pages that a browser opens, with what they ask for and complain of: for tests."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page

PHONE = {"width": 375, "height": 740}
DESKTOP = {"width": 1280, "height": 900}
WAYS = pytest.mark.parametrize("address", ["http", "file"], indirect=True)
THEMES = pytest.mark.parametrize("theme", ["light", "dark"])


class Visit:
    """A page that has been opened, with what it asked for and complained of."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("requestfailed", lambda request: self.complaints.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console",
            lambda message: (
                self.complaints.append(message.text)
                if message.type in {"error", "warning"}
                else None
            ),
        )
        self.page.goto(url)
        self.page.wait_for_load_state("load")
        self.page.wait_for_timeout(200)


def violations(page: Page) -> list[str]:
    """Return what axe finds on a page that is serious or critical, all folds open."""
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    page.wait_for_timeout(200)
    # What fades in is too pale for a while.
    page.evaluate(
        "for (const a of document.getAnimations()) if (a.effect.getComputedTiming()"
        ".endTime < Infinity) a.finish()"
    )
    return [
        f"{violation['id']}: {[node['target'] for node in violation['nodes']]}"
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in {"serious", "critical"}
    ]
