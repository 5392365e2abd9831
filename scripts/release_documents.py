"""Write the documents of a release folder, computed only from the wheels and the lock in it.

    python scripts/release_documents.py FOLDER

sbom.cdx.json         the folder's content, in CycloneDX format
THIRD-PARTY-NOTICES   the licences of all other packages
INSTALL.txt           the commands to install it
SHA256SUMS            a checksum for every other file

The same wheels give the same documents. SOURCE_DATE_EPOCH is the date in the SBOM.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import re
import sys
import uuid
import zipfile
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
OURS = "edgevoice"
LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice|third.?party)", re.IGNORECASE)
NOT_TEXT = {".py", ".pyc", ".pyi", ".so", ".json"}

COPYLEFT = """\
This folder holds piper-tts, which is GPL-3.0-or-later and brings espeak-ng under the same licence.
edgevoice imports piper-tts. edgevoice's own code is MIT.

  Using the folder for yourself: the GPL asks nothing of you.
  Passing the folder on, whole or installed on a device: you must do so under the terms of the GPL.
  Give the recipient the GPL's text (below) and the source of all of it: this release of edgevoice,
  and the source packages of the versions that sbom.cdx.json names.

llama-cpp-python's wheel also holds libgomp from GCC: GPL-3.0-or-later WITH GCC-exception-3.1. The
exception lets you pass it on with a program of any licence.
"""

INSTALL = """\
edgevoice {version}, for {system}. No compiler is needed.

Check the files, then install. Run both in this folder:

  sha256sum --check --quiet SHA256SUMS
  pipx install --pip-args="--no-index --find-links=. --constraint=constraints.txt" {wheel}

{pythons}
Without pipx: python3 -m venv ~/edgevoice, then ~/edgevoice/bin/pip install with the same options.
To update from an older folder, add --force after "install". Without a network, old versions of pipx
report that they could not upgrade their shared libraries. The installation goes on.

The microphone and the speaker need PortAudio (Debian, Ubuntu: sudo apt-get install libportaudio2).
Then: edgevoice doctor says what is missing, edgevoice models pull fetches the models.
"""
OFFLINE = """\
With Python {pythons} this reaches no network. With another supported Python, leave out --no-index.
"""


@dataclass(frozen=True)
class Wheel:
    """A wheel: metadata, licence texts by path in the archive, and the libraries in its SBOM."""

    file: Path
    metadata: Message
    texts: dict[str, str]
    libraries: list[dict]

    @property
    def name(self) -> str:
        return canonicalize_name(self.metadata["Name"])

    @property
    def version(self) -> str:
        return str(self.metadata["Version"])

    @property
    def purl(self) -> str:
        """The package URL, which scanners look up."""
        return f"pkg:pypi/{self.name}@{self.version}"

    @property
    def licence(self) -> str:
        """The licence in the metadata, from the most exact field; empty if there is none."""
        if self.metadata["License-Expression"]:
            return str(self.metadata["License-Expression"])
        classes = self.metadata.get_all("Classifier", [])
        named = [c.rsplit(" :: ", 1)[1] for c in classes if c.startswith("License :: ")]
        short = (self.metadata["License"] or "").strip()
        # The field may contain the complete text of the licence.
        return short if 0 < len(short) < 60 and "\n" not in short else ", ".join(named)


def read_wheel(file: Path) -> Wheel:
    """Read the metadata and licence texts; texts are in .dist-info or near the package's top."""
    texts = {}
    libraries = []
    with zipfile.ZipFile(file) as archive:
        names = sorted(archive.namelist())
        (metadata,) = [name for name in names if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)]
        for name in names:
            path = PurePosixPath(name)
            near = ".dist-info/" in name or len(path.parts) <= 2
            licence = LICENCE_FILE.search(path.name) or "/licenses/" in name
            if near and licence and not name.endswith("/") and path.suffix not in NOT_TEXT:
                texts[name] = archive.read(name).decode("utf-8", "replace").strip()
            if re.search(r"\.dist-info/sboms/.*\.json$", name):
                parts = json.loads(archive.read(name)).get("components", [])
                libraries += [part for part in parts if "pkg:pypi/" not in part.get("purl", "")]
        message = BytesParser().parsebytes(archive.read(metadata))
    return Wheel(file, message, texts, libraries)


def read_wheels(folder: Path) -> list[Wheel]:
    """Every wheel in the folder, by name and version."""
    wheels = [read_wheel(file) for file in sorted(folder.glob("*.whl"))]
    return sorted(wheels, key=lambda wheel: (wheel.name, wheel.version, wheel.file.name))


