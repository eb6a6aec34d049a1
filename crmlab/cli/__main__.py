"""``python -m crmlab.cli``: the same as the command ``crmlab``."""

import sys

from crmlab.cli import main

sys.exit(main())
