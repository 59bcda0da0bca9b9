from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.openapi.behaviour import Phase
from understudy.openapi.errors import LoadError
from understudy.openapi.provider import (
    BUILT_IN,
    OptionError,
    Provider,
    built_in_names,
    check_behaviour,
    load_provider,
    merge_patch,
)
from understudy.openapi.source import parse_source

from .folders import BEHAVIOUR, FILES, changed, written


def refused(folder: Path, options: dict[str, str] | None = None) -> str:
    """The sentence with which the folder is refused once everything in it is loaded, without the folder's path."""
    with pytest.raises(LoadError) as caught:
        load_provider(folder, options).check()
    return str(caught.value).removeprefix(f"{folder}").removeprefix("/")


def test_a_folder_is_a_provider(tmp_path: Path) -> None:
    provider = load_provider(written(tmp_path))
    provider.check()
    assert (provider.name, repr(provider), provider.options) == ("acme", "Provider('acme')", {"words": "short"})
    assert list(provider.contract.operations) == ["create", "poll", "again", "send"]
    assert provider.contract.operations["create"].documents == ("large.yaml", "small.yaml")
    assert provider.contract.title == provider.behaviour.title == "Acme"
    assert provider.contract is provider.contract


def test_a_folder_may_be_told_as_text_or_relative_to_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written(tmp_path)
    monkeypatch.chdir(folder)
    assert load_provider(str(folder)).folder == load_provider(".").folder == folder.resolve()
    assert load_provider(".").name == "acme"


def test_a_folder_of_the_user_s_own_may_have_the_name_of_a_built_in_one(tmp_path: Path) -> None:
    name = built_in_names()[0]
    own = written(tmp_path).rename(tmp_path / name)
    assert load_provider(own).behaviour.title == "Acme"
    assert load_provider(name).folder == BUILT_IN / name


def test_documents_may_be_json_or_yaml_under_either_name(tmp_path: Path) -> None:
    files = {name: text for name, text in FILES.items() if name != "large.yaml"}
    large = '{"openapi": "3.1.0", "info": {"title": "L", "version": "1"}, "paths": {}}'
    provider = load_provider(written(tmp_path, files | {"more.json": large, "other.yml": large, "notes.txt": "-"}))
    documents, overlays = provider.sources()
    assert list(documents) == ["common.yaml", "more.json", "other.yml", "small.yaml"]
    assert overlays == []
    assert list(provider.contract.operations) == ["create", "poll", "again", "send"]


def test_an_option_changes_the_behaviour_and_the_document(tmp_path: Path) -> None:
    provider = load_provider(written(tmp_path), {"words": "long"})
    assert provider.options == {"words": "long"}
    assert provider.behaviour.title == "Acme of Great Length"
    assert provider.behaviour.retention.tasks == 20 * 86_400_000
    assert [overlay.name for overlay in provider.sources()[1]] == [str(provider.folder / "long.overlay.yaml")]


def test_corrections_are_applied_before_the_overlays_of_options(tmp_path: Path) -> None:
    corrections = (
        "overlay: 1.1.0\nactions:\n  - { target: $.info, x-document: common.yaml, update: { title: T, version: '9' } }"
    )
    folder = written(tmp_path, FILES | {"corrections.overlay.yaml": corrections})
    names = [overlay.name for overlay in load_provider(folder, {"words": "long"}).sources()[1]]
    assert [Path(name).name for name in names] == ["corrections.overlay.yaml", "long.overlay.yaml"]
    assert load_provider(folder).contract.version == "9"


