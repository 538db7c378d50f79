"""
SQLAlchemy's own suite for dialects, on the embedded server and on MySQL, through asyncmy.

    python tests/embedded/sqlalchemy_suite.py                  MySQL in a container; some minutes
    python tests/embedded/sqlalchemy_suite.py --with local     MariaDB instead
    python tests/embedded/sqlalchemy_suite.py -k RowCountTest  some of the tests
    python tests/embedded/sqlalchemy_suite.py --json

Of the tests that pass on MySQL, each passes on the embedded server too (*same*), or ends in its error 1235
(*refused*). What else happens is *different*. SQLAlchemy describes the suite in its README.dialects.

Exit status: 0 if nothing was different, 1 if something was, 2 for wrong usage, without a MySQL, or if pytest itself
failed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from labkit.errors import LabkitError
from labkit.services import start_services

FILES = {
    "conftest.py": 'import pytest\n\npytest.register_assert_rewrite("sqlalchemy.testing.assertions")\n'
    "from sqlalchemy.testing.plugin.pytestplugin import *\n",
    "test_suite.py": "from sqlalchemy.testing.suite import *\n",
    "setup.cfg": "[tool:pytest]\naddopts = --tb=native -p no:cacheprovider -p no:xdist\n\n[sqla_testing]\n"
    "requirement_cls = sqlalchemy.testing.requirements:SuiteRequirements\nprofile_file = profiles.txt\n\n"
    "[db]\ndefault = sqlite://\n",
}
RAN = (0, 1)  # pytest's exit statuses for tests that passed, and tests of which some failed
REFUSED = "(1235, "


class Outcome(NamedTuple):
    """How one test ended: "passed", "skipped", "failure" or "error", and what it said."""

    kind: str
    text: str

    @property
    def reason(self) -> str:
        """Return the last line that names an error."""
        lines = [line.strip() for line in self.text.splitlines() if "Error" in line]
        return lines[-1][:200] if lines else self.kind


async def run(provider: str, only: str) -> dict[str, Outcome]:
    """Run the suite on a provider; return the outcome of each test."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in FILES.items():
            Path(folder, name).write_text(text)
        async with start_services(provider) as services:
            command = [
                "-m",
                "pytest",
                "-q",
                "test_suite.py",
                f"--dburi={services.database_url}",
                "--junitxml=x.xml",
            ]
            process = await asyncio.create_subprocess_exec(
                sys.executable, *command, *(["-k", only] if only else []), cwd=folder,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
            said, _ = await process.communicate()
        if process.returncode not in RAN:
            print(f"sqlalchemy_suite: pytest failed on {provider}:\n{said.decode()[-3000:]}", file=sys.stderr)
            raise SystemExit(2)
        return read(Path(folder, "x.xml"))


def read(path: Path) -> dict[str, Outcome]:
    """Return the outcomes that pytest wrote; the name of the server is no part of a test's name."""
    found = {}
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        suite = re.sub(r"_(mysql|mariadb)\+.*", "", case.get("classname", "").rpartition(".")[2])
        ended = [each for each in case if each.tag in ("failure", "error", "skipped")]
        text = "".join((each.get("message") or "") + (each.text or "") for each in ended)
        found[f"{suite}::{case.get('name')}"] = Outcome(ended[0].tag if ended else "passed", text)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--with", dest="other", default="containers", metavar="PROVIDER")
    parser.add_argument("-k", dest="only", default="", metavar="EXPRESSION", help="as pytest's own")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    try:
        other = asyncio.run(run(arguments.other, arguments.only))
        embedded = asyncio.run(run("embedded", arguments.only))
    except LabkitError as error:
        print(f"sqlalchemy_suite: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    passed = {
        name: embedded[name] for name, outcome in other.items() if outcome.kind == "passed" and name in embedded
    }
    same = [name for name, outcome in passed.items() if outcome.kind == "passed"]
    refused = [name for name, outcome in passed.items() if REFUSED in outcome.text]
    different = {name: passed[name].reason for name in passed if name not in {*same, *refused}}
    counts = {"on MySQL": len(passed), "same": len(same), "refused": len(refused), "different": len(different)}
    if arguments.json:
        print(json.dumps({**counts, "differences": different}, indent=2))
    else:
        for name, reason in different.items():
            print(f"{name}\n    {reason}")
        print(", ".join(f"{count} {name}" for name, count in counts.items()))
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
