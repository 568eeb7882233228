"""The table that `Fitted.summary` returns."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd


def parameter_table(estimates: Mapping[str, float], std_errors: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Return one row a parameter.

    Parameters
    ----------
    estimates : mapping of str to float
        Value of each parameter, in order; empty for a family without any.
    std_errors : mapping of str to float, optional
        NaN for a parameter that is not in it.

    Returns
    -------
    DataFrame
        Index ``parameter``; columns ``estimate``, ``std_error``.

    Examples
    --------
    >>> parameter_table({"persistence": 0.4}).loc["persistence", "estimate"]
    np.float64(0.4)
    """
    known = std_errors or {}
    return pd.DataFrame(
        {
            "estimate": np.array(list(estimates.values()), dtype=np.float64),
            "std_error": np.array([known.get(name, np.nan) for name in estimates], dtype=np.float64),
        },
        index=pd.Index(list(estimates), name="parameter", dtype=object),
    )
