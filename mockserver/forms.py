"""Forms: multipart and urlencoded bodies as data that a schema can judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from .refusal import Refused

MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"
_IN_MEMORY = {"MAX_MEMORY_FILE_SIZE": 1 << 31}  # bodies are bounded before they come here


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file inside a form."""

    name: str
    content: bytes
    media_type: str


def parse_form(content_type: str, body: bytes) -> dict[str, Any]:
    """Return the fields of a form: text as strings, files as `FilePart`.

    Raises:
        Refused: the body is not the form that `content_type` says it is.
    """
    fields: dict[str, Any] = {}

    def add(name: bytes | str, value: Any) -> None:
        """Keep a field; one that is given several times becomes a list, which a schema can refuse."""
        key = _text(name)
        held = fields.get(key)
        fields[key] = value if held is None else [*held, value] if isinstance(held, list) else [held, value]

    if content_type.partition(";")[0].strip().lower() == URLENCODED:
        for name, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace"):
            add(name, value)
        return fields
    # Imported when the first form comes: most servers never see one.
    from python_multipart import create_form_parser  # noqa: PLC0415
    from python_multipart.exceptions import FormParserError  # noqa: PLC0415

    def on_field(field: Any) -> None:
        add(field.field_name, _text(field.value or b""))

    def on_file(file: Any) -> None:
        file.file_object.seek(0)
        media_type = _text(file.content_type or "application/octet-stream")
        part = FilePart(_text(file.file_name or b""), file.file_object.read(), media_type)
        add(file.field_name, part)
        file.close()

    try:
        parser = create_form_parser({"Content-Type": content_type.encode()}, on_field, on_file, _IN_MEMORY)
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError, UnicodeDecodeError) as error:
        raise Refused("body-malformed", f"the body is no form: {error}") from None
    return fields


def as_data(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields as a schema sees them: a file is a string of bytes, whose text does not matter."""

    def seen(value: Any) -> Any:
        return list(map(seen, value)) if isinstance(value, list) else "" if isinstance(value, FilePart) else value

    return {name: seen(value) for name, value in fields.items()}


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