def test_the_status_words_of_options_that_were_not_chosen_are_known(tmp_path: Path) -> None:
    statuses = "statuses: { done: null, finished: { phase: completed } }"
    folder = changed(tmp_path, "behaviour.yaml", "title: Acme of Great Length", statuses)
    assert load_provider(folder).other_statuses == {"finished": Phase.COMPLETED}
    assert load_provider(folder, {"words": "long"}).other_statuses == {"done": Phase.COMPLETED}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"word": "short"}, "no option 'word' (did you mean 'words'?); known: words, hook, secret"),
        ({"secrt": "x"}, "no option 'secrt' (did you mean 'secret'?); known: words, hook, secret"),
        ({"words": "log"}, "words has no value 'log' (did you mean 'long'?); known: short, long"),
        ({"colour": "red"}, "no option 'colour'; known: words, hook, secret"),
        ({"words": ""}, "words has no value ''; known: short, long"),
    ],
)
def test_an_option_or_value_that_is_not_there_is_refused_with_the_nearest(
    tmp_path: Path, options: dict[str, str], sentence: str
) -> None:
    with pytest.raises(OptionError) as caught:
        load_provider(written(tmp_path), options)
    assert str(caught.value) == sentence


def test_a_provider_without_options_says_that_it_has_none(tmp_path: Path) -> None:
    folder = changed(tmp_path, "behaviour.yaml", BEHAVIOUR[BEHAVIOUR.index("settings:") :], "")
    load_provider(folder).check()
    with pytest.raises(OptionError, match=r"^no option 'words'; known: none$"):
        load_provider(folder, {"words": "short"})


def test_settings_are_chosen_with_the_options_and_a_secret_that_cannot_sign_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path)
    chosen = {"hook": "https://hook.test", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "words": "long"}
    provider = load_provider(folder, chosen)
    assert provider.settings == {name: chosen[name] for name in ("hook", "secret")}
    assert provider.options == {"words": "long"}
    with pytest.raises(OptionError, match=r"^secret: "):
        load_provider(folder, {"secret": "whsec_é"})


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "waiting: { phase: pending,",
            "waiting: { next: [done, brokn], phase: pending,",
            "behaviour.yaml:10: /statuses/waiting/next/1: no status 'brokn' (did you mean 'broken'?)",
        ),
        (
            "done: { phase: completed }",
            "done: { phase: completed, next: [broken] }",
            "/statuses/done/next: a task stays in 'done', whose phase is completed; expected no status",
        ),
        (
            "variant: /model",
            "variant: /model\n    idempotency: $request.header.Idempotency-Key",
            "behaviour.yaml:29: /operations/create/idempotency: POST /tasks has no header parameter 'Idempotency-Key'",
        ),
    ],
)
def test_edges_and_keys_of_repetitions_that_lead_nowhere_are_found(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    folder = changed(tmp_path, "behaviour.yaml", old, new)
    assert refused(folder, {}).endswith(sentence)


def test_words_that_may_follow_a_status_are_known(tmp_path: Path) -> None:
    folder = changed(
        tmp_path, "behaviour.yaml", "waiting: { phase: pending,", "waiting: { next: [done], phase: pending,"
    )
    provider = load_provider(folder)
    provider.check()
    assert {name: each.next for name, each in provider.behaviour.statuses.items()} == {
        "waiting": ("done",), "done": None, "broken": None,
    }  # fmt: skip


@pytest.mark.parametrize("url", ["", "hook.test", "http://[", "https://hook.test:0", "https://hook.test:99999"])
def test_a_setting_that_should_be_a_url_and_is_none_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(OptionError, match=r"^hook: '.*' is no URL$"):
        load_provider(written(tmp_path), {"hook": url})


def test_a_provider_without_callbacks_has_settings_that_anything_may_stand_in(tmp_path: Path) -> None:
    callbacks = BEHAVIOUR[BEHAVIOUR.index("callbacks:") : BEHAVIOUR.index("polling:")]
    folder = changed(tmp_path, "behaviour.yaml", callbacks, "")
    assert load_provider(folder, {"hook": "anything"}).settings == {"hook": "anything"}


def test_what_is_no_folder_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    name = built_in_names()[0]
    with pytest.raises(LoadError) as caught:
        load_provider(f"{name}x")
    sentence = f"{name}x: is no folder and no built-in provider (did you mean {name!r}?); expected a folder with a beh"
    assert str(caught.value).startswith(sentence)
    assert all(each in str(caught.value) for each in built_in_names())
    with pytest.raises(LoadError, match=r"none: is no folder and no built-in provider; expected a folder with a beh"):
        load_provider(tmp_path / "none")


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["small.yaml"], "behaviour.yaml: No such file or directory"),
        (["behaviour.yaml"], ": holds no OpenAPI document; expected at least one .yaml or .json"),
    ],
)
def test_a_folder_that_lacks_a_file_is_refused(tmp_path: Path, names: list[str], sentence: str) -> None:
    assert refused(written(tmp_path, {name: FILES[name] for name in names})) == sentence


