"""Other checkers of tables, set up as well as they allow: types, ranges, keys, and the sums of a line.

Each gets the same wide tables, one an indicator and year: a line a region, a column a set of codes. The rules are
taken from the same cards: which columns add up to which, and what range a value has. pandera, whose checks are any
function of a frame, also gets the rule that the regions add up to the country.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import pandera.pandas as pa

from balalar.cards import COUNTRY
from balalar.dataset import Dataset

Check = Callable[[list["Wide"]], bool]


@dataclass(frozen=True)
class Wide:
    """A table with a line a region; sums of its columns, range of its values, whether its lines add up."""

    frame: pd.DataFrame
    sums: tuple[tuple[str, tuple[str, ...]], ...]
    low: float | None
    high: float | None
    adds: bool


def tables_of(data: Dataset, frame: pd.DataFrame) -> list[Wide]:
    """The figures as wide tables with the rules of their cards."""
    found = []
    for (indicator, _, _), rows in frame[frame["number"].notna()].groupby(["indicator", "year", "source"]):
        card = data.catalogue.cards[str(indicator)]
        if rows["region"].nunique() < 12:
            continue
        names = list(card.dimensions)
        code = rows[names].agg("_".join, axis=1) if names else pd.Series("value", index=rows.index)
        wide = rows.assign(code=code).pivot_table(index="region", columns="code", values="number", aggfunc="first")
        sums = []
        for name, parts in card.parts.items():
            at = names.index(name)
            for column in wide.columns:
                codes = str(column).split("_") if len(names) > 1 else [str(column)]
                if len(codes) == len(names) and codes[at] == "total":
                    needed = tuple("_".join([*codes[:at], part, *codes[at + 1 :]]) for part in parts)
                    if set(needed) <= set(wide.columns):
                        sums.append((str(column), needed))
        adds = card.kind in ("count", "money") and not card.decimals and COUNTRY in wide.index
        if adds:
            adds = len(wide) == len(data.catalogue.codes.living(int(rows["year"].iloc[0]))) + 1
        found.append(Wide(wide.reset_index(), tuple(sums), *card.range, adds))
    return found


def with_pandera(data: Dataset) -> Check:
    """Typed columns in range, a unique region, sums of columns and of lines."""

    def schema(table: Wide) -> pa.DataFrameSchema:
        def summed(whole: str, parts: tuple[str, ...]) -> pa.Check:
            return pa.Check(lambda frame: (frame[whole] - frame[list(parts)].sum(axis=1)).abs() < 0.5)

        def added(column: str) -> pa.Check:
            def check(frame: pd.DataFrame) -> bool:
                nation = frame["region"] == COUNTRY
                return bool(abs(frame.loc[~nation, column].sum() - frame.loc[nation, column].iloc[0]) < 0.5)

            return pa.Check(check)

        values = [column for column in table.frame.columns if column != "region"]
        in_range = [] if table.low is None else [pa.Check.ge(table.low)]
        in_range += [] if table.high is None else [pa.Check.le(table.high)]
        columns = {column: pa.Column(float, in_range, nullable=True, coerce=True) for column in values}
        checks = [summed(whole, parts) for whole, parts in table.sums]
        checks += [added(column) for column in values] if table.adds else []
        return pa.DataFrameSchema({"region": pa.Column(str, unique=True), **columns}, checks=checks)

    def check(tables: list[Wide]) -> bool:
        for table in tables:
            try:
                schema(table).validate(table.frame, lazy=True)
            except pa.errors.SchemaErrors:
                return True
        return False

    return check


def with_frictionless(data: Dataset) -> Check:
    """Types and ranges of a schema, a primary key, and a row constraint for each sum of columns."""
    from frictionless import Checklist, Resource, Schema, checks, fields

    def check(tables: list[Wide]) -> bool:
        for table in tables:
            frame = table.frame.rename(columns=lambda name: f"c_{name}" if name != "region" else name)
            limits = {
                key: value for key, value in (("minimum", table.low), ("maximum", table.high)) if value is not None
            }
            schema = Schema(fields=[
                fields.StringField(name="region", constraints={"required": True, "unique": True}),
                *(fields.NumberField(name=name, constraints=limits) for name in frame.columns if name != "region"),
            ])  # fmt: skip
            rules = [
                # Its expressions know no abs(), and its numbers are decimals.
                checks.row_constraint(formula=f"c_{whole} == {' + '.join(f'c_{part}' for part in parts)}")
                for whole, parts in table.sums
            ]
            rows = [list(frame.columns), *frame.astype(object).where(frame.notna(), None).to_numpy().tolist()]
            report = Resource(rows, schema=schema).validate(Checklist(checks=[*rules, checks.duplicate_row()]))
            if not report.valid:
                return True
        return False

    return check


def with_pointblank(data: Dataset) -> Check:
    """Values in range, distinct regions, and an expression for each sum of columns."""
    import pointblank

    def check(tables: list[Wide]) -> bool:
        for table in tables:
            plan = pointblank.Validate(table.frame).rows_distinct(columns_subset=["region"])
            for column in table.frame.columns:
                if column != "region" and table.low is not None:
                    plan = plan.col_vals_ge(columns=column, value=table.low, na_pass=True)
                if column != "region" and table.high is not None:
                    plan = plan.col_vals_le(columns=column, value=table.high, na_pass=True)
            for whole, parts in table.sums:
                plan = plan.col_vals_expr(
                    expr=lambda frame, whole=whole, parts=parts: (
                        (frame[whole] - frame[list(parts)].sum(axis=1)).abs() < 0.5
                    )
                )
            if not plan.interrogate().all_passed():
                return True
        return False

    return check


RIVALS: dict[str, Callable[[Dataset], Check]] = {
    "pandera": with_pandera,
    "frictionless": with_frictionless,
    "pointblank": with_pointblank,
}
