"""Makes the pictures of docs/reports.md: `python docs/screenshots.py [CHROMIUM]` (needs the extra `browser`, and pillow).

The texts were written for this project, some of them as a spinner would leave them.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

import restore
from restore.reports import write_html

DOCS = Path(__file__).resolve().parent
EXAMPLES = DOCS.parent / "examples"

TEXTS = {
    "2021/harbour-bridge.txt": "The metropolis council stated on Monday that the outdated bridge over the harbour will probably "
    "be changed inside 4 years. A brand new examine discovered cracks in lots of its metal beams. “People ought to "
    "not fear,” the engineer stated, “however the work can’t wait.” The federal government can pay half of the worth.",
    "2021/market-day.txt": "On market day the square fills before seven. Farmers from the valley sell apples, honey and "
    "cheese from the backs of their vans, and the baker keeps a stall beside the fountain until the last loaf is gone.",
    "2021/school-meals.txt": "Faculties within the district will serve free meals to all youngsters from subsequent yr, "
    "officers stated. Analysis exhibits that college students who eat nicely study higher. Some dad and mom had complained "
    "about the price of lunch, and many individuals signed a letter to the mayor.",
    "2022/night-trains.txt": "Night time trains are coming again. The railway firm introduced three new routes, and "
    "stated that extra folks select to journey with out flying due to local weather change. Tickets will price lower "
    "than a lodge room, in keeping with the corporate.",
    "2022/wind-farm.txt": "The wind farm off the northern coast started producing energy final month. It is going to present "
    "sufficient electrical energy for about 90,000 properties. Chook consultants had warned of hurt to seabirds, so the "
    "generators are stopped throughout the spring migration.",
    "2022/recipe-soup.txt": "Peel and chop the onions and let them soften in butter over a low heat. Add the potatoes and "
    "enough water to cover them, and cook until a fork goes in without effort. Season with salt, pepper and a little nutmeg.",
    "2022/chess-club.txt": "The chess club meets on Thursdays in the back room of the library. Beginners are welcome, "
    "boards are provided, and there is tea. In spring the club plays a friendly match against the neighbouring town.",
    "2023/robot-lab.txt": "Researchers on the college have constructed a robotic that learns to stroll by watching animals. "
    "The examine, printed this week, makes use of synthetic intelligence and a small pc contained in the machine. The staff "
    "hopes to make use of the know-how in search and rescue.",
    "2023/housing.txt": "Home costs within the capital rose once more final yr, and plenty of younger individuals can not "
    "afford to purchase. The minister stated the federal government would construct extra inexpensive houses, however critics "
    "stated the plan was too small.",
}


def main(browser: str) -> None:
    """Every picture, at the widths of a desk and a phone, light and dark."""
    engine = restore.Restorer()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        one, many = Path(folder) / "one.html", Path(folder) / "many.html"
        texts = {
            name: (EXAMPLES / name).read_text(encoding="utf-8") for name in ("spun.txt", "original.txt", "clean.txt")
        }
        write_html([("examples/spun.txt", engine.restore(texts["spun.txt"]))], one)
        both = {**{f"examples/{name}": text for name, text in texts.items()}, **TEXTS}
        write_html(((name, engine.restore(text)) for name, text in both.items()), many, "Pages of 2021 to 2023")
        chromium = play.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        desk: dict[str, Any] = {"viewport": {"width": 1280, "height": 860}}
        phone: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
        phone["device_scale_factor"] = 1.5
        for name, page, size, scheme, keys in (
            ("report-merged", f"{one.as_uri()}#0.36", desk, "light", ""),
            ("report-sides", one.as_uri(), desk, "dark", "vnnnnnn"),
            ("report-phone", f"{one.as_uri()}#0.33", phone, "light", ""),
            ("report-phone-dark", one.as_uri(), phone, "dark", ""),
            ("report-index", many.as_uri(), desk, "light", ""),
            ("report-index-dark", many.as_uri(), desk, "dark", ""),
            ("report-index-phone", many.as_uri(), phone, "light", ""),
        ):
            tab = chromium.new_page(**size, color_scheme=scheme, reduced_motion="reduce")
            tab.set_default_timeout(180_000)
            tab.goto(page)
            for key in keys:
                tab.keyboard.press(key)
            tab.wait_for_timeout(300)
            picture = Image.open(BytesIO(tab.screenshot()))
            picture.convert("RGB").quantize(96).save(DOCS / f"{name}.png", optimize=True)
            tab.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else shutil.which("chromium") or "chromium")
