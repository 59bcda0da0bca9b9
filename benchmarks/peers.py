"""Mock servers that people use: installed from npm when first needed, and given the same answers to tell."""

from __future__ import annotations

import json
import shutil
import subprocess
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .jobs import CREATE, FILE, POLL, WRONG_PARAM
from .servers import ROOT, Command

CACHE = ROOT / "benchmarks" / ".peers"
PACKAGES = {"prism": "@stoplight/prism-cli@5.16.0", "wiremock": "wiremock@3.13.2", "mockoon": "@mockoon/cli@9.9.0"}
_INSTALL_SECONDS = 300
_WRONG_RATIO = WRONG_PARAM["input"]["aspect_ratio"]


class PeerError(Exception):
    """A peer can't be had here; the message says why."""


def install(name: str) -> Path:
    """Return the folder that a peer is installed in, installing it there where it is not yet.

    Raises:
        PeerError: npm or java is missing, or npm can't get it.
    """
    for program in ("npm", "java") if name == "wiremock" else ("npm",):
        if shutil.which(program) is None:
            raise PeerError(f"{program} is not installed")
    folder = CACHE / name
    done = folder / "installed.txt"
    if not (done.exists() and done.read_text() == PACKAGES[name]):
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), PACKAGES[name]]
        try:
            ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_INSTALL_SECONDS)
        except subprocess.TimeoutExpired:
            raise PeerError(f"npm did not install {PACKAGES[name]} within {_INSTALL_SECONDS} s") from None
        if ended.returncode:
            lines = [line for line in ended.stderr.splitlines() if "error" in line] or ["npm failed"]
            raise PeerError(f"npm can't install {PACKAGES[name]}: {lines[0][:120]}")
        done.write_text(PACKAGES[name])
    return folder


def command_of(name: str, folder: Path) -> Command:
    """Return what starts a peer with the answers that lie in `folder`.

    Raises:
        PeerError: see `install`.
    """
    installed = install(name) / "node_modules"
    return _COMMANDS[name](installed, folder)


def _prism(installed: Path, folder: Path) -> Command:
    document = folder / "prism.json"
    document.write_text(json.dumps(_document(folder)))
    program = str(installed / ".bin" / "prism")
    return lambda port: [program, "mock", str(document), "--port", str(port), "--verboseLevel", "silent"]


def _document(folder: Path) -> dict[str, Any]:
    """Return an OpenAPI document with the stored schema of the creation."""
    schema = json.loads((folder / "schema.json").read_bytes())
    schema.pop("$schema", None)

    def answer(file: str) -> Mapping[str, Any]:
        example = json.loads((folder / file).read_bytes())
        return {"description": file, "content": {"application/json": {"example": example}}}

    create = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {"200": answer("created.json"), "422": answer("refused.json")},
    }
    query = {"name": "taskId", "in": "query", "required": True, "schema": {"type": "string"}}
    poll = {"parameters": [query], "responses": {"200": answer("polled.json")}}
    scheme = {"key": {"type": "http", "scheme": "bearer"}}
    return {
        "openapi": "3.1.0", "info": {"title": "benchmark", "version": "1"}, "security": [{"key": []}],
        "components": {"securitySchemes": scheme}, "paths": {CREATE: {"post": create}, POLL: {"get": poll}},
    }  # fmt: skip


