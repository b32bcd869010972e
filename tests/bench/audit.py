"""Planted errors: how many the audit finds, beside frictionless, pandera and pointblank.

Run with ``make bench-audit``. Every error is planted alone, with a seed, into figures in which every relation held:
made-up packages (``tests/synthetic.py``) and tables of the committed report of which the audit says nothing. An error
counts where it breaks a relation at all, which is decided here by arithmetic of its own, not by the audit.
"""

from __future__ import annotations

import io
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from balalar.audit.run import Audit, audit
from balalar.cards import COUNTRY
from balalar.claims import Claim
from balalar.dataset import Dataset, open_dataset, typed
from tests.bench.rivals import RIVALS, tables_of
from tests.synthetic import write_package

SEEDS = range(8)  # packages
PLANTED = 5  # errors of a kind in each package
REAL = 20  # errors of a kind in the report's tables
TOGETHER = 0.9  # correlation of two years whose columns go together
KINDS = (
    "shift", "swap_columns", "swap_rows", "transposed_digits", "lost_digit", "unit_slip", "copied_column", "wrong_sum",
)  # fmt: skip
CLAIM_KINDS = ("wrong_rank", "wrong_direction")
ADDITIVE = ("count", "money")


@dataclass(frozen=True)
class Planted:
    """An error, the figures with it, and the rows it changed."""

    kind: str
    frame: pd.DataFrame
    rows: frozenset[int]


def columns(data: Dataset, frame: pd.DataFrame) -> list[pd.DataFrame]:
    """Columns of a table: one indicator, year, codes and place, at least twelve lines with the country."""
    names = ["indicator", "year", *data.dimensions, "source"]
    found = [rows for _, rows in frame[frame["number"].notna()].groupby(names, dropna=False, sort=True)]
    return [rows for rows in found if rows["region"].nunique() >= 12 and COUNTRY in set(rows["region"])]


def additive(data: Dataset, rows: pd.DataFrame) -> bool:
    """Whether the lines of a column add up to the country's, as printed."""
    card = data.catalogue.cards[rows["indicator"].iloc[0]]
    if card.kind not in ADDITIVE or card.decimals:
        return False
    nation = rows[rows["region"] == COUNTRY]["number"].iloc[0]
    return abs(rows[rows["region"] != COUNTRY]["number"].sum() - nation) < 0.5


def plant(kind: str, data: Dataset, chance: random.Random) -> Planted | None:
    """Put one error of a kind into a copy of the figures; None where no place for it was found."""
    frame = data.printed
    wide = columns(data, frame)
    chance.shuffle(wide)
    for rows in wide:
        values = _VALUES[kind](data, rows, wide, chance)
        if values:
            changed = frame.copy()
            for at, value in values.items():
                changed.loc[at, "value"] = value
            return Planted(kind, _typed(changed), frozenset(values))
    return None


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    return typed(frame.drop(columns=["number", "preference", "about"]))


def _regional(rows: pd.DataFrame) -> list[int]:
    return [int(at) for at in rows.index[rows["region"] != COUNTRY]]


