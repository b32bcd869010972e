"""How much each part counts: equal or given weights, and weights taken from the data."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from balalar.errors import BalalarError

NEAR = 0.005  # how near the shares of influence must come to those wanted


def principal(scores: pd.DataFrame) -> tuple[pd.Series, list[str]]:
    """Weights from the first principal component: the squared loadings, which add up to 1.

    Loadings themselves may be negative (COINr takes them as they are); their squares never are. The parts whose
    loading points the other way are named.

    Parameters
    ----------
    scores : DataFrame
        A column a part; rows with gaps are left out.

    Returns
    -------
    weights : Series
    against : list of str
        Parts whose loading has another sign than most of the weight.
    """
    full = scores.dropna()
    if len(full) <= 2 or (full.nunique() < 2).any():
        raise BalalarError(
            f"weights by PCA: {', '.join(map(str, scores.columns))} have {len(full)} complete rows, or one of them is "
            "constant; give weights instead"
        )
    _, vectors = np.linalg.eigh(np.corrcoef(full.to_numpy().T).reshape(full.shape[1], -1))
    first = vectors[:, -1]
    first = first * (1 if (np.sign(first) * first**2).sum() >= 0 else -1)
    return pd.Series(first**2, scores.columns), [
        str(name) for name, loading in zip(scores.columns, first, strict=True) if loading < -1e-9
    ]


def influence(scores: pd.DataFrame, weights: pd.Series) -> pd.Series:
    """Effective weights: the share of each part in the variance of the weighted mean; they add up to 1.

    Parameters
    ----------
    scores : DataFrame
        A column a part.
    weights : Series
    """
    full = scores.dropna()
    cov = np.atleast_2d(np.cov(full.to_numpy().T))
    own = weights.reindex(full.columns).to_numpy()
    return pd.Series(own * (cov @ own) / (own @ cov @ own), full.columns)


def balanced(scores: pd.DataFrame, wanted: pd.Series) -> tuple[pd.Series, float]:
    """Weights, none negative, whose shares of influence come as near as possible to those wanted.

    Parameters
    ----------
    scores : DataFrame
        A column a part; rows with gaps are left out.
    wanted : Series
        Shares that add up to 1.

    Returns
    -------
    weights : Series
        They add up to 1.
    miss : float
        Largest distance between a share of influence and the one wanted.
    """
    if len(scores.dropna()) <= 2:
        raise BalalarError(f"effective weights: {', '.join(map(str, scores.columns))} have too few complete rows")
    goal = wanted.reindex(scores.columns).to_numpy()

    def distance(weights: np.ndarray) -> float:
        return float(((influence(scores, pd.Series(weights, scores.columns)).to_numpy() - goal) ** 2).sum() * 1e4)

    found = minimize(
        distance,
        goal,
        method="SLSQP",
        bounds=[(1e-6, 1.0)] * len(goal),
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1},
        options={"maxiter": 500, "ftol": 1e-12},
    )
    weights = pd.Series(found.x / found.x.sum(), scores.columns)
    return weights, float(np.abs(influence(scores, weights).to_numpy() - goal).max())