# What stood in the file, what stands there instead, the text on whose line that is told, and how.
BEHAVIOURS = [
    (
        "does: upload",
        "does: uplaod",
        "",
        "/operations/send/does: is 'uplaod' (did you mean 'upload'?); expected one of",
    ),
    ("like: poll", "like: pol", "", "/operations/again/like: is 'pol'; expected create, poll, again, send"),
    ("[create]", "[creat]", "", "/operations/again/creates: no operation 'creat' (did you mean 'create'?)"),
    ("id-missing: not-found", "id-missing: foun", "", "/operations/poll/raises/id-missing: no error 'foun' (did you"),
    (
        "id-missing: not-found",
        "id-mising: not-found",
        "",
        "/operations/poll/raises: is 'id-mising' (did you mean 'id-m",
    ),
    ("[create, poll]", "[create, pol]", "", "/limits/0/operations: no operation 'pol' (did you mean 'poll'?)"),
    (
        "GET /again/",
        "GET /agian/",
        "",
        "/operations/again/on: no document describes GET /agian/{id} (did you mean 'GET",
    ),
    ("GET /again/", "FETCH /", "", "/operations/again/on: is 'FETCH /{id}'; expected text that matches ^(GET|PUT|POST"),
    ("GET /again/", "GET /tasks/", "", "/operations/again/on: is that of 'poll' too; expected an operation of its own"),
    ("task_id: $request.path.id", "task_id: id", "", "/operations/poll/task_id: is 'id'; expected text that matches"),
    (
        "task_id: $request.path.id",
        "file: $request.path.id",
        "  poll:",
        "/operations/poll: does poll and has no 'task_id'; exp",
    ),
    (
        "{{ task.status }}",
        "{{ task.status + }}",
        "",
        "/operations/poll/answer/body: 'task.status +' is no expression: une",
    ),
    (
        "{{ task.status }}",
        "{{ tsak.status }}",
        "",
        "/operations/poll/answer/body: the name 'tsak' is not known here; kno",
    ),
    (
        "{{ task.status }}",
        "{{ task.status }",
        "",
        "/operations/poll/answer/body: '{{ task.status }' has a '{{' without",
    ),
    ("{ tasks: 14d }", "{ tasks: 14days }", "", "/retention/tasks: is '14days'; expected text that matches ^\\d+"),
    ("1s..2s", "1s-2s", "", "/statuses/waiting/lasts: is '1s-2s'; expected text that matches ^\\d+"),
    ("1s..2s", "2s..1s", "", "/statuses/waiting/lasts: is '2s..1s'; expected the shorter duration first"),
    (
        "phase: failed",
        "phase: completed",
        "statuses:",
        "/statuses: no status has the phase 'failed'; expected at least one",
    ),
    ("title: Acme\n", "", "", "/title: is missing; expected a value"),
    (
        "title: Acme\n",
        "title: Acme\ntitel: Acme\n",
        "base_url",
        "/titel: is not known (did you mean 'title'?); expected",
    ),
    ("failed: { code: 500", "broken: { code: 500", "failures:", "/failures/failed: is missing; expected a value"),
    (
        "$request.path.id",
        "$request.path.idd",
        "",
        "/operations/poll/task_id: GET /tasks/{id} has no path parameter 'idd'",
    ),
    ("code: 404, when", "code: no-task, when", "", "/errors/not-found: is told with the HTTP status 'no-task' ("),
    ("code: 500, message", "code: 500, mesage", "", "/failures/failed/message: is missing; expected a value"),
    (
        "{ setting: hook }",
        "{ setting: hok }",
        "",
        "/callbacks/url/setting: no setting 'hok' (did you mean 'hook'?); exp",
    ),
    ("secret: secret,", "secret: secrt,", "", "/callbacks/signature/secret: no setting 'secrt' (did you mean 'secret'"),
    ("failed: null }", "cancelled: null }", "", "/callbacks/on/cancelled: no status has this phase; expected one of"),
    ("default: short", "default: shrt", "", "/options/words/default: is 'shrt'; expected short, long"),
    ("understudy: 1", "understudy: 2", "", "/understudy: is 2; expected 1"),
    ("{ tasks: 14d }", "{ tasks: 99999999999d }", "understudy", "'99999999999d' is too long; expected at most "),
]
DOCUMENTS = [
    ("small.yaml", "openapi: 3.0.3", "swagger: '2.0'", "/swagger: is Swagger 2.0; expected OpenAPI 3.0 or 3.1"),
    ("small.yaml", "openapi: 3.0.3", "openapi: 3.2.0", "/openapi: is '3.2.0'; expected an OpenAPI version of 3.0.x or"),
    ("small.yaml", "schemas/Text }", "schemas/Txt }", "/paths/~1tasks/post/requestBody/content/application~1json"),
    ("small.yaml", "common.yaml#/components/responses", "comon.yaml#", "/paths/~1tasks/post/responses/201/$ref: the r"),
    ("small.yaml", "{ enum: [small] }", "{ type: string }", "/paths/~1tasks/post: POST /tasks has no enum of words at"),
    ("small.yaml", "{ enum: [small] }", "{ enum: [large] }", "/paths/~1tasks/post: POST /tasks has the variant"),
    ("small.yaml", "{ enum: [small] }", "{ enum: small }", "/paths/~1tasks/post/requestBody/content/application~1json"),
    ("common.yaml", "  /files:", "  /flies:", "/operations/send/on: no document describes POST /files (did you mean"),
    ("common.yaml", "  /files:", "  /more: { get: {} }\n  /files:", "/paths/~1more/get: GET /more has no name; expec"),
    ("common.yaml", "maxLength: 9", "maxLength: nine", "/components/schemas/Text/maxLength: is 'nine', of type strin"),
    ("common.yaml", "maxLength: 9", "pattern: '('", "/components/schemas/Text/pattern: is '('; expected a regex"),
    ("common.yaml", "{ type: string, maxLength: 9 }", "{ $ref: '#/components/schemas/Text' }", "/paths/~1tasks/post/"),
    ("common.yaml", "openapi: 3.1.0", "openapi: 3.1.0\nopenapi: 3.1.0", "the key 'openapi' is given twice"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "at", "sentence"), BEHAVIOURS)
