"""Scripts that import each other, as one module: small ones, and those of all explorers."""

import base64
import json
import re
import subprocess

import pytest

import nhlib.explorers as explorers
from nhlib.explorers.common.explorer import FOLDER, Explorer
from nhlib.explorers.common.scripts import bundle

EXPLORERS = [getattr(explorers, name) for name in explorers.__all__]
SCRIPTS = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.js"))


@pytest.fixture
def run(tmp_path, node_program):
    """Return what writes scripts, by their names, and tells the value of the first as a bundle."""

    def run(tail="", **scripts):
        for name, text in scripts.items():
            path = tmp_path / name.replace("__", "/")
            path.parent.mkdir(exist_ok=True)
            path.with_suffix(".js").write_text(text, "utf-8")
        module = tmp_path / "bundled.mjs"
        module.write_text(bundle(tmp_path, f"{next(iter(scripts))}.js"), "utf-8")
        text = (
            f"import bundled from {json.dumps(module.as_uri())};{tail}"
            "console.log(JSON.stringify(bundled.value));"
        )
        done = subprocess.run(
            [node_program, "--input-type=module", "-e", text], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_scripts_have_scopes_of_their_own(run):
    value = run(
        main='import { f as g } from "./one.js";\nimport { f, K } from "./two.js";\n'
        "const own = 3;\nexport default { value: [own, g(), f(), K] };\n",
        one="const own = 1;\nexport const f = () => own;\n",
        two="const own = 2;\nexport function f() { return own; }\nexport const K = f() + 10;\n",
    )
    assert value == [3, 1, 2, 12]


def test_each_script_runs_once_and_after_what_it_imports(run):
    log = "globalThis.log ??= [];\nlog.push({});\nexport const {} = 0;\n"
    value = run(
        main='import { b } from "./b.js";\nimport { c } from "./c.js";\n'
        'log.push("main");\nexport default { value: log };\n',
        b='import { d } from "./inner/d.js";\n' + log.format('"b"', "b"),
        c='import { d } from "./inner/d.js";\n' + log.format('"c"', "c"),
        inner__d='import { e } from "../e.js";\n' + log.format('"d"', "d"),
        e=log.format('"e"', "e"),
    )
    assert value == ["e", "d", "b", "c", "main"]


def test_imports_may_stand_on_several_lines_and_below(run):
    value = run(
        main='const twice = two * 2;\nimport {\n  one,\n  two,\n} from "./one.js";\n'
        "export default { value: [one, twice] };\n",
        one="export const one = 1;\nexport const two = 2;\n",
    )
    assert value == [1, 4]


def test_classes_generators_and_what_waits_are_exported(run):
    value = run(
        "bundled.value = [new bundled.A().b, await bundled.f(), ...bundled.g()];",
        main='import { A, f, g } from "./one.js";\nexport default { A, f, g };\n',
        one="export class A { b = 1; }\nexport async function f() { return 2; }\n"
        "export function* g() { yield 3; yield 4; }\n",
    )
    assert value == [1, 2, 3, 4]


def test_text_that_looks_like_a_script_stays(run):
    text = ["  import nhlib as nh", "export of words", "$& $1 \\1"]
    assert run(main=f"export default {{ value: {json.dumps(text)} }};\n") == text


def test_binary_files_are_embedded(run, tmp_path):
    (tmp_path / "numbers.bin").write_bytes(bytes(range(256)))
    value = run(
        main='import numbers from "./numbers.bin";\nexport default { value: numbers };\n',
    )
    assert base64.b64decode(value) == bytes(range(256))
    (tmp_path / "numbers.bin").unlink()
    with pytest.raises(ValueError, match="there is no file .*numbers.bin, and main.js needs it"):
        bundle(tmp_path, "main.js")


def test_comments_are_left_out_and_nothing_else(run, tmp_path):
    text = "// begins\n/** @type {string[]} */\nconst a = [];\n/*\n * of several lines `\n */\n"
    text += "const b = `\n// in a text ${a}\n/* too */\n`; // ends\n"
    text += "  // indented\n/* stays */ const c = '/* in one line */';\n/** ends **/\n"
    value = run(main=f"{text}export default {{ value: b + c }};\n")
    assert value == "\n// in a text \n/* too */\n/* in one line */"
    bundled = (tmp_path / "bundled.mjs").read_text("utf-8")
    assert not [
        word for word in ("begins", "type", "several", "indented", "ends *") if word in bundled
    ]


def test_a_worker_has_what_it_imports_and_nothing_else(run):
    # Node's workers take a path; this one shows the text that a browser's would get.
    value = run(
        "bundled.value = await bundled.start();",
        main='import { K } from "./k.js";\nimport { unused } from "./unused.js";\n'
        "globalThis.Blob = class { constructor(parts) { this.text = parts.join(''); } };\n"
        "URL.createObjectURL = (blob) => blob.text;\nURL.revokeObjectURL = () => {};\n"
        "globalThis.Worker = class { constructor(text) { this.text = text; } };\n"
        "export default { start() {\n"
        '  const worker = new Worker(new URL("./worker.js", import.meta.url), '
        '{ type: "module" });\n'
        "  const heard = [];\n"
        "  new Function('postMessage', worker.text)((what) => heard.push(what));\n"
        "  return [heard, K, worker.text.includes('nobody')];\n} };\n",
        worker='import { K } from "./k.js";\npostMessage(K + 1);\n',
        k="export const K = 1;\n",
        unused="export const unused = 'nobody';\n",
    )
    assert value == [[2], 1, False]


@pytest.mark.parametrize(
    ("scripts", "words"),
    [
        ({"main": 'import { a } from "./a.js";\n'}, "no script a.js in .*, and main.js needs it"),
        ({}, "there is no script main.js in"),
        ({"main": "export const a = 1;\n"}, "main.js is an entry, and lacks export default"),
        (
            {"main": 'import { b, c } from "./a.js";\n', "a": "export const b = 1;\n"},
            "main.js imports c from a.js, which exports b",
        ),
        (
            {"main": 'import { c } from "./a.js";\n', "a": "const c = 1;\n"},
            "main.js imports c from a.js, which exports nothing",
        ),
        (
            {
                "main": 'import { a } from "./a.js";\n',
                "a": 'import { b } from "./b.js";\nexport const a = 1;\n',
                "b": 'import { a } from "./a.js";\nexport const b = 1;\n',
            },
            "scripts import each other: main.js → a.js → b.js → a.js",
        ),
    ],
)
def test_what_is_missing_or_goes_in_circles_is_refused(tmp_path, scripts, words):
    for name, text in scripts.items():
        (tmp_path / f"{name}.js").write_text(text)
    with pytest.raises(ValueError, match=words):
        bundle(tmp_path, "main.js")


@pytest.mark.parametrize(
    "line",
    [
        'import a from "./a.js";',
        'import * as a from "./a.js";',
        'import "./a.js";',
        'import { a } from "a";',
        "import { a } from './a.js';",
        'import { a } from "./a.js"',
        'const a = await import("./a.js");',
        "const here = import.meta.url;",
        "export let a = 1;",  # may change, and importers have a copy
        "export var a = 1;",
        "export const [a, b] = [1, 2];",
        "export const { a } = { a: 1 };",
        "export { a };",
        'export { a } from "./a.js";',
        'export * from "./a.js";',
        "export default () => 1;",
    ],
)
def test_other_imports_and_exports_are_refused(tmp_path, line):
    (tmp_path / "a.js").write_text("export const a = 1;\n")
    (tmp_path / "main.js").write_text(f"{line}\nexport default {{}};\n")
    with pytest.raises(ValueError, match=f"main.js: a bundle does not know: {re.escape(line)}"):
        bundle(tmp_path, "main.js")


def test_only_an_entry_has_a_default(tmp_path):
    (tmp_path / "a.js").write_text("export const a = 1;\nexport default {};\n")
    (tmp_path / "main.js").write_text('import { a } from "./a.js";\nexport default { a };\n')
    with pytest.raises(ValueError, match="a.js: a bundle does not know: export default"):
        bundle(tmp_path, "main.js")


@pytest.mark.parametrize("explorer", EXPLORERS)
def test_every_explorer_is_one_module_that_runs(explorer, node_program, tmp_path):
    text = explorer._esm
    lines = text.splitlines()
    assert [line[:15] for line in lines if line.startswith("export ")] == ["export default "]
    assert not [line for line in lines if line.startswith("import ")]
    (tmp_path / "explorer.mjs").write_text(text, "utf-8")
    script = f"import explorer from {json.dumps((tmp_path / 'explorer.mjs').as_uri())};"
    script += "console.log(typeof explorer.render);"
    done = subprocess.run(
        [node_program, "--input-type=module", "-e", script], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "function\n"), done.stderr


def test_every_script_and_style_belongs_to_an_explorer():
    bundles = [explorer._esm for explorer in EXPLORERS]
    assert [name for name in SCRIPTS if not any(f'"{name}": (' in text for text in bundles)] == []
    for path in FOLDER.rglob("*.css"):
        assert path.read_text("utf-8") in Explorer._css
