"""Base of all server events."""

from typing import ClassVar

from msgspec import Struct


class BaseEvent(Struct, frozen=True, tag_field="type"):
    """Server event; a subclass names its type as ``tag``."""

    group: ClassVar[str | None] = None
    """Extension group that a client must have asked for; None when everybody gets it."""

    @property
    def type(self) -> str:
        """Type, as in JSON."""
        return str(self.__struct_config__.tag)
