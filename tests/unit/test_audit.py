"""The audit on made-up figures in which every relation holds, and on the same with one known error."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from balalar.audit.evidence import Evidence, Key
from balalar.audit.finding import Finding
from balalar.audit.grim import attainable
from balalar.audit.interval import Interval, of_printed
from balalar.audit.repair import edits
from balalar.audit.run import audit
from balalar.audit.verdicts import judge
from balalar.claims import Claim
from balalar.dataset import Dataset, open_dataset, typed
from tests.conftest import run_balalar
from tests.synthetic import write_package


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return open_dataset(write_package(tmp_path_factory.mktemp("package") / "data", 7))


def changed(data: Dataset, values: Mapping[int, str]) -> Dataset:
    """The same figures with some of them replaced, by row."""
    frame = data.printed.copy()
    for at, value in values.items():
        frame.loc[at, "value"] = value
    frame = typed(frame.drop(columns=["number", "preference", "about"]))
    return Dataset(data.catalogue, frame, frame)


def rows(data: Dataset, indicator: str, year: int = 2022, **codes: str) -> list[int]:
    """Rows of a column, the country first."""
    frame = data.printed
    for name in data.catalogue.cards[indicator].dimensions:
        frame = frame[frame[name] == codes.get(name, "total")]
    frame = frame[(frame["indicator"] == indicator) & (frame["year"] == year)]
    return [int(at) for at in frame.sort_values("region").index]


def value(data: Dataset, at: int) -> str:
    return str(data.printed.loc[at, "value"])


def rules(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.rule for finding in findings}


def test_figures_that_agree_give_no_finding(package: Dataset) -> None:
    found = audit(package)
    assert found.findings == ()
    assert found.figures == 840
    assert found.made["sum_regions"] == 2 * (5 + 3 + 1 + 4)
    assert found.made["quotient"] == 2 * 21 * 4
    assert not any(found.failed.values())


def test_a_lost_digit_breaks_two_sums_and_is_mended(package: Dataset) -> None:
    at = rows(package, "residents", sex="male")[5]
    right = value(package, at)
    found = audit(changed(package, {at: right[:2] + right[3:]})).findings
    assert {"sum_regions", "sum_parts"} <= rules(found)
    repair = next(finding.repair for finding in found if finding.rule == "sum_regions")
    assert repair is not None
    assert [(change.value, change.key.region) for change in repair.changes] == [
        (right, package.printed.loc[at, "region"])
    ]
    assert repair.confidence == "high"


def test_rounding_is_no_finding(package: Dataset) -> None:
    at = rows(package, "births_rate")[3]
    once = value(package, at)
    assert audit(changed(package, {at: f"{float(once):.1f}"})).findings == ()
    assert "quotient" in rules(audit(changed(package, {at: f"{float(once) + 0.02:.2f}"})).findings)


def test_a_column_that_slipped_is_told_once_with_its_repair(package: Dataset) -> None:
    lines = rows(package, "poor_share")[1:]
    slipped = {lines[at]: value(package, lines[at - 1]) for at in range(6, 17)}
    found = audit(changed(package, slipped)).findings
    shift = next(finding for finding in found if finding.rule == "row_shift")
    assert shift.place == "table-1.5"
    assert shift.kind == "down"
    assert shift.repair is not None
    moved = {change.figure.key.region: change.key.region for change in shift.repair.changes}
    assert moved["KZ-10"] == "KZ-09"


def test_two_columns_under_each_others_heading(package: Dataset) -> None:
    urban, rural = (rows(package, "births_rate", settlement=code) for code in ("urban", "rural"))
    exchanged = {one: value(package, two) for one, two in zip(urban, rural, strict=True)}
    exchanged |= {two: value(package, one) for one, two in zip(urban, rural, strict=True)}
    found = [one for one in audit(changed(package, exchanged)).findings if one.rule == "heading"]
    assert {(one.key.codes, one.items) for one in found} == {(("urban",), ("rural",)), (("rural",), ("urban",))}


def test_two_lines_that_changed_places(package: Dataset) -> None:
    lines = rows(package, "enrolled", level="school")
    one, two = lines[4], lines[15]
    found = audit(changed(package, {one: value(package, two), two: value(package, one)})).findings
    assert "swapped_lines" in rules(found)


def test_one_series_under_two_names(package: Dataset) -> None:
    copied = zip(rows(package, "vaccinated"), rows(package, "enrolled", level="preschool"), strict=True)
    found = audit(changed(package, {one: value(package, two) for one, two in copied})).findings
    assert "copied_column" in rules(found)


def test_a_unit_that_slipped_and_a_part_above_its_whole(package: Dataset) -> None:
    at = rows(package, "vaccinated")[9]
    found = audit(changed(package, {at: value(package, at) + "000"})).findings
    assert {"unit_slip", "within", "sum_regions", "quotient", "part_of_total"} <= rules(found)


def test_an_exchange_of_numerator_and_denominator_is_proposed(package: Dataset) -> None:
    at, other = rows(package, "vaccinated")[9], rows(package, "births")[9]
    found = audit(changed(package, {at: value(package, other), other: value(package, at)})).findings
    swaps = [one.repair for one in found if one.repair and one.repair.rule == "swapped_cells"]
    assert swaps and {change.value for change in swaps[0].changes} == {value(package, at), value(package, other)}


def test_an_id_is_the_same_in_every_run(package: Dataset) -> None:
    wrong = changed(package, {rows(package, "enrolled")[0]: "1"})
    assert [one.id for one in audit(wrong).findings] == [one.id for one in audit(wrong).findings]
    assert "2022-table-1.4-sum_regions-enrolled-2022-KZ" in {one.id for one in audit(wrong).findings}


# -- numbers as intervals --------------------------------------------------------------------------


def test_a_printed_figure_is_an_interval() -> None:
    assert of_printed("5.2") == Interval(5.15, 5.25)
    assert of_printed("7e6", whole=True) == Interval(6.5e6, 7.5e6)
    assert of_printed("6717954", whole=True) == Interval(6717954, 6717954)
    apart = Interval(5.15, 5.25) - Interval(4.95, 5.05)
    assert (apart.low, apart.high) == pytest.approx((0.1, 0.3))


def test_two_rounded_figures_that_touch_do_not_meet() -> None:
    assert not of_printed("79.6").meets(of_printed("79.7"))
    assert of_printed("7.68").meets(of_printed("7.7"))
    assert of_printed("28.5").meets(Interval(28.45, 28.45))


def test_grim_by_hand() -> None:
    # 18 of 25 are 72 %; no whole number of 25 is 73 %.
    assert attainable(of_printed("72"), 25)
    assert not attainable(of_printed("73"), 25)


def test_edits_are_one_slip_away() -> None:
    near = set(edits("31788.0"))
    assert {"31783.0", "13788.0", "3178.0", "317880", "31.7880", "317088.0"} <= near
    assert "31999.0" not in near


# -- claims ----------------------------------------------------------------------------------------


def claim(kind: str, indicator: str = "residents", year: str = "2022", **rest: str) -> Claim:
    return Claim.model_validate(
        {"id": "1.1-01", "section": "1.1", "line": 1, "kind": kind, "indicator": indicator, "year": year, **rest}
    )


@pytest.fixture(scope="module")
def evidence(package: Dataset) -> Evidence:
    """Twenty regions of which region 1 has 100 of what region 2 has 250, and the country 1,000 after 800."""
    frame = package.printed.copy()
    for indicator, values in (("vaccinated", ("1000", "100", "250")), ("poor_share", ("10.0", "12.0", "8.0"))):
        for at, text in zip(rows(package, indicator), values, strict=False):
            frame.loc[at, "value"] = text
    frame.loc[rows(package, "vaccinated", 2021)[0], "value"] = "800"
    for name, years in (("vaccinated", (2021, 2022)), ("poor_share", (2021, 2022))):
        for year in years:
            frame = frame.drop(rows(package, name, year)[3:])
    frame = typed(frame.drop(columns=["number", "preference", "about"]))
    return Evidence(frame, package.catalogue)


VERDICTS = [
    (claim("value", "vaccinated", printed="1000"), "consistent"),
    (claim("value", "vaccinated", printed="1100"), "contradicted"),
    (claim("value", "vaccinated", printed="1,0", scale="e3"), "consistent"),
    (claim("value", "vaccinated", printed="900", hedge="more"), "consistent"),
    (claim("value", "vaccinated", printed="1200", hedge="more"), "contradicted"),
    (claim("value", "vaccinated", printed="1050", hedge="about"), "consistent"),
    (claim("value", "vaccinated", "2019", printed="5"), "unchecked"),
    (claim("change", "vaccinated", base_year="2021", printed="200", direction="rose"), "consistent"),
    (claim("change", "vaccinated", base_year="2021", printed="200", direction="fell"), "contradicted"),
    (claim("percent_change", "vaccinated", base_year="2021", printed="25", direction="rose"), "consistent"),
    (claim("percent_change", "vaccinated", base_year="2021", printed="20", direction="rose"), "contradicted"),
    (claim("fold", "vaccinated", region="KZ-02", base_region="KZ-01", printed="2,5"), "consistent"),
    (claim("fold", "vaccinated", region="KZ-02", base_region="KZ-01", printed="4"), "contradicted"),
    (claim("share", "vaccinated", region="KZ-02", base_region="KZ", printed="25"), "consistent"),
    (claim("share", "vaccinated", region="KZ-02", base_region="KZ", printed="50", hedge="more", spelled="yes"),
     "contradicted"),
    (claim("sum", "vaccinated", items="KZ-01 KZ-02", printed="350"), "consistent"),
    (claim("sum", "vaccinated", items="KZ-01 KZ-02", printed="360"), "contradicted"),
    (claim("mean", "vaccinated", items="KZ-01 KZ-02", printed="175"), "consistent"),
    (claim("direction", "vaccinated", base_year="2021", direction="rose"), "consistent"),
    (claim("direction", "vaccinated", base_year="2021", direction="fell"), "contradicted"),
    (claim("direction", "vaccinated", base_year="2021", direction="unchanged"), "contradicted"),
    (claim("above", "poor_share", items="KZ-01", base_region="KZ"), "consistent"),
    (claim("above", "poor_share", items="KZ-02", base_region="KZ"), "contradicted"),
    (claim("below", "poor_share", items="KZ-02", high="9"), "consistent"),
    (claim("between", "poor_share", items="KZ-01 KZ-02", low="8", high="12"), "consistent"),
    (claim("between", "poor_share", items="KZ-01 KZ-02", low="9", high="12"), "contradicted"),
    (claim("greater", "poor_share", region="KZ-01", base_region="KZ-02"), "consistent"),
    (claim("less", "poor_share", region="KZ-01", base_region="KZ-02"), "contradicted"),
    (claim("equal", "poor_share", region="KZ-01", base_region="KZ-02"), "contradicted"),
    # Where the others are not printed nobody knows the highest; that one beats it is enough to know it is not.
    (claim("highest", "poor_share", items="KZ-01"), "unchecked"),
    (claim("highest", "poor_share", items="KZ-02"), "contradicted"),
    (claim("lowest", "poor_share", items="KZ-01"), "contradicted"),
    (claim("only_above", "poor_share", items="KZ-02", low="9"), "contradicted"),
    (claim("count_above", "poor_share", base_region="KZ", printed="0"), "contradicted"),
    (claim("proportion", "poor_share", low="6", high="17", printed="50", hedge="more"), "contradicted"),
    (claim("proportion", "poor_share", low="12", high="17", printed="50", hedge="more"), "consistent"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "state"), VERDICTS, ids=lambda one: getattr(one, "kind", str(one)))
def test_a_claim_by_hand(evidence: Evidence, said: Claim, state: str) -> None:
    assert judge(said, evidence).state == state


def test_what_is_not_printed_follows_from_the_cards(package: Dataset) -> None:
    found = Evidence(package.printed, package.catalogue)
    key = Key("residents", 2022, "KZ-03", ("female", "total"))
    printed = found.figures.pop(key)[0]
    (derived,) = found.operands(key)
    assert derived.derived and derived.interval == printed.interval


def test_every_kind_of_claim_has_a_rule_and_every_rule_its_words(package: Dataset) -> None:
    from typing import get_args

    from balalar.audit.verdicts import _RULES
    from balalar.claims import Kind

    assert set(get_args(Kind)) == set(_RULES)
    texts = package.catalogue.texts["audit"]
    for kind in get_args(Kind):
        name = (
            "claim_count"
            if kind.startswith("count")
            else "claim_compared"
            if kind in ("greater", "less", "equal")
            else f"claim_{kind}"
        )
        assert f"rule_{name}" in texts, kind


def test_a_foreign_package_is_audited_from_the_command_line(tmp_path: Path) -> None:
    foreign = write_package(tmp_path / "foreign", 3)
    done = run_balalar("audit", "--format", "csv", root=foreign.root)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1, done.stdout
    file = foreign.observations / "births.csv"
    lines = file.read_text(encoding="utf-8").split("\n")
    lines[1] = "2021,KZ,total,12,A,table-1.2,2022"
    file.write_text("\n".join(lines), encoding="utf-8")
    assert "2022-table-1.2-sum_regions-births-2021-KZ" in run_balalar("audit", root=foreign.root).stdout
    lines[1] = "2021,KZ,total,1x,A,table-1.2,2022"
    file.write_text("\n".join(lines), encoding="utf-8")
    done = run_balalar("audit", root=foreign.root)
    assert done.returncode == 1
    assert "data/observations/births.csv:2" in done.stderr and "Traceback" not in done.stderr
