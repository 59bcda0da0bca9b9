"""A small provider's folder, to be broken in one place at a time, and ways to read small documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from understudy.openapi.contract import Contract, Naming, OperationKey, read_contract
from understudy.openapi.source import Source, parse_source

BEHAVIOUR = """\
understudy: 1
title: Acme
base_url: https://api.acme.test/
key: { prefix: ac_, provenance: observed }
id: { format: "{uuid}", provenance: assumed }
models:
  small: { credits: 2 }
  large: { credits: "{{ 9 if input.size == 'big' else 3 }}", about: { kind: picture } }
statuses:
  waiting: { phase: pending, lasts: 1s..2s }
  done: { phase: completed }
  broken: { phase: failed }
failures:
  failed: { code: 500, message: It broke, title: Broken }
refusal:
  body: { code: "{{ error.code }}", message: "{{ error.message }}" }
  reads: { code: /code, message: [/message] }
errors:
  not-found: { code: 404, when: [id-unknown], headers: { X-Why: "{{ problem }}" } }
limits:
  - { operations: [create, poll], count: 5, per: 1s }
retention: { tasks: 14d }
headers: { X-Served: "{{ now }}" }
operations:
  create:
    on: POST /tasks
    does: create
    variant: /model
    input: { prompt: /prompt, images: [/image, /images] }
    answer: { status: 201, headers: { Location: "{{ base }}/tasks/{{ task.id }}" }, body: { id: "{{ task.id }}" } }
    reads: { id: /id }
  poll:
    on: GET /tasks/{id}
    does: poll
    task_id: $request.path.id
    answer: { by_phase: { failed: { id: "{{ task.id }}", "why?": "{{ now }}" } }, body: "{{ task.status }}" }
    reads: { id: /id, created: { at: /created, as: seconds } }
    raises: { id-missing: not-found }
  again:
    on: GET /again/{id}
    does: poll
    like: poll
    creates: [create]
  send:
    on: POST /files
    does: upload
    upload: { from: base64, content: $request.body#/file }
settings:
  hook: { about: Where callbacks go. }
  secret: { about: What signs them., secret: true, provenance: assumed }
callbacks:
  url: { setting: hook }
  "on": { completed: task.done, failed: null }
  body: { id: "{{ task.id }}", type: "{{ event }}" }
  headers: { X-Event: "{{ event }}" }
  signature: { scheme: standard-webhooks, secret: secret, headers: { id: a, timestamp: b, signature: c } }
  timeout: 15s
  retries: [1s, 5m]
  received: [200, 204]
  reads: { id: /id }
polling: { every: { 30s: 5s..10s, 0s: 2s }, give_up: 10m, grace: 3s }
options:
  words:
    about: Which words.
    default: short
    values:
      short: { about: Short ones }
      long:
        about: Long ones
        overlay: long.overlay.yaml
        behaviour: { title: Acme of Great Length, retention: { tasks: 20d } }
"""
SMALL = """\
openapi: 3.0.3
info: { title: Small, version: 1.2.3 }
servers: [{ url: https://api.acme.test }]
security: [{ Key: [] }]
paths:
  /tasks:
    post:
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [model]
              properties: { model: { enum: [small] }, prompt: { $ref: common.yaml#/components/schemas/Text } }
            example: { model: small, prompt: a boat }
      responses:
        '201': { $ref: common.yaml#/components/responses/Created }
components:
  securitySchemes: { Key: { type: http, scheme: bearer } }
"""
LARGE = """\
openapi: 3.1.0
info: { title: Large, version: 1.0.0 }
security: [{ Key: [] }]
paths:
  /tasks:
    post:
      requestBody:
        content:
          application/json:
            schema: { type: object, properties: { model: { const: large } }, required: [model] }
            example: { model: large }
      responses:
        '201': { description: Made, content: { application/json: { schema: { type: object, required: [id] } } } }
"""
COMMON = """\
openapi: 3.1.0
info: { title: Common, version: 1.0.0 }
security: [{ Key: [] }]
paths:
  /tasks/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get:
      x-provenance: observed
      responses: { '200': { description: A task } }
  /again/{id}:
    get:
      parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
      responses: { '200': { description: A task } }
  /files:
    post:
      security: []
      requestBody: { content: { application/json: { schema: { type: object } } } }
      responses: { '200': { description: Kept } }
components:
  schemas: { Text: { type: string, maxLength: 9 } }
  responses:
    Created: { description: Created, content: { application/json: { schema: { $ref: '#/components/schemas/Text' } } } }
"""
LONG = """\
overlay: 1.1.0
info: { title: Long, version: 1.0.0 }
actions:
  - target: $.info
    x-document: [common.yaml]
    description: The title is longer.
    update: { title: Common of Great Length }
"""
FILES = {
    "behaviour.yaml": BEHAVIOUR,
    "small.yaml": SMALL,
    "large.yaml": LARGE,
    "common.yaml": COMMON,
    "long.overlay.yaml": LONG,
}


def written(folder: Path, files: dict[str, str] = FILES) -> Path:
    """Write `files` into a new folder named acme, and return it."""
    acme = folder / "acme"
    acme.mkdir()
    for name, text in files.items():
        (acme / name).write_text(text, encoding="utf-8")
    return acme


def changed(folder: Path, name: str, old: str, new: str) -> Path:
    """Return the folder of acme with `old`, which stands once in the file `name`, replaced by `new`."""
    assert FILES[name].count(old) == 1, f"{old!r} should stand in {name} once"
    return written(folder, {**FILES, name: FILES[name].replace(old, new)})


def sources(**documents: Any) -> dict[str, Source]:
    """Return documents by file name: the keyword with `.yaml`, and an OpenAPI 3.1 document around what is given."""
    made = {}
    for name, data in documents.items():
        text = yaml.safe_dump({"openapi": "3.1.0", "info": {"title": name, "version": "1"}} | data, sort_keys=False)
        made[f"{name}.yaml"] = parse_source(text, f"{name}.yaml")
    return made


def contract_of(operations: dict[str, str], variant: str | None = None, **documents: Any) -> Contract:
    """Return the contract of `documents`, with `operations` as name → ``METHOD /path``; a POST may have a variant."""
    namings = []
    for name, on in operations.items():
        method, _, path = on.partition(" ")
        namings.append(Naming(name, OperationKey(method, path), variant if method == "POST" else None))
    return read_contract(sources(**documents), [], namings, "Acme")
