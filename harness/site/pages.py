"""The pages of the voter space, and the bytes that a first look at one may take."""

from local.processes import ROOT

PAGES = tuple(sorted(path.name for path in (ROOT / "site" / "pages").glob("*.html")))
FIRST_LOAD = 60_000
