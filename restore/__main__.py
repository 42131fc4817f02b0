"""`python -m restore`: the command line."""

import sys

from restore.cli import run

sys.exit(run())