def _wiremock(installed: Path, folder: Path) -> Command:
    (folder / "mappings").mkdir()
    (folder / "__files").mkdir()
    shutil.copy(folder / "picture.png", folder / "__files")
    stubs: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "created": ({"method": "POST", "urlPath": CREATE}, _stub(folder, "created.json")),
        "polled": ({"method": "GET", "urlPath": POLL}, _stub(folder, "polled.json")),
        "picture": (
            {"method": "GET", "urlPath": FILE},
            {"status": 200, "bodyFileName": "picture.png", "headers": {"Content-Type": "image/png"}},
        ),
        "refused": (
            {"method": "POST", "urlPath": CREATE, "bodyPatterns": [
                {"matchesJsonPath": {"expression": "$.input.aspect_ratio", "equalTo": _WRONG_RATIO}}]},
            _stub(folder, "refused.json"),
        ),
    }  # fmt: skip
    for name, (asked, answer) in stubs.items():
        stub = {"priority": 1 if name == "refused" else 5, "request": asked, "response": answer}
        (folder / "mappings" / f"{name}.json").write_text(json.dumps(stub))
    jar = next((installed / "wiremock" / "build").glob("*.jar"))
    tuned = ("--no-request-journal", "--disable-request-logging", "--disable-gzip", "--disable-banner",
             "--disable-extensions-scanning", "--use-chunked-encoding", "never")  # fmt: skip
    return lambda port: [
        "java", "-Xmx512m", "-jar", str(jar), "--bind-address", "127.0.0.1", "--port", str(port), "--root-dir",
        str(folder), *tuned,
    ]  # fmt: skip


def _stub(folder: Path, file: str) -> dict[str, Any]:
    body = (folder / file).read_text()
    return {"status": 200, "body": body, "headers": {"Content-Type": "application/json"}}


def _mockoon(installed: Path, folder: Path) -> Command:
    rule = {"target": "body", "modifier": "input.aspect_ratio", "value": _WRONG_RATIO, "invert": False,
            "operator": "equals"}  # fmt: skip
    refused = _response(folder, "refused.json") | {"rules": [rule], "default": False}
    picture = _response(folder, "picture.png") | {"bodyType": "FILE", "filePath": str(folder / "picture.png")}
    routes = [
        _route("post", CREATE, _response(folder, "created.json"), refused),
        _route("get", POLL, _response(folder, "polled.json")),
        _route("get", FILE, picture),
    ]
    environment = {
        "uuid": str(uuid.uuid4()), "lastMigration": 33, "name": "benchmark", "endpointPrefix": "", "latency": 0,
        "port": 3000, "hostname": "127.0.0.1", "folders": [], "routes": routes,
        "rootChildren": [{"type": "route", "uuid": each["uuid"]} for each in routes], "proxyMode": False,
        "proxyHost": "", "proxyRemovePrefix": False, "cors": False, "headers": [], "proxyReqHeaders": [],
        "proxyResHeaders": [], "data": [], "callbacks": [],
        "tlsOptions": {"enabled": False, "type": "CERT", "pfxPath": "", "certPath": "", "keyPath": "", "caPath": "",
                       "passphrase": ""},
    }  # fmt: skip
    file = folder / "mockoon.json"
    file.write_text(json.dumps(environment))
    program = str(installed / ".bin" / "mockoon-cli")
    flags = ("--disable-log-to-file", "--disable-admin-api", "--max-transaction-logs", "1", "--repair")
    return lambda port: [program, "start", "--data", str(file), "--port", str(port), *flags]


def _response(folder: Path, file: str) -> dict[str, Any]:
    text = file.endswith(".json")
    kind = "application/json" if text else "image/png"
    return {
        "uuid": str(uuid.uuid4()), "body": (folder / file).read_text() if text else "", "latency": 0,
        "statusCode": 200, "label": "", "headers": [{"key": "Content-Type", "value": kind}], "bodyType": "INLINE",
        "filePath": "", "databucketID": "", "sendFileAsBody": False, "rules": [], "rulesOperator": "OR",
        "disableTemplating": True, "fallbackTo404": False, "default": True, "crudKey": "id", "callbacks": [],
    }  # fmt: skip


def _route(method: str, path: str, *responses: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "uuid": str(uuid.uuid4()), "type": "http", "documentation": "", "method": method,
        "endpoint": path.removeprefix("/"), "responses": list(responses), "responseMode": None,
        "streamingMode": None, "streamingInterval": 0,
    }  # fmt: skip


_COMMANDS: Mapping[str, Callable[[Path, Path], Command]] = {
    "prism": _prism, "wiremock": _wiremock, "mockoon": _mockoon,
}  # fmt: skip
