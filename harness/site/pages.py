"""The pages of the voter space, and the bytes that a first look at one may take."""

from local.processes import ROOT

PAGES = tuple(sorted(path.name for path in (ROOT / "site" / "pages").glob("*.html")))
# What is shown, with the status 404, for a page that is not there.
MISSING = "404.html"
# Between them they have every element, every file and every role that any page has: Lighthouse has
# nothing else to judge on the others. `make bench-site` looks at them all.
SCORED = (MISSING, "aide.html", "confidentialite.html", "contestation.html", "index.html", "numen.html")
# Who is not signed in is sent elsewhere.
SCORED_SIGNED_IN = ("demande.html", "suivi.html")
FIRST_LOAD = 60_000
