"""Schemas of every kind that documents use, for tests that go over all of them."""

from __future__ import annotations

from typing import Any

SCHEMAS: dict[str, Any] = {
    "anything": {},
    "true": True,
    "null": {"type": "null"},
    "several types": {"type": ["string", "null", "integer"], "minLength": 2, "minimum": 3},
    "enum": {"type": "string", "enum": ["a", "b"]},
    "const": {"const": {"a": [1]}},
    "integer bounds": {"type": "integer", "minimum": 3, "exclusiveMaximum": 9},
    "number bounds": {"type": "number", "exclusiveMinimum": 0, "maximum": 0.5},
    "int32": {"type": "integer", "format": "int32"},
    "multiple": {"type": "integer", "multipleOf": 3, "minimum": 4, "maximum": 40},
    "two multiples": {"allOf": [{"type": "integer", "multipleOf": 4}, {"multipleOf": 6, "exclusiveMinimum": 0}]},
    "fraction": {"type": "number", "multipleOf": 0.25, "minimum": 0, "exclusiveMaximum": 2},
    "text lengths": {"type": "string", "minLength": 3, "maxLength": 5},
    "long text": {"type": "string", "maxLength": 10000},
    "pattern": {"type": "string", "pattern": "^[A-Z]{2}-\\d+$"},
    "pattern and lengths": {"type": "string", "pattern": "^[a-z0-9_]+$", "minLength": 5, "maxLength": 7},
    "pattern with branches": {
        "type": "string",
        "pattern": "^(?:data:[a-z]+;base64,)?(?:[A-Za-z0-9+/]{4})*$",
        "minLength": 4,
    },
    "pattern inside": {"type": "string", "pattern": "b+"},
    "two patterns": {"allOf": [{"type": "string", "pattern": "^a"}, {"pattern": "^a?"}]},
    **{
        name: {"type": "string", "format": name}
        for name in (
            "uuid",
            "uri",
            "uri-reference",
            "date-time",
            "date",
            "time",
            "duration",
            "email",
            "hostname",
            "ipv4",
            "ipv6",
            "byte",
            "binary",
            "regex",
            "json-pointer",
            "relative-json-pointer",
            "uri-template",
            "iri",
            "idn-email",
            "password",
        )
    },
    "short uri": {"type": "string", "format": "uri", "maxLength": 12},
    "long uri": {"type": "string", "format": "uri", "minLength": 60, "maxLength": 70},
    "byte lengths": {"type": "string", "format": "byte", "minLength": 8, "maxLength": 16},
    "list": {"type": "array", "items": {"type": "string", "format": "uri"}, "maxItems": 8},
    "unique list": {"type": "array", "items": {"enum": [1, True, "a", None]}, "uniqueItems": True, "minItems": 2},
    "empty list": {"type": "array", "items": False},
    "tuple": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False, "minItems": 1},
    "contains": {"type": "array", "items": {"type": "integer"}, "contains": {"minimum": 5}, "minContains": 2},
    "object": {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"type": "integer"}, "b": {"type": "string"}, "c": {"type": "boolean"}},
    },
    "closed object": {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False},
    "map": {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1, "maxProperties": 3},
    "named map": {"type": "object", "propertyNames": {"pattern": "^k[0-9]$"}, "additionalProperties": {"type": "null"}},
    "required and unnamed": {"type": "object", "required": ["x"], "additionalProperties": {"type": "string"}},
    "patterns of names": {"type": "object", "required": ["x-a"], "patternProperties": {"^x-": {"type": "integer"}}},
    "size": {
        "type": "object",
        "properties": {name: {"type": "null"} for name in "abcd"},
        "minProperties": 3,
        "maxProperties": 3,
    },
    "dependent": {"type": "object", "properties": {"a": {}, "b": {}}, "dependentRequired": {"a": ["b"]}},
    "dependent schemas": {
        "type": "object",
        "properties": {"a": {}, "b": {"type": "integer"}},
        "dependentSchemas": {"a": {"properties": {"b": {"minimum": 5}}}},
    },
    "one of types": {"oneOf": [{"type": "integer"}, {"type": "string"}]},
    "one of numbers": {
        "oneOf": [{"type": "integer", "multipleOf": 2, "maximum": 90}, {"type": "number", "minimum": 100}]
    },
    "one of objects": {
        "oneOf": [
            {"type": "object", "required": ["k"], "properties": {"k": {"const": "a"}, "v": {"type": "integer"}}},
            {"type": "object", "required": ["k"], "properties": {"k": {"const": "b"}, "v": {"type": "string"}}},
        ],
        "discriminator": {"propertyName": "k"},
    },
    "any of": {"type": "object", "properties": {"a": {}, "b": {}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
    "all of": {
        "allOf": [{"type": "object", "required": ["a"]}, {"properties": {"a": {"type": "string", "minLength": 1}}}]
    },
    "all of twice": {
        "allOf": [
            {"properties": {"a": {"type": "integer", "minimum": 1}}},
            {"properties": {"a": {"maximum": 3}}, "required": ["a"]},
            {"type": "object"},
        ]
    },
    "closed by a branch": {"type": "object", "properties": {"a": {"type": "null"}}, "unevaluatedProperties": False},
    "not a value": {"type": "string", "enum": ["a", "b", "c"], "not": {"enum": ["b"]}},
    "not a type": {"type": ["string", "integer"], "not": {"type": "string"}},
    "not a member": {"type": "object", "properties": {"a": {"enum": [1, 2]}}, "not": {"required": ["a"]}},
    "not some": {"enum": [1, 2, 3, "a"], "not": {"anyOf": [{"enum": [1]}, {"enum": [2]}]}},
    "condition": {
        "type": "object",
        "required": ["state"],
        "properties": {"state": {"enum": ["done", "open"]}, "result": {"type": "string"}},
        "if": {"properties": {"state": {"const": "done"}}, "required": ["state"]},
        "then": {"required": ["result"]},
    },
    "envelope": {
        "allOf": [
            {
                "type": "object",
                "required": ["code"],
                "properties": {"code": {"type": "integer", "enum": [200, 400, 500]}},
            }
        ],
        "anyOf": [
            {"required": ["data"], "properties": {"code": {"enum": [200]}, "data": {"type": "object"}}},
            {"properties": {"code": {"not": {"enum": [200]}}}},
        ],
    },
    "tree": {
        "$ref": "#/$defs/node",
        "$defs": {
            "node": {
                "type": "object",
                "required": ["v"],
                "properties": {
                    "v": {"type": "integer"},
                    "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                    "next": {"$ref": "#/$defs/node"},
                },
            }
        },
    },
    "reference and more": {
        "$ref": "#/$defs/word",
        "maxLength": 2,
        "$defs": {"word": {"type": "string", "minLength": 1}},
    },
    "content": {"type": "string", "contentMediaType": "application/json", "contentSchema": {"type": "object"}},
}
