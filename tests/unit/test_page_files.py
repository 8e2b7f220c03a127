"""Files of the pages: one palette, scale of sizes and font in ``tokens.css``; short modules."""

import re
from pathlib import Path

STATIC = Path(__file__).parents[2] / "static"
SHEETS = sorted((STATIC / "styles").glob("*.css"))
TOKENS = STATIC / "styles" / "tokens.css"
LITERAL = re.compile(
    r"#[0-9a-f]{3,8}\b|\b(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|light-dark)\("
    r"|[:\s,(](?:white|black|gr[ae]y|red|green|blue|yellow|orange|navy|silver)(?![\w-])",
    re.IGNORECASE,
)
SIZE = re.compile(r"(?:font-size|border-radius): [^;]*\d(?:rem|px)")
IN_CODE = re.compile(r"#[0-9a-f]{6}\b|\b(?:rgba?|hsla?)\(", re.IGNORECASE)


def stripped(path: Path) -> str:
    """Return a sheet without its comments."""
    return re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL)


def test_colours_stand_in_one_sheet() -> None:
    found = [
        (path.name, match[0].strip())
        for path in SHEETS
        if path != TOKENS
        for match in LITERAL.finditer(stripped(path))
    ]
    assert found == []


def test_sizes_and_the_font_stand_in_one_sheet() -> None:
    for path in SHEETS:
        if path == TOKENS:
            continue
        sheet = stripped(path)
        fluid = re.sub(r"clamp\([^;]*", "", sheet)  # captions grow with the window
        assert SIZE.findall(fluid) == [], path.name
        assert "sans-serif" not in sheet and "system-ui" not in sheet, path.name


def test_what_a_sheet_uses_the_palette_has() -> None:
    defined = set(re.findall(r"(--[\w-]+):", "".join(map(stripped, SHEETS))))
    defined |= set(re.findall(r'setProperty\("(--[\w-]+)"', (STATIC / "listen.js").read_text()))
    for path in SHEETS:
        assert set(re.findall(r"var\((--[\w-]+)", stripped(path))) <= defined, path.name
    used = set(re.findall(r"var\((--[\w-]+)", "".join(map(stripped, SHEETS))))
    assert defined - used - {"--times"} == set()


def test_no_page_and_no_module_names_a_colour() -> None:
    light, dark = re.findall(r"--page: light-dark\((#\w+), (#\w+)\)", stripped(TOKENS))[0]
    for path in STATIC.glob("*.html"):
        markup = path.read_text("utf-8")
        themes = re.findall(r'name="theme-color" content="(#\w+)"', markup)
        assert themes in ([], [light, dark]), path.name
        assert len(IN_CODE.findall(markup)) == len(themes), path.name
    for path in STATIC.rglob("*.js"):
        assert IN_CODE.findall(path.read_text("utf-8")) == [], path.name


def test_every_sheet_is_loaded() -> None:
    loaders = (*STATIC.glob("*.html"), STATIC / "overlay.js", STATIC / "people.js")
    code = "".join(path.read_text("utf-8") for path in loaders)
    assert [path.name for path in SHEETS if path.stem not in code] == []


def test_what_lies_over_a_card_differs_from_it_in_the_dark() -> None:
    (card,) = re.findall(r"--card: light-dark\(#\w+, (#16\w+)\)", stripped(TOKENS))
    raised = re.findall(r"--raised: light-dark\(#\w+, (#\w+)\)", stripped(TOKENS))[0]
    assert raised > card
    panels = stripped(TOKENS.parent / "panels.css")
    assert "background: var(--raised)" in panels.partition(".popover {")[2].partition("}")[0]
