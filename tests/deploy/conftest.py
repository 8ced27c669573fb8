"""What reads the templates is in test_template.py, for other tests as well."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