def checksum(file: Path) -> str:
    with file.open("rb") as data:
        digest = hashlib.sha256()
        while block := data.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def sbom(wheels: list[Wheel], when: int) -> str:
    """The folder as a CycloneDX 1.6 document: a component for each package, with its wheels."""
    packages: dict[str, list[Wheel]] = {}
    for wheel in wheels:
        packages.setdefault(wheel.purl, []).append(wheel)
    by_name: dict[str, list[str]] = {}
    for purl, (first, *_) in packages.items():
        by_name.setdefault(first.name, []).append(purl)
    components, dependencies = [], []
    for purl, files in packages.items():
        component = _component(files)
        asked = [Requirement(text) for text in files[0].metadata.get_all("Requires-Dist", [])]
        needed = {
            found
            for requirement in asked
            if requirement.marker is None or "extra" not in str(requirement.marker)
            for found in by_name.get(canonicalize_name(requirement.name), [])
        }
        dependencies.append({"ref": purl, "dependsOn": sorted(needed)})
        if files[0].name == OURS:
            ours = component
        else:
            components.append(component)
    stamp = datetime.datetime.fromtimestamp(when, datetime.timezone.utc)
    content = json.dumps([ours, components, dependencies], sort_keys=True)
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        # The same content has the same number, so that two builds can be compared.
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}",
        "version": 1,
        "metadata": {"timestamp": stamp.strftime("%Y-%m-%dT%H:%M:%SZ"), "component": ours},
        "components": components,
        "dependencies": dependencies,
    }
    return json.dumps(document, indent=1) + "\n"


def _component(files: list[Wheel]) -> dict:
    wheel = files[0]
    component: dict = {
        "type": "application" if wheel.name == OURS else "library",
        "bom-ref": wheel.purl,
        "name": wheel.name,
        "version": wheel.version,
        "purl": wheel.purl,
    }
    if wheel.metadata["License-Expression"]:
        component["licenses"] = [{"expression": wheel.licence}]
    elif wheel.licence:
        component["licenses"] = [{"license": {"name": wheel.licence}}]
    component["components"] = [
        {
            "type": "file",
            "bom-ref": each.file.name,
            "name": each.file.name,
            "hashes": [{"alg": "SHA-256", "content": checksum(each.file)}],
            **({"components": libraries} if (libraries := _libraries(each)) else {}),
        }
        for each in files
    ]
    return component


def _libraries(wheel: Wheel) -> list[dict]:
    """The libraries in the wheel, each once, without addresses and references."""
    found = {}
    for part in wheel.libraries:
        plain = {key: part[key] for key in ("type", "name", "version") if key in part}
        if "purl" in part:
            # The rest says where the wheel's maker got it.
            plain["purl"] = re.split("[?#]", part["purl"])[0]
        found[part["name"], part.get("version", ""), plain.get("purl", "")] = plain
    return [plain for _, plain in sorted(found.items())]


def notices(wheels: list[Wheel]) -> str:
    """The licence of each package, and each licence text once."""
    others: dict[tuple[str, str], Wheel] = {}
    for wheel in wheels:
        if wheel.name != OURS:
            others.setdefault((wheel.name, wheel.version), wheel)
    numbers: dict[str, int] = {}
    table, texts = [], []
    for (name, version), wheel in others.items():
        used = []
        for where, text in wheel.texts.items():
            if text not in numbers:
                numbers[text] = len(numbers) + 1
                rule = "=" * 78
                heading = f"[{numbers[text]}] {name} {version}: {where.split('.dist-info/')[-1]}"
                texts.append(f"{rule}\n{heading}\n{rule}\n\n{text}\n")
            used.append(numbers[text])
        found = ", ".join(f"[{number}]" for number in dict.fromkeys(used))
        table.append(
            f"{name} {version}\n"
            f"    licence: {wheel.licence or 'see its text'}\n"
            f"    text:    {found or 'its wheel holds none'}\n"
        )
    return "\n".join(["THIRD-PARTY NOTICES\n", COPYLEFT, *table, *texts])


def install_text(wheels: list[Wheel]) -> str:
    """The commands, with the names of this folder's files."""
    (ours,) = [wheel for wheel in wheels if wheel.name == OURS]
    tags = {wheel.file.stem.split("-")[-1] for wheel in wheels if wheel.name == "llama-cpp-python"}
    # The last part of "manylinux_2_27_x86_64.manylinux_2_28_x86_64" names the newest system.
    system = ", ".join(sorted(tags)).split(".")[-1] or "any system"
    found = {
        (int(minor[1]), f"3.{minor[1]}")
        for wheel in wheels
        if (minor := re.match(r"cp3(\d+)-cp3\1", "-".join(wheel.file.stem.split("-")[-3:])))
    }
    pythons = ", ".join(text for _, text in sorted(found))
    return INSTALL.format(
        version=ours.version,
        system=system,
        wheel=f"./{ours.file.name}",
        pythons=OFFLINE.format(pythons=pythons) if pythons else "",
    )


def sums(folder: Path) -> str:
    """A line for every file but the sums themselves, as sha256sum writes it."""
    files = sorted(file for file in folder.iterdir() if file.name != "SHA256SUMS")
    return "".join(f"{checksum(file)}  {file.name}\n" for file in files)


def write(folder: Path, when: int) -> None:
    """Write every document; the sums last, because they cover the others."""
    wheels = read_wheels(folder)
    if not any(wheel.name == OURS for wheel in wheels):
        raise SystemExit(f"{folder} holds no wheel of {OURS}: make release")
    for name, text in (
        ("sbom.cdx.json", sbom(wheels, when)),
        ("THIRD-PARTY-NOTICES", notices(wheels)),
        ("INSTALL.txt", install_text(wheels)),
    ):
        (folder / name).write_text(text, "utf-8")
    (folder / "SHA256SUMS").write_text(sums(folder), "utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        raise SystemExit("release_documents.py takes one folder of wheels")
    write(Path(sys.argv[1]), int(os.environ.get("SOURCE_DATE_EPOCH", "0")))
