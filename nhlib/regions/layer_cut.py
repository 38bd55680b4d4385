"""The cut of a subdivision by the lines of all units of a layer at once.

Points are shared by all edges and faces that meet there, so nothing is ever decided twice: a unit
has one sign at a point, and that sign cuts the edges, the edges cut the faces. Geometry enters
through the positions of crossings along an edge or a chord alone. What happens at a point or an
edge depends on it alone, and what happens in a face on the face and its border: so a part of the
rectangle that is cut on its own is cut as within the whole.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt64

from nhlib.regions import chord_meetings
from nhlib.regions.chord_meetings import BorderPoints, Meetings, Unclear
from nhlib.regions.chords import Chords, find_chords
from nhlib.regions.edge_crossings import EdgeCrossings, cross_edges
from nhlib.regions.new_faces import Halves, NewFaces, bits_of_faces, new_faces
from nhlib.regions.new_points import NewPoints, point_means
from nhlib.regions.pieces import Pieces, cut_up, lines_between
from nhlib.regions.rounding import Rounding
from nhlib.regions.signs import Signs, signs_at
from nhlib.regions.subdivision import Contradiction, Subdivision, TooManyRegions
from nhlib.regions.unclear_faces import Inside, cut_unclear

# Beyond so many pairs of chords that may cross, they are counted before they are stored.
_MOST_PAIRS = 1 << 20


class Cut(NamedTuple):
    """What a layer does to a subdivision.

    Attributes
    ----------
    subdivision : Subdivision
        With the new faces, sorted by the faces before.
    parents : int64 array, shape (n_faces,)
        The face before of which each face is a part.
    bits : uint64 array, shape (n_faces, n_words)
        Bits of the layer in each face, packed, filled up to whole words.
    points : NewPoints
        Pre-activations at all points.
    """

    subdivision: Subdivision
    parents: Int64[np.ndarray, " n_faces"]
    bits: UInt64[np.ndarray, "n_faces n_words"]
    points: NewPoints


def cut_by_layer(
    before: Subdivision,
    z: Float64[np.ndarray, "n_points units"],
    rounding: Rounding,
    i: int,
    first_unit: int,
    room: int,
) -> Cut:
    """Cut by the zero lines of all units of layer i.

    Parameters
    ----------
    before : Subdivision
        On each of its faces, the pre-activations are affine.
    z : float64 array, shape (n_points, units)
        Pre-activations of the layer at the points; what counts as zero becomes zero.
    rounding : Rounding
        What counts as zero.
    i, first_unit : int
        Numbers of the layer, and of its first unit.
    room : int
        How many faces more are allowed.

    Raises
    ------
    Contradiction
        If rounding is larger than what counts as zero.
    TooManyRegions
        If there would be more than `room` faces more; with how many more, at least.
    """
    n_units = z.shape[1]
    signs = signs_at(before.points, z, rounding, i)
    crossings = cross_edges(before, z, signs, rounding, i)
    k = np.arange(len(crossings.edge))
    pieces = cut_up(
        lines_between(before.start, before.end, signs.above, signs.zero),
        *(crossings.edge, len(before.points) + k, crossings.flips),
    )
    above = pieces.above[k + crossings.edge] & ~crossings.flips
    border = chord_meetings.border_points(before, signs, crossings, above)
    chords = find_chords(before, signs, crossings, n_units)
    crossing = chord_meetings.crossing_units(chords, border, n_units)
    work = _Work(before, signs, crossings, pieces, border, z, rounding.near[i], first_unit)

    n_pairs = np.bitwise_count(crossing).sum(axis=1, dtype=np.int64)
    unclear = np.zeros(before.n_faces, bool)
    if n_pairs.sum() > 2 * max(room, _MOST_PAIRS):
        more = len(n_pairs) + chord_meetings.count(chords, crossing, border, z, rounding, i)
        if more > room:
            raise TooManyRegions(more)
        unclear[chords.face[n_pairs > 0]] = True  # many lines through few points
    while True:
        clear = ~unclear[chords.face]
        try:
            meetings = chord_meetings.meet(
                chords.of(clear), crossing[clear], border, z, rounding, i
            )
            return work.assemble(chords, clear, meetings, unclear, rounding, room)
        except Unclear as error:
            if unclear[error.args[0]].any():
                raise Contradiction from None
            unclear[error.args[0]] = True


class _Work(NamedTuple):
    """A subdivision whose edges are cut, and whose faces are not yet."""

    before: Subdivision
    signs: Signs
    crossings: EdgeCrossings
    pieces: Pieces  # of the edges
    border: BorderPoints
    z: Float64[np.ndarray, "n_points units"]
    near: Float64[np.ndarray, " units"]
    first_unit: int

    def assemble(
        self,
        chords: Chords,
        clear: Bool[np.ndarray, " n_chords"],
        meetings: Meetings,
        unclear: Bool[np.ndarray, " n_faces"],
        rounding: Rounding,
        room: int,
    ) -> Cut:
        """Put the pieces of edges and chords together to new faces."""
        before, n_before = self.before, self.before.n_faces
        parted = _units_that_part(chords, n_before) if self.border.zero is not None else None
        chords = chords.of(clear)
        across = cut_up(
            lines_between(chords.down, chords.up, self.border.above, self.border.zero),
            *(meetings.at, len(self.border.points) + meetings.number, meetings.flips),
        )
        points = point_means(self.z, self.crossings, self.border, chords, meetings)
        # Euler: every chord adds a part, and so does every chord but one through each point.
        n_parts = 1 + np.bincount(
            np.concatenate([chords.face, chords.face[meetings.at]]), minlength=n_before
        )
        n_parts -= np.bincount(chords.face[meetings.chord], minlength=n_before)
        inside = None
        if unclear.any():
            inside = cut_unclear(
                *(before, self.pieces, self.border.points, points, unclear),
                *(self.near, self.first_unit),
            )
            n_parts[unclear] = np.bincount(inside.parents, minlength=n_before)[unclear]
        more = int(n_parts.sum()) - n_before
        if more > room:
            raise TooManyRegions(more)

        n_meetings = len(meetings.chord)
        cut = unclear.copy()
        cut[chords.face] = True
        base = bits_of_faces(before, self.signs)
        halves, beside = self._halves(chords, across, cut, base, parted, inside, n_meetings)
        coordinates = [self.border.points, meetings.points]
        if inside is not None:
            coordinates.append(inside.points)
        everywhere = np.concatenate(coordinates)
        faces = new_faces(halves, n_parts, cut, base, before.shares(everywhere))
        after = self._after(everywhere, chords, across, inside, faces, beside, n_meetings)
        if inside is not None:
            points = points._replace(exact=inside.z)
        return Cut(after, faces.parents, faces.bits, points)

    def _halves(
        self,
        chords: Chords,
        across: Pieces,
        cut: Bool[np.ndarray, " n_faces"],
        base: UInt64[np.ndarray, "n_faces n_words"],
        parted: UInt64[np.ndarray, "n_faces n_words"] | None,
        inside: Inside | None,
        n_meetings: int,
    ) -> tuple[Halves, list[Int64[np.ndarray, " _"]]]:
        """Return all pieces beside faces that are cut: of chords, and then of edges.

        Also return which pieces of edges have such a face on their left, and on their right.
        """

        def bits_beside(face: np.ndarray, above: np.ndarray) -> np.ndarray:
            if parted is None:
                return above
            bits: np.ndarray = (above & parted[face]) | (base[face] & ~parted[face])
            return bits

        face = chords.face[across.line]
        parts = [
            Halves(face, bits_beside(face, across.above | side[across.line]), across.start)
            for side in (chords.left, chords.right)
        ]
        if inside is not None:
            parts += inside.halves(n_meetings)
        cut = np.append(cut, False)  # the last entry is for the outside
        beside = []
        for k, side in enumerate((self.before.left, self.before.right)):
            face = side[self.pieces.line]
            there = np.flatnonzero(cut[face])
            face = face[there]
            above = bits_beside(face, self.pieces.above[there])
            if inside is not None:
                inside.correct(above, k, there)
            parts.append(Halves(face, above, self.pieces.start[there]))
            beside.append(there)
        return Halves(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True))), beside

    def _after(
        self,
        points: Float64[np.ndarray, "n_points 2"],
        chords: Chords,
        across: Pieces,
        inside: Inside | None,
        faces: NewFaces,
        beside: list[Int64[np.ndarray, " _"]],
        n_meetings: int,
    ) -> Subdivision:
        """Return the subdivision with the new faces: pieces of chords, then those of edges."""
        before, pieces = self.before, self.pieces
        lines = [across] if inside is None else [across, inside.across(n_meetings)]
        lengths = [len(line.start) for line in lines for _ in range(2)]
        numbers = np.split(faces.of_halves, np.cumsum([*lengths, len(beside[0])]))
        sides = []
        for k, old in enumerate((before.left, before.right)):
            side = np.append(faces.first, -1)[old[pieces.line]]
            side[beside[k]] = numbers[-2 + k]
            sides.append(np.concatenate([*numbers[k:-2:2], side]))
        units = [chords.unit[across.line]]
        if inside is not None:
            units.append(inside.unit)
        n_new = sum(lengths) // 2
        return Subdivision(
            points,
            np.concatenate([*(line.start for line in lines), pieces.start]),
            np.concatenate([*(line.end for line in lines), pieces.end]),
            sides[0],
            sides[1],
            np.concatenate(
                [*(self.first_unit + unit for unit in units), before.units[pieces.line]]
            ),
            np.concatenate([np.full(n_new, -1), before.borders[pieces.line]]),
            len(faces.parents),
            before.extent,
        )


def _units_that_part(chords: Chords, n_faces: int) -> UInt64[np.ndarray, "n_faces n_words"]:
    """Return the units, packed, that are on in one part of each face and off in another."""
    parted = np.zeros((n_faces, chords.left.shape[1]), np.uint64)
    if len(chords.face):
        begins = np.flatnonzero(np.diff(chords.face, prepend=-1))
        units = np.bitwise_or.reduceat(chords.left | chords.right, begins, axis=0)
        parted[chords.face[begins]] = units
    return parted
