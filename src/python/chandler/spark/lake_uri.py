"""The lake's address, as Spark users and as this package write it."""

from __future__ import annotations

import os


def lake_uri(path: str | os.PathLike[str]) -> str:
    """s3a:// and s3n:// are Hadoop's names for s3://; a folder is made absolute, since workers run elsewhere."""
    uri = os.fspath(path)
    for scheme in ("s3a://", "s3n://"):
        if uri.startswith(scheme):
            return "s3://" + uri[len(scheme):]
    if uri.startswith("file://"):
        uri = uri[len("file://"):]
    return uri if "://" in uri else os.path.abspath(uri)
