"""Write `observability.yaml`: thresholds from the election files, every alarm, the dashboard.

python -m alarms           # exit status 1 when the file is not what they say
python -m alarms --write   # bring it up to date
"""

import argparse
import sys

from reassort.election import ElectionFileError

from alarms.template import TEMPLATE, written


def main(arguments: list[str] | None = None) -> int:
    """Compare, or write."""
    parser = argparse.ArgumentParser(
        description="Write observability.yaml from elections/*.yaml and the table of alarms."
    )
    parser.add_argument("--write", action="store_true", help="bring the file up to date")
    write = parser.parse_args(arguments).write
    try:
        wanted = written()
    except ElectionFileError as error:
        print(error, file=sys.stderr)
        return 2
    if TEMPLATE.is_file() and TEMPLATE.read_text(encoding="utf-8") == wanted:
        return 0
    if not write:
        print(
            f"{TEMPLATE.name} is not what the election files and the table of alarms say: make alarms", file=sys.stderr
        )
        return 1
    TEMPLATE.write_text(wanted, encoding="utf-8")
    print(f"{TEMPLATE.name}: brought up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
