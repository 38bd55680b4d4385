"""Pages that a browser opens, with what they ask for and complain of: for tests."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page

PHONE = {"width": 375, "height": 740}
DESKTOP = {"width": 1280, "height": 900}
WAYS = pytest.mark.parametrize("address", ["http", "file"], indirect=True)
COLORS = ["color-contrast", "link-in-text-block"]
# A formula has hundreds of letters, and all have one colour: axe, which takes milliseconds for the
# contrast of each, looks at three of every colour, size and ground.
HIDE_ALIKE = """() => {
    const grounds = new Map([[null, ""]]);
    function ground(element) {
        if (!grounds.has(element)) {
            const { backgroundColor, backgroundImage, opacity, filter } = getComputedStyle(element);
            const own = [backgroundColor, backgroundImage, opacity, filter].join();
            const plain = own === "rgba(0, 0, 0, 0),none,1,none";
            grounds.set(element, ground(element.parentElement) + (plain ? "" : own));
        }
        return grounds.get(element);
    }
    const alike = new Map();
    for (const letter of document.body.querySelectorAll("*")) {
        if (letter.children.length || !letter.textContent.trim()) continue;
        if (!letter.checkVisibility()) continue;
        const { color, fontSize, fontWeight, textShadow } = getComputedStyle(letter);
        const key = [color, fontSize, fontWeight, textShadow, ground(letter)].join();
        if (alike.has(key)) alike.get(key).push(letter);
        else alike.set(key, [letter]);
    }
    for (const letters of alike.values()) {
        for (const letter of letters.slice(3)) letter.style.visibility = "hidden";
    }
}"""
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
    # What passes need not be described: that would take the longest.
    short = {"resultTypes": ["violations"], "reporter": "no-passes"}
    rest = short | {"rules": {rule: {"enabled": False} for rule in COLORS}}
    found = Axe().run(page, options=rest).response["violations"]
    page.evaluate(HIDE_ALIKE)
    found += Axe().run(page, options=short | {"runOnly": COLORS}).response["violations"]
    return [
        f"{violation['id']}: {[node['target'] for node in violation['nodes']]}"
        for violation in found
        if violation["impact"] in {"serious", "critical"}
    ]
