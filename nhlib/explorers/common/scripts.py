"""One script out of an explorer's own and what these import: a page has no other to import."""

import posixpath
import re
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

# What scripts may say. An exported name keeps its value, so that importers may have a copy.
_IMPORT = re.compile(r'^import \{([^{}]*)\} from "(\.[^"\n]*)";\n', re.MULTILINE)
_EMBEDDED = re.compile(r'^import (\w+) from "(\.[^"\n]*\.(?:bin|wasm))";\n', re.MULTILINE)
_WORKER = re.compile(
    r'new Worker\(\s*new URL\("(\.[^"\n]*)", import\.meta\.url\),\s*\{ type: "module" \},?\s*\)'
)
_EXPORT = re.compile(r"^export (?=(?:const|(?:async )?function\*?|class) ([\w$]+))", re.MULTILINE)
_DEFAULT = re.compile(r"^export default (?=\{)", re.MULTILINE)
# Comments on lines of their own, types among them: a third of the scripts, and of no use in a page.
_COMMENT = re.compile(r"(`(?:[^`\\]|\\.)*`)|^ *(?://.*|/\*(?:[^*]|\*(?!/))*\*/)\n", re.MULTILINE)
_UNKNOWN = re.compile(r"^ *(?:import|export)\b.*|^.*\bimport *[.(].*", re.MULTILINE)

# A worker gets the text of the scripts that it needs: it has no other to import either.
_START_WORKER = """const $worker = (...names) => {
  const parts = names.map((name) => `$modules["${name}"] = (${$scripts[name]})($modules);\\n`);
  const text = ['"use strict";\\nconst $modules = {};\\n', ...parts];
  const address = URL.createObjectURL(new Blob(text, { type: "text/javascript" }));
  const worker = new Worker(address);
  URL.revokeObjectURL(address);
  return worker;
};
"""


def bundle(folder: Path, entry: str) -> str:
    r"""Return an ES module that holds a script and all that it imports.

    Every script has a scope of its own, so that two of them may define one name. It imports by
    ``import { name, other as another } from "./path.js"`` and exports by ``export const``,
    ``export function`` or ``export class``, one name each. What the module exports is the
    ``export default { ... }`` of the entry. A script runs as a worker by
    ``new Worker(new URL("./path.js", import.meta.url), { type: "module" })``. A binary file is
    embedded: ``import name from "./path.wasm"`` gives its bytes as base64, so that nothing has to
    be fetched. Comments on lines of their own are left out.

    Parameters
    ----------
    folder : Path
        What all scripts are in.
    entry : str
        Path of the first script, in the folder.

    Raises
    ------
    ValueError
        If a script is not there, is needed by one that it needs, lacks a name that another
        imports, or imports or exports in another way.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "ten.js").write_text("export const TEN = 10;\n")
    >>> _ = (folder / "main.js").write_text(
    ...     'import { TEN } from "./ten.js";\nexport default { twenty: 2 * TEN };\n'
    ... )
    >>> print(bundle(folder, "main.js"))
    const $modules = {};
    const $scripts = {
    "ten.js": ($modules) => {
    const TEN = 10;
    return { TEN };
    },
    "main.js": ($modules) => {
    const { TEN } = $modules["ten.js"];
    const $default = { twenty: 2 * TEN };
    return { default: $default };
    },
    };
    for (const name of ["ten.js", "main.js"]) $modules[name] = $scripts[name]($modules);
    export default $modules["main.js"].default;
    <BLANKLINE>
    """
    scripts: dict[str, _Script] = {}
    order = _read(folder, entry, (), scripts)
    if "default" not in scripts[entry].exports:
        raise ValueError(f"{entry} is an entry, and lacks export default {{")
    functions = "".join(
        f'"{name}": ($modules) => {{\n{script.body}}},\n' for name, script in scripts.items()
    )
    start_worker = _START_WORKER if "$worker(" in functions else ""
    return (
        f"const $modules = {{}};\nconst $scripts = {{\n{functions}}};\n{start_worker}"
        f"for (const name of [{_quote(order)}]) $modules[name] = $scripts[name]($modules);\n"
        f'export default $modules["{entry}"].default;\n'
    )


@dataclass(frozen=True)
class _Script:
    exports: list[str]
    body: str  # of a function that returns them
    order: list[str]  # of the scripts that have to run, itself the last


def _read(
    folder: Path, name: str, above: tuple[str, ...], scripts: dict[str, _Script]
) -> list[str]:
    """Read a script after those that it needs, and return in which order they have to run."""
    if name in above:
        raise ValueError(f"scripts import each other: {' → '.join((*above, name))}")
    if name in scripts:
        return scripts[name].order
    path = folder / name
    if not path.is_file():
        by = f", and {above[-1]} needs it" if above else ""
        raise ValueError(f"there is no script {name} in {folder}{by}")
    order: dict[str, None] = {}
    imports: list[str] = []

    def needed(path: str) -> tuple[str, list[str]]:
        other = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
        return other, _read(folder, other, (*above, name), scripts)

    def take_import(found: re.Match[str]) -> str:
        other, others = needed(found[2])
        order.update(dict.fromkeys(others))
        names = [words.split(" as ") for words in found[1].split(",") if words.strip()]
        for wanted in (words[0].strip() for words in names):
            exports = scripts[other].exports
            if wanted not in exports:
                raise ValueError(
                    f"{name} imports {wanted} from {other}, which exports "
                    f"{', '.join(exports) or 'nothing'}"
                )
        taken = ", ".join(": ".join(word.strip() for word in words) for words in names)
        imports.append(f'const {{ {taken} }} = $modules["{other}"];\n')
        return ""

    body = _COMMENT.sub(lambda found: found[1] or "", path.read_text("utf-8"))
    body = _IMPORT.sub(take_import, body)

    def embed(found: re.Match[str]) -> str:
        file = path.parent / found[2]
        if not file.is_file():
            raise ValueError(f"there is no file {file}, and {name} needs it")
        imports.append(f'const {found[1]} = "{b64encode(file.read_bytes()).decode()}";\n')
        return ""

    body = _EMBEDDED.sub(embed, body)
    body = _WORKER.sub(lambda found: f"$worker({_quote(needed(found[1])[1])})", body)
    exports = _EXPORT.findall(body)
    returned = ", ".join(exports)
    body = _EXPORT.sub("", body)
    if not above and _DEFAULT.search(body):
        body = _DEFAULT.sub("const $default = ", body)
        exports = ["default"]
        returned = "default: $default"
    if unknown := _UNKNOWN.search(body):
        raise ValueError(f"{name}: a bundle does not know: {unknown[0].strip()}")
    body = f"{''.join(imports)}{body}return {{ {returned} }};\n"
    scripts[name] = _Script(exports, body, [*order, name])
    return scripts[name].order


def _quote(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
