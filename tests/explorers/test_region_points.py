"""Own points: tables that are read, points to start from, and the picture as a file."""

import csv
import io
import xml.etree.ElementTree as ElementTree

import numpy as np

CSV = {"regions/csv.js": "pointsOf, tableOf"}
READ = """return given.map((text) => {
  try { return pointsOf(text, 5); } catch (error) { return error.message; }
});"""


def test_tables_are_read(node):
    rows = [[0.5, -0.25, 1], [-1, 1, 0]]
    texts = [
        "x,y,class\n0.5,-0.25,1\n-1,1,0\n",
        "0.5,-0.25,1\r\n-1,1,0",
        "\ufeffx;y;label\r0.5;-0.25;1\r-1;1;0\r",
        '\n"x"\t"y"\t"class"\n"0.5"\t"-.25"\t"1"\n\n -1 \t 1.0 \t 0 \n\n',
        "5e-1,-0.25,1.0\n-1,1,0",
    ]
    assert node(CSV, READ, texts) == [rows] * len(texts)


NEEDED = "x, y and a class are needed, such as 0.5,-0.25,1, and not"
DAMAGED = {
    "": "There is no point in this file.",
    "x,y,class\n": "There is no point in this file.",
    "0,0,0\n0.5,0.5\n": f"Line 2: {NEEDED} “0.5,0.5”.",
    "0,5;0,2;1\n": f"Line 1: {NEEDED} “0,5;0,2;1”.",
    "x,y,class\n0.1,0.2,0\n0.3,oh,1\n": "Line 3: y is “oh”, which is no number.",
    "0.1,,0\n": "Line 1: y is “”, which is no number.",
    "0.1,0.2,\n": "Line 1: the class is “”, but there are 0 and 1.",
    "0.1,0.2,2\n": "Line 1: the class is “2”, but there are 0 and 1.",
    "0.1,0.2,0.5\n": "Line 1: the class is “0.5”, but there are 0 and 1.",
    "0,0,0\n0,1.5,0\n": "Line 2: y is 1.5, but points lie between −1 and 1.",
    "0,0,0\n-Infinity,0,0\n": "Line 2: x is -Infinity, but points lie between −1 and 1.",
    "0,0,0\nx,y,class\n": "Line 2: x is “x”, which is no number.",
    "0,0,0\n" * 6: "Line 6: this is point 6, and 5 is the limit.",
    "\x00\x01PNG\n": f"Line 1: {NEEDED} “��PNG”.",
    "<html><head><title>Not found</title></head></html>": (
        f"Line 1: {NEEDED} “<html><head><title>N…”."
    ),
}


def test_what_is_damaged_is_named_with_its_line(node):
    assert node(CSV, READ, list(DAMAGED)) == list(DAMAGED.values())


def test_what_is_written_is_read_again(node):
    rng = np.random.default_rng(0)
    points = [[*rng.uniform(-1, 1, 2).tolist(), int(rng.integers(2))] for _ in range(50)]
    script = "const text = tableOf(given); return [text, pointsOf(text, 50)];"
    text, again = node(CSV, script, points)
    assert again == points
    names, *rows = csv.reader(io.StringIO(text))
    assert names == ["x", "y", "class"]
    assert [[float(x), float(y), int(label)] for x, y, label in rows] == points


