"""The database under a ledger: opening it, its tables, its transactions, its version.

SQLite by default, by path; any SQLAlchemy URL otherwise. Nothing here knows what entries mean.
SQLAlchemy is imported when a ledger is opened, never before.
"""

from __future__ import annotations

import functools
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import quote

from hokusai_assets.attestation.ledger.book import TABLES, Table
from hokusai_assets.errors import LedgerError, UsageError

if TYPE_CHECKING:
    import sqlalchemy as sa

SCHEMA_VERSION = 1
Mode = Literal["create", "write", "read"]
Result = TypeVar("Result")

_BUSY_S = 120  # SQLite: how long a writer waits for the others
_TRIES = 200  # other databases: how often a writer begins again when another was faster
_LONGEST_WAIT_S = 0.25
_SQLITE_MODES = {"create": "rwc", "write": "rw", "read": "ro"}
# SQLSTATE of a transaction that must begin again: serialization failure, deadlock.
_RACES = {"40001", "40P01"}


class Database:
    """An open ledger database. Connections are made anew each time, so it may cross a fork."""

    def __init__(self, url: str, mode: Mode = "write", *, immediate: bool = True) -> None:
        """Open `url`; `create` makes what is missing, the other modes refuse to.

        `immediate` lets SQLite's writers queue up; without it they race, as elsewhere.
        """
        self.path = sqlite_path(url)
        self.name = url
        self._immediate = immediate
        self._engine = self._sqlite(mode) if self.path is not None else self._other(url)
        self.tables = _tables()
        with self._translated():
            if mode == "create":
                self.write(self._create)
            self.read(self._check_version)

    def read(self, work: Callable[[sa.Connection], Result]) -> Result:
        """Do `work` on one snapshot."""
        options: dict[str, Any] = {}
        if self.path is None:
            options["isolation_level"] = "REPEATABLE READ"
        with (
            self._translated(),
            self._engine.connect() as connection,
            connection.execution_options(**options).begin(),
        ):
            return work(connection)

    def write(self, work: Callable[[sa.Connection], Result]) -> Result:
        """Do `work` in one transaction, and again from the start when another one was faster."""
        import sqlalchemy.exc

        with self._translated():
            for tried in range(_TRIES):
                try:
                    with (
                        self._engine.connect() as connection,
                        connection.execution_options(hokusai_write=True).begin(),
                    ):
                        return work(connection)
                except sqlalchemy.exc.DBAPIError as error:
                    if not _is_race(error):
                        raise
                time.sleep(min(_LONGEST_WAIT_S, 0.002 * (1 + tried)))
        raise LedgerError(f"The ledger {self.name} is too busy: evaluate again later.")

    def _sqlite(self, mode: Mode) -> sa.Engine:
        import sqlalchemy as sa

        path = Path(str(self.path)).absolute()
        if mode == "create":
            path.parent.mkdir(parents=True, exist_ok=True)
        elif not path.is_file():
            raise UsageError(f"There is no ledger {self.path}: check the path.")
        uri = f"file:{quote(str(path))}?mode={_SQLITE_MODES[mode]}"

        def connect() -> sqlite3.Connection:
            # Without isolation level the driver begins nothing by itself; see _begin.
            return sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None)

        engine = sa.create_engine("sqlite://", creator=connect, poolclass=sa.NullPool)

        @sa.event.listens_for(engine, "begin")
        def _begin(connection: sa.Connection) -> None:
            writes = connection.get_execution_options().get("hokusai_write")
            # A writer takes its place before it reads: two would otherwise read the same state.
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes and self._immediate else "BEGIN")

        return engine

    def _other(self, url: str) -> sa.Engine:
        import sqlalchemy as sa
        import sqlalchemy.exc

        try:
            parsed = sa.make_url(url)
            self.name = parsed.render_as_string(hide_password=True)
            return sa.create_engine(parsed, poolclass=sa.NullPool)
        except (sqlalchemy.exc.ArgumentError, ImportError) as error:
            raise UsageError(
                "The ledger's URL is not one of SQLAlchemy's, or its driver is not installed "
                f"({type(error).__name__}): give a path for SQLite, or a URL such as "
                "postgresql+psycopg://HOST/NAME."
            ) from None

    def _create(self, connection: sa.Connection) -> None:
        import sqlalchemy as sa

        if sa.inspect(connection).has_table(self.tables["meta"].name):
            return
        self.tables["meta"].metadata.create_all(connection)
        values = {"name": "schema_version", "value": str(SCHEMA_VERSION)}
        connection.execute(self.tables["meta"].insert().values(values))

    def _check_version(self, connection: sa.Connection) -> None:
        """Refuse what is no ledger, and what a newer version of this program wrote."""
        import sqlalchemy as sa

        meta = self.tables["meta"]
        if not sa.inspect(connection).has_table(meta.name):
            raise UsageError(f"{self.name} is no ledger: check the path or URL.")
        query = sa.select(meta.c.value).where(meta.c.name == "schema_version")
        # A view is no table: whoever made the file could let it answer otherwise each time, or
        # without end.
        there = set(sa.inspect(connection).get_table_names())
        lacking = sorted({table.name for table in self.tables.values()} - there)
        if lacking:
            raise LedgerError(
                f"The ledger {self.name} has no table {lacking[0]}: it is damaged. Restore it from "
                "a backup."
            )
        found = connection.execute(query).scalar()
        if found is None or not (str(found).isascii() and str(found).isdigit()):
            raise LedgerError(f"The ledger {self.name} does not say its version: it is damaged.")
        if int(found) > SCHEMA_VERSION:
            raise LedgerError(
                f"The ledger {self.name} was written in version {found} of its tables, and this "
                f"program knows {SCHEMA_VERSION}: update hokusai-assets."
            )
        # Version 1 is the first. A later one migrates older tables here, the chain untouched.
        if int(found) < SCHEMA_VERSION:
            raise LedgerError(f"The ledger {self.name} has no version {found}: it is damaged.")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        import sqlalchemy.exc

        try:
            yield
        except sqlalchemy.exc.DBAPIError as error:
            raise LedgerError(
                f"The ledger {self.name} cannot be read or written "
                f"({type(error.orig).__name__}): check that it is a ledger, its permissions, and "
                "that its database runs."
            ) from None


