import importlib
import os
import sys
from pathlib import Path

import pytest
from joblib.externals.loky import get_reusable_executor

from forecast.families.registry import family_locations

PLUGIN = Path(__file__).parent / "plugin"


@pytest.fixture(scope="session")
def plugin(tmp_path_factory):
    """Install the family `recent_poisson` as a plug-in is: by an entry point, seen by every process started from here.

    A name patched into the registry would be unknown to workers.
    """
    place = tmp_path_factory.mktemp("installed")
    facts = place / "recent_poisson-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: recent-poisson\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[forecast.families]\nrecent_poisson = recent_poisson:RecentPoisson\n")
    root = Path(__file__).parents[2]
    added = [str(place), str(PLUGIN), str(root)]
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([*added, *([before] if before else [])])
    sys.path[:0] = added
    _forget()
    yield importlib.import_module("recent_poisson")
    for path in added:
        sys.path.remove(path)
    os.environ.pop("PYTHONPATH")
    if before:
        os.environ["PYTHONPATH"] = before
    _forget()


def _forget():
    """Workers and this process know the plug-ins of the moment they first looked."""
    get_reusable_executor().shutdown(wait=True)
    family_locations.cache_clear()
