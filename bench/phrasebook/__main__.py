"""Accuracy, as ``python -m bench.phrasebook``."""

import sys

from bench.phrasebook.accuracy import main

if __name__ == "__main__":
    sys.exit(main())