def sqlite_path(url: str) -> str | None:
    """The file of an SQLite ledger given as path or URL; None for another database."""
    if not url.strip():
        raise UsageError("The ledger has no name: give a path or a URL.")
    if "://" not in url:
        return url
    scheme, _, rest = url.partition("://")
    if scheme.partition("+")[0] != "sqlite":
        return None
    path = rest.removeprefix("/")
    if not path or path == ":memory:":
        raise UsageError("A ledger in memory keeps nothing: give the path of a file.")
    return path


def _is_race(error: sa.exc.DBAPIError) -> bool:
    import sqlalchemy.exc

    if isinstance(error, sqlalchemy.exc.IntegrityError):
        return True  # another entry with this sequence; if not, the rules will say so next time
    if isinstance(error.orig, sqlite3.OperationalError):
        return "locked" in str(error.orig)
    return getattr(error.orig, "sqlstate", None) in _RACES


@functools.cache
def _tables() -> dict[str, sa.Table]:
    """The tables by name: `meta`, `entries`, and those of TABLES; in the database `ledger_NAME`."""
    import sqlalchemy as sa

    metadata = sa.MetaData()
    types = {"digest": sa.String(64), "name": sa.String(255), "count": sa.BigInteger()}
    found = {
        "meta": sa.Table(
            "ledger_meta",
            metadata,
            sa.Column("name", sa.String(64), primary_key=True),
            sa.Column("value", sa.String(64), nullable=False),
        ),
        # Two entries with one sequence or one predecessor would be two chains.
        "entries": sa.Table(
            "ledger_entries",
            metadata,
            sa.Column("sequence", sa.BigInteger(), primary_key=True, autoincrement=False),
            sa.Column("hash", sa.String(64), nullable=False, unique=True),
            sa.Column("previous", sa.String(64), nullable=True, unique=True),
            sa.Column("kind", sa.String(16), nullable=False),
            sa.Column("content", sa.Text(), nullable=False),
        ),
    }
    for name, table in TABLES.items():
        found[name] = sa.Table(f"ledger_{name}", metadata, *_columns(table, types))
    return found


def _columns(table: Table, types: dict[str, Any]) -> list[Any]:
    import sqlalchemy as sa

    return [
        sa.Column(
            name,
            types[kind],
            primary_key=name in table.key,
            nullable=name in table.nullable,
            unique=name in table.unique or None,
            autoincrement=False,
        )
        for name, kind in table.columns.items()
    ]
