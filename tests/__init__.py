"""The tests. They read the English of the command, from which its French is translated."""

import os

# Before anything that reads it; children inherit it.
os.environ["REASSORT_LANG"] = "en"
