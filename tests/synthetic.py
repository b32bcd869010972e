"""A small data package of made-up figures in which every relation holds: another country's, for all the audit knows."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from balalar.paths import Project

REGIONS = 20
YEARS = (2021, 2022)
LANGUAGES = ("kk", "ru", "en")


def text(words: str) -> dict[str, str]:
    """The same words for every language."""
    return dict.fromkeys(LANGUAGES, words)


CARDS: dict[str, dict[str, Any]] = {
    "residents": {
        "kind": "count", "unit": "person", "decimals": 0, "time": "start_of_year", "dimensions": ["sex", "settlement"],
        "parts": {"sex": ["male", "female"], "settlement": ["urban", "rural"]},
    },
    "births": {
        "kind": "count", "unit": "person", "decimals": 0, "time": "start_of_year", "dimensions": ["settlement"],
        "parts": {"settlement": ["urban", "rural"]},
    },
    "births_rate": {
        "kind": "rate", "unit": "per_1000", "decimals": 2, "time": "start_of_year", "dimensions": ["settlement"],
        "numerator": "births", "denominator": "residents", "per": 1000,
    },
    "vaccinated": {
        "kind": "count", "unit": "person", "decimals": 0, "time": "start_of_year", "dimensions": [],
        "within": "births",
    },
    "vaccinated_share": {
        "kind": "share", "unit": "percent", "decimals": 1, "time": "start_of_year", "dimensions": [],
        "numerator": "vaccinated", "denominator": "births", "per": 100,
    },
    "enrolled": {
        "kind": "count", "unit": "person", "decimals": 0, "time": "start_of_year", "dimensions": ["level"],
        "parts": {"level": ["preschool", "school", "vocational"]},
    },
    "poor_share": {
        "kind": "share", "unit": "percent", "decimals": 1, "time": "start_of_year", "dimensions": ["settlement"],
        "weight": "residents",
    },
}  # fmt: skip
TABLES = {
    "residents": "table-1.1", "births": "table-1.2", "births_rate": "table-1.2", "vaccinated": "table-1.3",
    "vaccinated_share": "table-1.3", "enrolled": "table-1.4", "poor_share": "table-1.5",
}  # fmt: skip


def write_package(folder: Path, seed: int) -> Project:
    """Write a package whose every figure agrees with every other.

    Parameters
    ----------
    folder : Path
        Empty folder.
    seed : int
        The same seed gives the same package.
    """
    where = Project(folder)
    for path in (where.indicators, where.observations, where.text):
        path.mkdir(parents=True)
    home = Project(Path(__file__).parents[1])
    shutil.copy(home.data / "text" / "common.yml", where.text)
    shutil.copy(home.data / "text" / "audit.yml", where.text)
    with home.corrections.open(encoding="utf-8") as file:
        where.corrections.write_text(file.readline(), encoding="utf-8")
    codes = yaml.safe_load((home.data / "codes.yml").read_text(encoding="utf-8"))
    names = {
        f"KZ-{number:02d}": {"name": text(f"Region {number}"), "short": text(f"R{number}")}
        for number in range(1, REGIONS + 1)
    }
    codes["regions"] = {"KZ": {"name": text("Country"), "short": text("Country")}, **names}
    _dump(where.data / "codes.yml", codes)
    places = {
        place: {"section": "1.1", "agency": "bns", "title": text(place)} for place in dict.fromkeys(TABLES.values())
    }
    report = {
        "title": text("Report"),
        "publisher": text("Office"),
        "file": "none",
        "sha256": "0" * 64,
        "places": places,
    }
    _dump(where.data / "sources.yml", {"reports": {2022: report}})
    edition = yaml.safe_load((home.data / "edition.yml").read_text(encoding="utf-8"))
    _dump(where.data / "edition.yml", edition | {"chapters": {"demography": edition["chapters"]["demography"]}})
    for name, card in CARDS.items():
        wide = [None, None] if card["kind"] == "rate" else [0, 100] if card["kind"] == "share" else [0, None]
        rest = {"chapter": "demography", "range": wide, "polarity": "neutral", "agency": "bns",
                "interval": {"method": "none", "reason": "full_count"},
                "title": text(name), "definition": text(name)}  # fmt: skip
        _dump(where.indicators / f"{name}.yml", {"id": name, **card, **rest})
    for name, rows in _figures(np.random.default_rng(seed)).items():
        columns = ["year", "region", *CARDS[name]["dimensions"], "value", "status", "source", "report"]
        with (where.observations / f"{name}.csv").open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([*row, "A", TABLES[name], 2022] for row in rows)
    return where


def _dump(path: Path, data: Any) -> None:
    path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")


def _figures(random: np.random.Generator) -> dict[str, list[list[Any]]]:
    """Rows of every indicator: year, region, codes, value."""
    rows: dict[str, list[list[Any]]] = {name: [] for name in CARDS}
    size = random.lognormal(13.0, 0.6, REGIONS)
    urban, male = random.uniform(0.3, 0.8, REGIONS), random.uniform(0.47, 0.52, REGIONS)
    fertility, poverty = random.uniform(12, 30, REGIONS), random.uniform(2, 14, REGIONS)
    cover, levels = random.uniform(0.6, 0.99, REGIONS), random.dirichlet((8, 20, 5), REGIONS)
    for year in YEARS:
        size = size * random.normal(1.015, 0.006, REGIONS)
        town = np.round(size * urban).astype(int)
        village = np.round(size * (1 - urban)).astype(int)
        people = town + village
        men = np.round(people * male).astype(int)
        born = [
            np.round(part * fertility / 1000 * random.normal(1, 0.02, REGIONS)).astype(int) for part in (town, village)
        ]
        jabs = np.round(sum(born) * np.clip(cover + random.normal(0, 0.01, REGIONS), 0.3, 0.995)).astype(int)
        pupils = [
            np.round(people * 0.22 * levels[:, at] * random.normal(1, 0.01, REGIONS)).astype(int) for at in range(3)
        ]
        poor = [np.clip(poverty * factor + random.normal(0, 0.15, REGIONS), 0.5, 40) for factor in (0.8, 1.25)]
        counts = {
            "residents": {("total", "total"): people, ("male", "total"): men, ("female", "total"): people - men,
                          ("total", "urban"): town, ("total", "rural"): village},
            "births": {("total",): sum(born), ("urban",): born[0], ("rural",): born[1]},
            "vaccinated": {(): jabs},
            "enrolled": {("total",): sum(pupils), ("preschool",): pupils[0], ("school",): pupils[1],
                         ("vocational",): pupils[2]},
        }  # fmt: skip
        for name, columns in counts.items():
            for code, values in columns.items():
                rows[name] += _column(year, code, values, int(values.sum()), "{:.0f}")
        parts = {"total": (people, sum(born)), "urban": (town, born[0]), "rural": (village, born[1])}
        for code, (below, above) in parts.items():
            rows["births_rate"] += _column(
                year, (code,), above / below * 1000, above.sum() / below.sum() * 1000, "{:.2f}"
            )
        rows["vaccinated_share"] += _column(
            year, (), jabs / sum(born) * 100, jabs.sum() / sum(born).sum() * 100, "{:.1f}"
        )
        whole = (poor[0] * town + poor[1] * village) / people
        for code, values, weights in (("total", whole, people), ("urban", poor[0], town), ("rural", poor[1], village)):
            rows["poor_share"] += _column(year, (code,), values, (values * weights).sum() / weights.sum(), "{:.1f}")
    return rows


def _column(year: int, codes: tuple[str, ...], values: Any, nation: float, form: str) -> list[list[Any]]:
    regions = [f"KZ-{number:02d}" for number in range(1, REGIONS + 1)]
    return [[year, "KZ", *codes, form.format(nation)],
            *([year, one, *codes, form.format(value)] for one, value in zip(regions, values, strict=True))]  # fmt: skip
