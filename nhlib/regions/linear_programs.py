"""Facets of a polyhedron in any dimension, by linear programs."""

from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from nhlib.regions.dual_hulls import Facets
from nhlib.regions.shots import shoot

# Below this, as a share of a corner's distance, corners are one, and facets are none.
_NARROW = 1e-9

# The strictest that HiGHS takes.
_TOLERANCE = 1e-10


def facets_by_programs(
    normals: Float64[np.ndarray, "m d"],
    offsets: Float64[np.ndarray, " m"],
    tilts: Float64[np.ndarray, " m"],
    shifts: Float64[np.ndarray, " m"],
) -> Facets:
    """Return the facets of a polyhedron round 0.

    Most are hit by a shot from the middle. For the others there is one model, of which only the
    objective changes: the value of one inequality is made as small as it gets. Where it stays
    above 0 there is no facet. A corner on d hyperplanes and on no others certifies all d of them at
    once. Where a corner is on more, the inequality is lifted: it has a facet if it kept anything
    out.

    Parameters
    ----------
    normals, offsets : float64 arrays, shapes (m, d) and (m,)
        Inequalities ``normals @ y + offsets >= 0``, all of which hold at 0 with a distance. The
        normals have length 1 and span the whole space.
    tilts, shifts : float64 arrays, shape (m,)
        What may be wrong about the normals, and the offsets.

    Raises
    ------
    ImportError
        If highspy is not installed.
    ArithmeticError
        If HiGHS finds no solution.
    """
    m = len(normals)
    tilts = tilts + _NARROW
    is_facet, points, centre = shoot(normals, offsets, tilts, shifts)
    undecided = ~is_facet
    if not undecided.any():
        return Facets(np.arange(m), points)
    points -= centre
    offsets = offsets + normals @ centre
    programs = _Programs(normals, offsets)
    i = None
    # At first any corner, for which all directions are needed.
    objective = np.random.default_rng(0).uniform(1, 2, m) @ normals
    while True:
        corner, active = programs.lowest(objective)
        slack = normals @ corner + offsets
        touching = slack <= np.sqrt(corner @ corner) * tilts + shifts
        if np.count_nonzero(touching) == len(active):  # no more than needed meet there
            new = active[undecided[active]]
            points[new] = _beside(normals, offsets, corner, slack, active, new)
            is_facet[new], undecided[new] = True, False
        if i is not None and undecided[i]:
            undecided[i] = False
            if touching[i]:
                outside = programs.lowest_without(i)
                depth = -(normals[i] @ outside + offsets[i])
                is_facet[i] = depth > np.sqrt(outside @ outside) * tilts[i] + shifts[i]
                points[i] = outside * (offsets[i] / (offsets[i] + depth))
        left = np.flatnonzero(undecided)
        if not len(left):
            which = np.flatnonzero(is_facet)
            return Facets(which, points[which] + centre)
        i = int(left[slack[left].argmin()])
        objective = normals[i]


def _beside(
    normals: Float64[np.ndarray, "m d"],
    offsets: Float64[np.ndarray, " m"],
    corner: Float64[np.ndarray, " d"],
    slack: Float64[np.ndarray, " m"],
    active: Int64[np.ndarray, " d"],
    new: Int64[np.ndarray, " k"],
) -> Float64[np.ndarray, "k d"]:
    """Return a point inside each new facet beside a corner.

    From the corner along the edge that leaves the facet, backwards, one comes to points that only
    the facet's own inequality keeps out. On the way there from 0 one passes through the facet.
    """
    own = (active[None] == new[:, None]).astype(float)
    edges = np.linalg.solve(normals[active], own.T).T
    falls = edges @ normals.T
    falls[:, active] = 0
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(falls > 0, slack / falls, np.inf).min(axis=1)
    reach = np.minimum(reach, offsets[new])
    outside = corner - reach[:, None] * edges
    points: Float64[np.ndarray, "k d"]
    points = outside * (offsets[new] / (offsets[new] + reach))[:, None]
    return points


class _Programs:
    """Linear programs over one polyhedron."""

    def __init__(
        self, normals: Float64[np.ndarray, "m d"], offsets: Float64[np.ndarray, " m"]
    ) -> None:
        self._normals, self._offsets = normals, offsets
        m, d = normals.shape
        self._columns = np.arange(d, dtype=np.int32)
        self._model = _silent_model()
        for name, value in {
            "presolve": "off",
            "threads": 1,
            "simplex_strategy": 4,  # primal: a corner stays one when the objective changes
            "primal_feasibility_tolerance": _TOLERANCE,
            "dual_feasibility_tolerance": _TOLERANCE,
        }.items():
            self._model.setOptionValue(name, value)
        endless = np.full(d, np.inf)
        self._model.addVars(d, -endless, endless)
        self._model.addRows(
            m,
            -offsets,
            np.full(m, np.inf),
            normals.size,
            np.arange(0, normals.size, d, dtype=np.int32),
            np.tile(self._columns, m),
            normals.ravel(),
        )

    def lowest(
        self, objective: Float64[np.ndarray, " d"]
    ) -> tuple[Float64[np.ndarray, " d"], Int64[np.ndarray, " d"]]:
        """Return the corner where an objective is lowest, and inequalities that make it a corner.

        The corner is solved for anew from these, so that it has all digits.
        """
        self._run(objective)
        _, basic = self._model.getBasicVariables()
        held = np.ones(len(self._normals), bool)
        held[-1 - basic[basic < 0]] = False
        active = np.flatnonzero(held)
        return np.linalg.solve(self._normals[active], -self._offsets[active]), active

    def lowest_without(self, i: int) -> Float64[np.ndarray, " d"]:
        """Return where inequality i is lowest if it may fall to its value at 0, negative."""
        lower, upper = -2 * self._offsets[i], np.inf
        self._model.changeRowBounds(i, lower, upper)
        self._run(self._normals[i])
        outside: Float64[np.ndarray, " d"] = np.array(self._model.getSolution().col_value)
        self._model.changeRowBounds(i, -self._offsets[i], upper)
        return outside

    def _run(self, objective: Float64[np.ndarray, " d"]) -> None:
        self._model.changeColsCost(len(objective), self._columns, objective)
        self._model.run()
        if (status := self._model.getModelStatus()).name != "kOptimal":
            raise ArithmeticError(
                f"network: a linear program for the sides of a region was not solved: {status.name}"
            )


def _silent_model() -> Any:
    try:
        import highspy
    except ImportError:
        raise ImportError(
            "regions in more than four dimensions need HiGHS: pip install highspy"
        ) from None

    class Silent(highspy.Highs):
        def enableCallbacks(self) -> None:
            """Enable none: a model says who it is when it does."""
            self.silent()

    return Silent()
