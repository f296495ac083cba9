"""What goes wrong, as exceptions with the code and the remedy that the command line names."""

from __future__ import annotations

__all__ = ["ChandlerError", "DamagedError", "IncompleteError", "InternalError", "InterruptedError", "InvalidDataError",
           "LockedError", "NotFoundError", "UnreachableError", "UsageError"]


class ChandlerError(Exception):
    """The base of all errors of this package.

    Attributes:
        code: a stable lower-case name, the same as in the command line's JSON.
        what: what happened, in one sentence.
        where: file, path, row or address; empty where there is none.
        remedy: what can be done about it; empty where nothing is known.
        exit_code: what a command that ends with this error gives to the shell; as the program does.
    """

    code: str = "internal"
    exit_code: int = 1

    def __init__(self, what: str, where: str = "", remedy: str = "") -> None:
        super().__init__(what, where, remedy)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        where = f"\n  at:  {self.where}" if self.where else ""
        remedy = f"\n  try: {self.remedy}" if self.remedy else ""
        return self.what + where + remedy


class UsageError(ChandlerError, ValueError):
    """An argument cannot be used."""

    code = "usage"
    exit_code = 2


class NotFoundError(ChandlerError, LookupError):
    """A symbol, file or forecast that does not exist."""

    code = "not_found"
    exit_code = 2


class InvalidDataError(ChandlerError, ValueError):
    """Foreign data that is not what it claims to be, or not what a kernel takes."""

    code = "invalid_data"


class DamagedError(ChandlerError):
    """A file of the lake fails a check."""

    code = "damaged"


class UnreachableError(ChandlerError):
    """The lake cannot be reached: permissions, disk, network, deadline."""

    code = "unreachable"
    exit_code = 3


class LockedError(ChandlerError):
    """Another process writes this lake."""

    code = "locked"
    exit_code = 3


class IncompleteError(ChandlerError):
    """Some of the work was done, some was not."""

    code = "incomplete"


class InterruptedError(ChandlerError):  # noqa: A001 - named after its code, like the others
    """Cancelled; what was finished is kept."""

    code = "interrupted"
    exit_code = 130


class InternalError(ChandlerError):
    """A defect of chandler."""

    code = "internal"


_CLASSES: dict[str, type[ChandlerError]] = {
    c.code: c for c in (UsageError, NotFoundError, InvalidDataError, DamagedError, UnreachableError, LockedError,
                        IncompleteError, InterruptedError, InternalError)}


def from_code(code: str, what: str, where: str, remedy: str) -> ChandlerError:
    """The exception of an error code; for the compiled half of the package."""
    return _CLASSES.get(code, InternalError)(what, where, remedy)
