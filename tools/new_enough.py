"""Is the Python that runs this new enough for Laddbok? Exit 0 if it is; reads as Python 2 too."""

import sys

sys.exit(0 if sys.version_info[:2] >= (3, 11) else 1)
