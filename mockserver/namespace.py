"""Namespaces: one for each key, so that parallel users never see each other."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from hashlib import blake2b

from ..openapi.masking import mask
from .account import Account
from .clock import Clock
from .outbox import Outbox
from .rules import RuleBook
from .scenario import Play

MAX_NAMESPACES = 1000
_MAX_COUNTED = 1000


def namespace_id(key: str) -> str:
    """Return the id by which the namespace of `key` is shown; the key can't be told from it."""
    return blake2b(key.encode("utf-8", "surrogateescape"), digest_size=6, person=b"understudy").hexdigest()


class Namespace:
    """What belongs to one key: a clock, rules, counts, and an account with each provider."""

    __slots__ = (
        "accounts", "clock", "created", "exchanges", "id", "masked_key", "outbox", "played", "rules", "settings",
    )  # fmt: skip

    def __init__(self, id: str, key: str, clock: Clock) -> None:  # noqa: A002 - it is the word
        self.id = id
        self.masked_key = mask(key)
        self.clock = clock
        self.created = 0
        self.exchanges = 0
        self.rules = RuleBook()
        self.played: Counter[str] = Counter()
        self.outbox = Outbox()
        self.settings: dict[tuple[str, str], str] = {}
        self.accounts: dict[str, Account] = {}

    def may_play(self, play: Play) -> bool:
        """Count `play`, which was asked for with ``times=``; tell whether it may happen once more."""
        if len(self.played) > _MAX_COUNTED:
            self.played.clear()
        self.played[play.text] += 1
        return play.times is None or self.played[play.text] <= play.times

    def account(self, provider: str) -> Account:
        """Return the account with `provider`, opened when first asked for."""
        account = self.accounts.get(provider)
        if account is None:
            account = self.accounts[provider] = Account()
        return account


class Namespaces:
    """All namespaces, bounded: the one that was idle longest goes first."""

    def __init__(self, make_clock: Callable[[], Clock], said: Callable[[str], None]) -> None:
        self._make_clock = make_clock
        self._said = said
        self._by_key: OrderedDict[str, Namespace] = OrderedDict()
        self._by_id: dict[str, Namespace] = {}

    def of_key(self, key: str) -> Namespace:
        """Return the namespace of `key`, made when it is first used."""
        namespace = self._by_key.get(key)
        if namespace is None:
            namespace = Namespace(namespace_id(key), key, self._make_clock())
            self._by_key[key] = namespace
            self._by_id[namespace.id] = namespace
            self._drop_idle()
        else:
            self._by_key.move_to_end(key)
        return namespace

    def of_id(self, id: str) -> Namespace | None:  # noqa: A002 - it is the word
        """Return the namespace shown as `id`, or None."""
        return self._by_id.get(id)

    def __iter__(self) -> Iterator[Namespace]:
        """Yield every namespace, the one idle longest first."""
        return iter(self._by_key.values())

    def forget(self, namespace: Namespace | None) -> None:
        """Forget `namespace`, or all of them; who comes again with the same key starts anew."""
        self._by_key = OrderedDict(
            (key, each) for key, each in self._by_key.items() if namespace is not None and each is not namespace
        )
        self._by_id = {each.id: each for each in self._by_key.values()}

    def _drop_idle(self) -> None:
        if len(self._by_key) > MAX_NAMESPACES:
            _, dropped = self._by_key.popitem(last=False)
            del self._by_id[dropped.id]
            self._said(
                f"namespace {dropped.id} (key {dropped.masked_key}) was idle longest and is gone: "
                f"at most {MAX_NAMESPACES} are kept"
            )