def _sisters(data: Dataset, rows: pd.DataFrame, wide: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """Other columns of the same indicator and place."""
    first = rows.iloc[0]
    return [other for other in wide if other is not rows and other["indicator"].iloc[0] == first["indicator"]
            and other["source"].iloc[0] == first["source"]]  # fmt: skip


def _shift(data: Dataset, rows: pd.DataFrame, wide: list[pd.DataFrame], chance: random.Random) -> dict[int, str]:
    """A block of lines slips down by one; the last value of the block is lost, its first cell repeats the one above."""
    near = [other for other in _sisters(data, rows, wide) if other["year"].iloc[0] != rows["year"].iloc[0]]
    lines = _regional(rows)
    if not near or len(lines) < 10 or not (additive(data, rows) or any(_alike(rows, other) for other in near)):
        return {}
    length = chance.randint(6, len(lines) - 2)
    start = chance.randint(1, len(lines) - length)
    values = {lines[at]: str(rows.loc[lines[at - 1], "value"]) for at in range(start, start + length)}
    return {at: value for at, value in values.items() if value != rows.loc[at, "value"]}


def _alike(one: pd.DataFrame, two: pd.DataFrame) -> bool:
    """Whether two years of a column go together: else a slip breaks no rule that anyone could know of."""
    both = (
        one.set_index("region")["number"]
        .to_frame("one")
        .join(two.set_index("region")["number"].rename("two"), how="inner")
    )
    return len(both) >= 12 and bool(both["one"].corr(both["two"]) > TOGETHER)


def _swap_columns(data: Dataset, rows: pd.DataFrame, wide: list[pd.DataFrame], chance: random.Random) -> dict[int, str]:
    """Two columns of a share or rate exchange their values under different codes."""
    card = data.catalogue.cards[rows["indicator"].iloc[0]]
    same = [other for other in _sisters(data, rows, wide) if other["year"].iloc[0] == rows["year"].iloc[0]]
    if not card.numerator or not same:
        return {}
    return _exchanged(rows, chance.choice(same))


def _exchanged(one: pd.DataFrame, two: pd.DataFrame) -> dict[int, str]:
    values: dict[int, str] = {}
    ends = two.set_index("region")
    for at, row in one.iterrows():
        if row["region"] in ends.index:
            other = two.index[two["region"] == row["region"]][0]
            values |= {int(str(at)): str(two.loc[other, "value"]), int(other): str(row["value"])}
    return values


def _swap_rows(data: Dataset, rows: pd.DataFrame, wide: list[pd.DataFrame], chance: random.Random) -> dict[int, str]:
    """Two regions of a count exchange their values, whose parts stay."""
    card = data.catalogue.cards[rows["indicator"].iloc[0]]
    if not card.parts or not additive(data, rows) or not _parted(data, rows, wide):
        return {}
    one, two = chance.sample(_regional(rows), 2)
    apart = rows.loc[one, "value"] != rows.loc[two, "value"]
    return {one: str(rows.loc[two, "value"]), two: str(rows.loc[one, "value"])} if apart else {}


def _parted(data: Dataset, rows: pd.DataFrame, wide: list[pd.DataFrame]) -> bool:
    """Whether the column is a total whose parts are printed beside it."""
    names = data.catalogue.cards[rows["indicator"].iloc[0]].parts
    whole = all(rows[name].iloc[0] == "total" for name in names)
    same = [other for other in _sisters(data, rows, wide) if other["year"].iloc[0] == rows["year"].iloc[0]]
    return whole and any({other[name].iloc[0] for other in same} >= set(codes) for name, codes in names.items())


def _digit(edit: Callable[[str, random.Random], str]) -> Callable[..., dict[int, str]]:
    def plant_digit(
        data: Dataset, rows: pd.DataFrame, wide: list[pd.DataFrame], chance: random.Random
    ) -> dict[int, str]:
        if not additive(data, rows):
            return {}
        for at in chance.sample(_regional(rows), len(_regional(rows))):
            value = str(rows.loc[at, "value"])
            if len(value) >= 3 and (new := edit(value, chance)) != value and not new.startswith("0"):
                return {at: new}
        return {}

    return plant_digit


def _transposed(value: str, chance: random.Random) -> str:
    pairs = [at for at in range(len(value) - 1) if value[at] != value[at + 1]]
    if not pairs:
        return value
    at = chance.choice(pairs)
    return value[:at] + value[at + 1] + value[at] + value[at + 2 :]


def _lost(value: str, chance: random.Random) -> str:
    at = chance.randrange(len(value))
    return value[:at] + value[at + 1 :]


def _slipped(value: str, chance: random.Random) -> str:
    return value + "000"


def _copied(data: Dataset, rows: pd.DataFrame, wide: list[pd.DataFrame], chance: random.Random) -> dict[int, str]:
    """A column takes the values of another indicator."""
    unit = data.catalogue.cards[rows["indicator"].iloc[0]]
    others = [other for other in wide if other["indicator"].iloc[0] != unit.id and len(other) >= len(rows)
              and data.catalogue.cards[other["indicator"].iloc[0]].unit == unit.unit]  # fmt: skip
    if not others or unit.kind != "count":
        return {}
    values = chance.choice(others).set_index("region")["value"]
    return {int(str(at)): str(values[row["region"]]) for at, row in rows.iterrows() if row["region"] in values.index}


def _wrong_sum(data: Dataset, rows: pd.DataFrame, wide: list[pd.DataFrame], chance: random.Random) -> dict[int, str]:
    """The country's value is not the sum."""
    if not additive(data, rows):
        return {}
    at = int(rows.index[rows["region"] == COUNTRY][0])
    number = int(float(rows.loc[at, "number"]))
    return {at: str(number + chance.choice((1, -1)) * max(chance.randint(1, 9) * 10 ** (len(str(number)) - 3), 1))}


_VALUES: dict[str, Callable[..., dict[int, str]]] = {
    "shift": _shift,
    "swap_columns": _swap_columns,
    "swap_rows": _swap_rows,
    "transposed_digits": _digit(_transposed),
    "lost_digit": _digit(_lost),
    "unit_slip": _digit(_slipped),
    "copied_column": _copied,
    "wrong_sum": _wrong_sum,
}


def claims_of(data: Dataset, kind: str, chance: random.Random, wrong: bool) -> Claim | None:
    """A statement about a column, true or wrong."""
    wide = [rows for rows in columns(data, data.printed) if rows["number"].nunique() > 8]
    rows = chance.choice(wide)
    card = data.catalogue.cards[rows["indicator"].iloc[0]]
    dims = ";".join(f"{name}={rows[name].iloc[0]}" for name in card.dimensions)
    lines = rows[rows["region"] != COUNTRY].sort_values("number", ascending=False)
    about = {"section": "1.1", "line": 1, "indicator": card.id, "year": str(rows["year"].iloc[0]), "dims": dims}
    if kind == "wrong_rank":
        named = list(lines["region"][:3])
        if lines["number"].iloc[2] == lines["number"].iloc[3]:
            return None
        if wrong:
            named[chance.randrange(3)] = chance.choice(list(lines["region"][5:]))
        return Claim.model_validate({"id": "1.1-01", "kind": "highest", "items": " ".join(named), **about})
    before = [
        other for other in _sisters(data, rows, wide) if (other[["year"]] == rows["year"].iloc[0] - 1).all().all()
    ]
    before = [other for other in before if all(other[name].iloc[0] == rows[name].iloc[0] for name in card.dimensions)]
    if not before:
        return None
    code = chance.choice([one for one in lines["region"] if one in set(before[0]["region"])])
    ends = [float(frame.loc[frame["region"] == code, "number"].iloc[0]) for frame in (rows, before[0])]
    if abs(ends[0] - ends[1]) < 0.3 * max(1.0, abs(ends[1]) * 0.001):
        return None
    true = "rose" if ends[0] > ends[1] else "fell"
    said = {"rose": "fell", "fell": "rose"}[true] if wrong else true
    return Claim.model_validate(
        {"id": "1.1-01", "kind": "direction", "region": code, "direction": said,
         "base_year": str(rows["year"].iloc[0] - 1), **about}
    )  # fmt: skip


def found_by_audit(data: Dataset, planted: Planted, quiet: set[str]) -> bool:
    """Whether a finding that the clean figures did not give names a changed figure."""
    result = audit(Dataset(data.catalogue, planted.frame, planted.frame), repairs=False)
    cells = {_cell(planted.frame, at) for at in planted.rows}
    return any(finding.id not in quiet and cells & _named(finding) for finding in result.findings)


def _named(finding: object) -> set[tuple[str, int, str, str]]:
    figures = [*finding.figures, *finding.against]  # type: ignore[attr-defined]
    if finding.repair:  # type: ignore[attr-defined]
        figures += [change.figure for change in finding.repair.changes]  # type: ignore[attr-defined]
    return {(one.key.indicator, one.key.year, one.key.region, one.value) for one in figures}


def _cell(frame: pd.DataFrame, at: int) -> tuple[str, int, str, str]:
    row = frame.loc[at]
    return str(row["indicator"]), int(row["year"]), str(row["region"]), str(row["value"])


def _real() -> Dataset:
    """The committed report without the places that the audit says anything of."""
    data = open_dataset()
    result = audit(data, repairs=False)
    told = {finding.place for finding in result.findings}
    told |= {one.source for finding in result.findings for one in (*finding.figures, *finding.against)}
    clean = data.corrected[~data.corrected["source"].isin(told) & data.corrected["source"].str.startswith("table")]
    clean = clean.assign(correction="").reset_index(drop=True)
    return Dataset(data.catalogue, _typed(clean), _typed(clean))


def one_package(seed: int) -> Iterator[tuple[str, str, str, bool]]:
    """Every (data, kind, tool, found) of one package; seed -1 is the report."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        data = _real() if seed < 0 else open_dataset(write_package(Path(folder) / "package", seed))
    name = "report" if seed < 0 else "made up"
    clean = audit(data, repairs=False)
    quiet = {finding.id for finding in clean.findings}
    yield from _false_alarms(name, data, clean)
    rivals = {tool: rival(data) for tool, rival in RIVALS.items()}
    for kind in KINDS:
        for _ in range(REAL if seed < 0 else PLANTED):
            planted = plant(kind, data, chance)
            if planted is None or not planted.rows:
                continue
            yield name, kind, "balalar", found_by_audit(data, planted, quiet)
            wide = tables_of(data, planted.frame)
            for tool, check in rivals.items():
                yield name, kind, tool, check(wide)
    for kind in CLAIM_KINDS:
        for wrong in (True, False):
            for _ in range((REAL if seed < 0 else PLANTED) if wrong else 4 * PLANTED):
                if claim := claims_of(data, kind, chance, wrong):
                    result = audit(data, {2022: [claim]}, repairs=False)
                    told = any(finding.claim for finding in result.findings)
                    yield name, kind if wrong else f"{kind}: true", "balalar", told


def _false_alarms(name: str, data: Dataset, clean: Audit) -> Iterator[tuple[str, str, str, bool]]:
    cells = int(data.printed["number"].notna().sum())
    for at in range(cells):
        yield name, "clean cell", "balalar", at < len(clean.findings)
    wide = tables_of(data, data.printed)
    for tool, rival in RIVALS.items():
        yield name, "clean package", tool, rival(data)(wide)


def _package(seed: int) -> list[tuple[str, str, str, bool]]:
    sys.stderr, kept = io.StringIO(), sys.stderr
    try:
        return list(one_package(seed))
    finally:
        sys.stderr = kept


def main() -> None:
    """Plant the errors and print the tables of ``docs/audit.md``."""
    start = time.monotonic()
    with ProcessPoolExecutor(os.cpu_count() or 1) as pool:
        entries = [entry for part in pool.map(_package, [-1, *SEEDS]) for entry in part]
    frame = pd.DataFrame(entries, columns=["data", "kind", "tool", "found"])
    clean = frame[frame["kind"] == "clean cell"].groupby("data")["found"].agg(["sum", "size"])
    true = frame[frame["kind"].str.endswith(": true")]["found"]
    errors = frame[frame["kind"].isin([*KINDS, *CLAIM_KINDS])]
    rates = errors.pivot_table(index="kind", columns=["data", "tool"], values="found", aggfunc="mean")
    counts = errors[errors["tool"] == "balalar"].pivot_table(
        index="kind", columns="data", values="found", aggfunc="size"
    )
    tools = ["balalar", *RIVALS]
    print("| planted error | data | planted | " + " | ".join(tools) + " |")
    print("|---|---|---:|" + "---:|" * len(tools))
    for kind in (*KINDS, *CLAIM_KINDS):
        for name in ("made up", "report"):
            if (
                (name, "balalar") in rates.columns
                and kind in rates.index
                and pd.notna(rates.loc[kind, (name, "balalar")])
            ):
                cells = [_percent(rates, kind, name, tool) for tool in tools]
                print(f"| {kind} | {name} | {counts.loc[kind, name]:.0f} | " + " | ".join(cells) + " |")
    own = errors[errors["tool"] == "balalar"]["found"]
    print(f"\nAll kinds: {own.sum()} of {len(own)} found ({own.mean():.3f}).")
    for name, row in clean.iterrows():
        print(f"False alarms, {name}: {row['sum']:.0f} in {row['size']:.0f} clean cells.")
    packages = frame[frame["kind"] == "clean package"].groupby("tool")["found"].agg(["sum", "size"])
    for tool, row in packages.iterrows():
        print(f"Clean packages that {tool} calls faulty: {row['sum']:.0f} of {row['size']:.0f}.")
    print(f"True statements called wrong: {true.sum()} of {len(true)}.")
    print(f"{time.monotonic() - start:.0f} s on {os.cpu_count()} cores.")


def _percent(rates: pd.DataFrame, kind: str, name: str, tool: str) -> str:
    value = rates.loc[kind].get((name, tool))
    return "–" if value is None or pd.isna(value) else f"{value:.2f}"


if __name__ == "__main__":
    main()
