"""Fluent Bit from its source, with the parts that our configuration uses: `python -m tests.fluent_bit_build`.

It goes into a cache, needs git, cmake, a C compiler, flex, bison and the headers of OpenSSL and libyaml, and takes some
ten minutes on two cores. FLUENT_BIT_SOURCE may name a folder with the sources; otherwise they come from GitHub.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from generators.tools.binaries import TOOLS, find

VERSION = "5.1.1"
"""That of AWS's image is older; what we use of it has been there since 1.9."""
REPOSITORY = "https://github.com/fluent/fluent-bit.git"
PARTS = (
    *("PARSER", "REGEX", "RECORD_ACCESSOR", "LUAJIT", "SQLDB", "TLS", "HTTP_SERVER", "AWS", "SIGNV4", "CONFIG_YAML"),
    *("IN_TAIL", "IN_EMITTER", "IN_STORAGE_BACKLOG", "FILTER_GREP", "FILTER_KUBERNETES", "FILTER_LUA", "FILTER_MODIFY"),
    *("FILTER_NEST", "FILTER_REWRITE_TAG", "FILTER_THROTTLE", "OUT_CLOUDWATCH_LOGS"),
)
"""Without the journal, which a machine of tests need not have: those two kinds of logs are not tried."""
UNUSED = (
    *("BACKTRACE", "CHUNK_TRACE", "CUSTOM_CALYPTIA", "EXAMPLES", "KAFKA", "PROXY_GO", "RIPSER", "SHARED_LIB"),
    *("STREAM_PROCESSOR", "UNICODE_ENCODER", "WASM", "ZIG"),
)
"""What takes long to compile, or wants more of the machine, and is used by none of these."""


def built() -> Path | None:
    """Where it will be; None in a package without the tests' Go module, by which caches are known."""
    folder = TOOLS.cache_folder()
    return folder.parents[1] / "fluent-bit" / VERSION / "fluent-bit" if folder else None


def program() -> Path | None:
    """A Fluent Bit: the one that was built, or one on PATH."""
    here = built()
    return here if here and here.is_file() else find("fluent-bit")


def build(program: Path) -> None:
    """Builds it. Raises CalledProcessError where a step fails, whose output is on the terminal."""
    with tempfile.TemporaryDirectory(prefix="fluent-bit-") as scratch:
        source, made = os.environ.get("FLUENT_BIT_SOURCE") or f"{scratch}/source", f"{scratch}/build"
        if not Path(source).is_dir():
            subprocess.run(["git", "clone", "-q", "--depth=1", f"--branch=v{VERSION}", REPOSITORY, source], check=True)
        parts = [f"-DFLB_{part}=On" for part in PARTS]
        options = ["-DCMAKE_BUILD_TYPE=Release", "-DFLB_MINIMAL=Yes", *parts, *(f"-DFLB_{part}=No" for part in UNUSED)]
        if not any(Path(source, "lib").glob("sqlite-amalgamation-*")):
            options.append("-DFLB_PREFER_SYSTEM_LIB_SQLITE=Yes")
        subprocess.run(["cmake", "-S", source, "-B", made, *options], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["cmake", "--build", made, "--target=fluent-bit-bin", "--parallel=2"], check=True)
        program.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(made, "bin", "fluent-bit"), program)


if __name__ == "__main__":
    target = built()
    assert target
    if not target.is_file():
        build(target)
    print(target)  # noqa: T201
