"""What can be wrong with a request: the conditions that an error of the catalogue may name."""

from __future__ import annotations

CONDITIONS: dict[str, str] = {
    "key-missing": "no key was sent",
    "key-refused": "the key is not accepted",
    "path-unknown": "no operation has this path",
    "method-unknown": "no operation has this method on this path",
    "body-malformed": "the body can't be read as what it claims to be",
    "body-too-large": "the body is larger than what is read",
    "type-unsupported": "the content type is not documented",
    "request-invalid": "a parameter or the body does not fit its schema",
    "model-unknown": "the model is not one of the documented ones",
    "input-refused": "an uploaded input picture is gone, too large or no picture",
    "id-missing": "no task id was sent",
    "id-malformed": "the task id does not fit its schema",
    "id-unknown": "no task of this key has the id",
    "credits-spent": "the balance is lower than the price",
    "rate-exceeded": "more calls than the limit allows",
    "file-unknown": "no file of this provider's is at the URL",
    "signature-refused": "the signature of an upload is wrong",
    "cancel-late": "the task has already ended",
    "server-failed": "the server failed",
}
"""What each condition means, in the order in which a request meets them."""

FALLBACKS: dict[str, str] = {
    "key-refused": "key-missing",
    "body-malformed": "request-invalid",
    "body-too-large": "request-invalid",
    "type-unsupported": "request-invalid",
    "model-unknown": "request-invalid",
    "input-refused": "request-invalid",
    "id-missing": "request-invalid",
    "id-malformed": "id-unknown",
    "file-unknown": "id-unknown",
    "signature-refused": "key-refused",
    "cancel-late": "request-invalid",
    "method-unknown": "path-unknown",
}
"""The condition whose error tells a refusal where the catalogue has none for the condition itself."""