def test_a_broken_behaviour_file_is_refused_with_line_and_place(
    tmp_path: Path, old: str, new: str, at: str, sentence: str
) -> None:
    told = refused(changed(tmp_path, "behaviour.yaml", old, new))
    line = BEHAVIOUR[: BEHAVIOUR.index(at or old)].count("\n") + 1 if new else 1
    assert told.startswith(f"behaviour.yaml:{line}: {sentence}")


@pytest.mark.parametrize(("name", "old", "new", "sentence"), DOCUMENTS)
def test_a_broken_document_is_refused_with_line_and_place(
    tmp_path: Path, name: str, old: str, new: str, sentence: str
) -> None:
    told = refused(changed(tmp_path, name, old, new))
    place, _, rest = told.partition(" ")
    assert rest.startswith(sentence)
    assert place.partition(":")[0] in FILES
    assert place.strip(":").partition(":")[2].isdecimal()


def test_a_broken_overlay_of_an_option_is_found_when_it_is_chosen(tmp_path: Path) -> None:
    folder = changed(tmp_path, "long.overlay.yaml", "target: $.info", "target: $.nowhere")
    load_provider(folder).check()
    sentence = "long.overlay.yaml:4: /actions/0/target: matches nothing: $['nowhere']; expected a match in common.yaml"
    assert refused(folder, {"words": "long"}) == sentence


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "tasks: 20d",
            "tasks: 20",
            "behaviour.yaml:71: /options/words/values/long/behaviour/retention/tasks: is 20, of",
        ),
        (
            "tasks: 20d",
            "task: 20d",
            "behaviour.yaml:71: /options/words/values/long/behaviour/retention/task: is not know",
        ),
        ("overlay: long.", "overlay: lng.", "lng.overlay.yaml: No such file or directory"),
    ],
)
def test_a_broken_value_of_an_option_is_found_when_it_is_chosen(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    folder = changed(tmp_path, "behaviour.yaml", old, new)
    load_provider(folder).check()
    assert refused(folder, {"words": "long"}).startswith(sentence)


def test_a_check_of_a_behaviour_file_tells_what_is_wrong_with_its_shape() -> None:
    check_behaviour(parse_source(BEHAVIOUR, "behaviour.yaml"))
    with pytest.raises(LoadError, match=r"^b\.yaml:1: is null, of type null; expected object$"):
        check_behaviour(parse_source("", "b.yaml"))


@pytest.mark.parametrize("name", built_in_names())
def test_the_files_of_a_built_in_provider_are_shown_by_its_name(name: str) -> None:
    provider = load_provider(name)
    assert all(source.name.startswith(f"{name}/") for source in provider.sources()[0].values())
    assert isinstance(provider, Provider)


# The examples of RFC 7396.
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a"], ["c"], ["c"]),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_changes_what_rfc_7396_says(target: object, patch: object, result: object) -> None:
    before = repr(target)
    assert merge_patch(target, patch) == result
    assert repr(target) == before


SCALARS: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    "",
    "x",
    "/x",
    "{{ x }}",
    "{{",
    [],
    {},
    ["x"],
    {"x": 1},
    [{}],
    "24h",
    "1s..2s",
]
REFERENCES: list[Any] = [
    {"$ref": target} for target in ("#/x", "#/components/schemas/Text", "common.yaml#/info", "http://[", 5)
]


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder, whose files the property below breaks and mends."""
    return written(tmp_path_factory.mktemp("broken"))


@given(st.sampled_from(sorted(FILES)), st.sampled_from(SCALARS + REFERENCES), st.data())
def test_whatever_stands_anywhere_in_a_folder_it_loads_or_is_refused(
    acme: Path, name: str, value: object, data: st.DataObject
) -> None:
    content = parse_source(FILES[name], name).data
    place = data.draw(st.sampled_from(places(content)))
    (acme / name).write_bytes(orjson.dumps(replaced(content, place, value)))
    try:
        with suppress(LoadError, OptionError):
            used(load_provider(acme, {"words": "long"}))
    finally:
        (acme / name).write_text(FILES[name])


def places(data: Any) -> list[tuple[Any, ...]]:
    """Where something stands inside `data`."""
    children = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [(key, *rest) for key, child in children for rest in [(), *places(child)]]


def replaced(data: Any, place: tuple[Any, ...], value: object) -> Any:
    """A copy of `data` with `value` at `place`."""
    if not place:
        return value
    copied = data.copy()
    copied[place[0]] = replaced(data[place[0]], place[1:], value)
    return copied


def used(provider: Provider) -> None:
    """Ask a provider for everything that a server would."""
    provider.check()
    for operation in provider.contract.operations.values():
        provider.contract.parameters(operation)
        provider.contract.body(operation)
        provider.contract.responses(operation)
        provider.contract.security_schemes(operation)
    provider.contract.document("https://x.test", provider.behaviour.links())