def test_undo_goes_back_step_by_step(node):
    script = """const settings = { ...given.start };
    const state = new State({ get: (name) => settings[name], set: (name, value) => {
      settings[name] = value;
      if (name === "data" || name === "points") state.restart();
    } });
    const seen = () => JSON.stringify([state.points, Array.from(state.inputs)]);
    const before = [];
    for (const [step, at] of given.steps) {
      before.push(seen());
      const points = state.points;
      const i = Math.floor(at * points.length);
      if (step === "add") state.edit([...points, [at, -at, i % 2]]);
      else if (step === "move") {
        state.edit(points.map((one, k) => (k === i ? [at, at, one[2]] : one)));
      }
      else state.edit(points.filter((_, k) => k !== i));
    }
    const changed = before.filter((one, k) => one !== before[k + 1]).length;
    const back = before.toReversed().map((one) => state.undo() && seen() === one);
    return [changed, back, state.undo(), settings];"""
    rng = np.random.default_rng(0)
    kinds = ["add", "move", "delete"]
    steps = [[kinds[rng.integers(3)], round(float(rng.uniform()), 3)] for _ in range(40)]
    moons = np.array([0.25, 0.5, -0.125, 0.75], np.float32).tobytes()
    start = {"data": "moons", "sample_size": 2, "label_noise": 0, "width": 2, "depth": 1, "seed": 0}
    start |= {"points": [[0.5, 0.5, 1]] * 20}
    script = (
        "const view = (bytes) => new DataView(Uint8Array.from(bytes).buffer);"
        "given.start._points = { moons: view(given.bytes[0]) };"
        "given.start._labels = { moons: { '2 0': view(given.bytes[1]) } };" + script
    )
    given = {"start": start, "steps": steps, "bytes": [list(moons), [0, 1]]}
    changed, back, more, settings = node({"regions/state.js": "State"}, script, given)
    assert changed > 30
    assert back == [True] * len(steps)
    assert more is False
    assert settings["data"] == "moons"
    assert settings["points"] == start["points"]


def test_starts_lie_in_the_square_and_have_their_shapes(node):
    made = node(
        {"regions/starts.js": "circle, xor, gaussians"}, "return [circle(), xor(), gaussians()];", 0
    )
    for points in map(np.array, made):
        assert points.shape == (60, 3)
        assert np.abs(points[:, :2]).max() < 1
        assert np.array_equal(points[:, :2], points[:, :2].round(3))
        assert points[:, 2].sum() == 30
    (circle, disc), (xor, quarter), (clouds, cloud) = (
        (np.array(p)[:, :2], np.array(p)[:, 2]) for p in made
    )
    assert ((np.hypot(*circle.T) > 0.5) == disc).all()
    assert ((xor[:, 0] * xor[:, 1] < 0) == quarter).all()
    middles = [clouds[cloud == label].mean(axis=0) for label in (0, 1)]
    assert np.allclose(middles, [[-0.35, -0.3], [0.35, 0.3]], atol=0.1)


def test_a_picture_is_well_formed_and_whole(node):
    imports = {
        "regions/network.js": "Network",
        "regions/drawing.js": "paintScene",
        "regions/partition.js": "partition",
        "regions/svg.js": "SvgPen",
    }
    script = """const network = Network.glorot([2, 6, 6, 2], 3);
    network.biases.forEach((part) => part.fill(0.1));
    const regions = partition(network);
    const colours = regions.codes.map((_, i) => `rgb(${i},0,0)`);
    const seen = { regions, colours, boundary: regions.boundary };
    const points = { inputs: Float32Array.of(0, 0, 0.5, 0.5), labels: Uint8Array.of(0, 1) };
    return [regions.nRegions, ...["regions", "graph"].map((view) => {
      const pen = new SvgPen(600);
      paintScene(pen, 600, { seen, hidden: [6, 6], view, ...points });
      return pen.text('5 < 6 & "quoted"');
    })];"""
    n, *pictures = node(imports, script, 0)
    for view, text in zip(("regions", "graph"), pictures, strict=True):
        root = ElementTree.fromstring(text)
        space = "{http://www.w3.org/2000/svg}"
        assert root.tag == f"{space}svg"
        assert root.get("viewBox") == "0 0 600 600"
        assert root.find(f"{space}title").text == '5 < 6 & "quoted"'
        paths = root.findall(f"{space}path")
        filled = [path for path in paths if path.get("fill", "").startswith("rgb(")]
        assert len(filled) == n * (1 if view == "regions" else 2)  # in the graph, dots too
        assert not [path for path in paths if "NaN" in path.get("d")]
        # The file asks for nothing else.
        assert "href" not in text
        assert "url(" not in text
