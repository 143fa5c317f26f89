"""Takes the picture of a page for the README: `python docs/images/shoot.py page.html tour.png`.

Needs `pip install playwright` and a Chromium.
"""

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright


def main() -> None:
    """Opens a page in a headless Chromium and writes what it shows."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("page", type=Path, help="the page to open")
    parser.add_argument("picture", type=Path, help="the PNG to write")
    parser.add_argument("--dark", action="store_true", help="show the dark theme")
    parser.add_argument("--width", type=int, default=1000, help="CSS pixels")
    parser.add_argument("--height", type=int, default=1100, help="CSS pixels; 0 for the whole page")
    parser.add_argument("--start", help="the heading to begin with, instead of the top")
    arguments = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(
            viewport={"width": arguments.width, "height": arguments.height or 800},
            color_scheme="dark" if arguments.dark else "light",
            device_scale_factor=2,
        )
        page.goto(arguments.page.resolve().as_uri())
        if arguments.start:
            page.get_by_role("heading", name=arguments.start).evaluate(
                "heading => scrollTo(0, heading.getBoundingClientRect().top - 24)"
            )
        page.screenshot(path=arguments.picture, full_page=not arguments.height)
        browser.close()


if __name__ == "__main__":
    main()
