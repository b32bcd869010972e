"""The whole audit of a data package: patterns, relations and claims, each contradiction told once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from balalar.audit import forensics, grim
from balalar.audit.evidence import Evidence, Figure, Key
from balalar.audit.finding import Certainty, Finding, Severity, Test
from balalar.audit.identities import tests
from balalar.audit.repair import CUT, propose
from balalar.audit.verdicts import Verdict, judge
from balalar.cards import COUNTRY, TOTAL
from balalar.claims import REGION, Claim, codes_of
from balalar.dataset import Dataset, exponent

COLUMN = 4  # failing cells of one column that are told together
MOVED = "moved"  # an accepted correction has put the value under another heading
OTHER_YEAR = "year"  # the data have what is said, for the year before or after
OF_ONE_YEAR = {"value", "above", "below", "highest", "lowest", "between"}
SEVERITY: dict[str, Severity] = {
    "direction": "conclusion", "order": "conclusion", "threshold": "conclusion", MOVED: "label",
    OTHER_YEAR: "label",
}  # fmt: skip
ALONE = "possible"  # the one rule that holds a figure against no other
WEIGHT = {"conclusion": 3.0, "label": 2.5, "figure": 2.0}
SURE = {"proven": 1.0, "assumption": 0.7, "suspicion": 0.5}

Cell = tuple[str, Key, str]  # source, key, value


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes
    ----------
    findings : tuple of Finding
        What matters most first.
    verdicts : tuple of Verdict
        Every claim, in the order of the text.
    made, failed : dict of str to int
        Tests by rule, and those that did not hold as printed.
    figures, tested : int
        Printed figures, and those that at least one relation, pattern or claim could test.
    samples : dict
        Smallest samples that the survey's percentages leave possible, as from ``grim.smallest_samples``.
    """

    findings: tuple[Finding, ...]
    verdicts: tuple[Verdict, ...]
    made: Mapping[str, int]
    failed: Mapping[str, int]
    figures: int
    tested: int
    samples: Mapping[tuple[str, ...], Mapping[str, tuple[int, int]]]

    def counted(self, state: str) -> int:
        """Number of claims with a verdict."""
        return sum(verdict.state == state for verdict in self.verdicts)


def audit(dataset: Dataset, claims: Mapping[int, Iterable[Claim]] | None = None, repairs: bool = True) -> Audit:
    """Hold every figure and claim against the others.

    Parameters
    ----------
    dataset : Dataset
    claims : mapping of int to iterable of Claim, optional
        Claims by year of the report.
    repairs : bool
        Whether to look for repairs, which takes most of the time.

    Returns
    -------
    Audit
    """
    stated = [(report, claim) for report, found in (claims or {}).items() for claim in found]
    printed, corrected = (Evidence(frame, dataset.catalogue) for frame in (dataset.printed, dataset.corrected))
    quoted = _quoted(stated, printed)
    printed.say(quoted)
    corrected.say(quoted)
    for _, claim in stated:
        if claim.kind == "value" and claim.hedge and (key := _single(claim, printed)):
            printed.hedge(key, claim.section, claim.hedge)
            corrected.hedge(key, claim.section, claim.hedge)
    accepted = _corrections(dataset)
    patterns = [_accepted(finding, accepted) for finding in forensics.findings(printed)]
    first, second = (list(tests(one)) for one in (printed, corrected))
    mended = _mended(first, second, patterns, accepted)
    explained = {
        (one.source, one.key, one.value)
        for finding in patterns
        for one in finding.figures
        if not finding.corrections and finding.certainty != "suspicion"
    }
    broken = _relations([test for test in second if not test.holds], explained)
    if repairs:
        broken = [propose(finding, corrected) for finding in broken]
        mended = [propose(finding, printed) for finding in mended]
    verdicts = [(report, _judged(claim, corrected, printed)) for report, claim in stated]
    told = [*patterns, *mended, *broken]
    told += _contradicted(verdicts, told, corrected)
    held = [test for test in first if test.rule != ALONE]
    tested = {_cell(figure) for test in held for figure in (test.figure, *test.against)}
    judged = (verdict for _, verdict in verdicts if verdict.state != "unchecked")
    tested |= {_cell(figure) for verdict in judged for figure in verdict.figures}
    cells = {_cell(figure) for figures in printed.figures.values() for figure in figures}
    return Audit(
        tuple(sorted(_once(told), key=lambda finding: (-weight(finding), finding.id))),
        tuple(verdict for _, verdict in verdicts),
        Counter(test.rule for test in held),
        Counter(test.rule for test in held if not test.holds),
        len(cells),
        len(cells & tested),
        grim.smallest_samples(corrected),
    )


def weight(finding: Finding) -> float:
    """How much a finding matters: what it changes, how sure it is, how many cells, and whether of the country."""
    size = 1 + min(finding.count, 40) / 40
    nation = 1.25 if finding.key.region == COUNTRY else 1.0
    apart = 1.0
    if finding.expected and finding.figures and finding.kind != CUT:
        figure = finding.figures[0]
        scale = max(abs(figure.number), 1e-9)
        gap = abs(figure.interval.gap(finding.expected))
        apart = 0.6 + min(gap / scale, 1.0) if gap < float("inf") else 1.0
    elif finding.kind == CUT:
        apart = 0.3
    return WEIGHT[finding.severity] * SURE[finding.certainty] * size * nation * apart


def _judged(claim: Claim, corrected: Evidence, printed: Evidence) -> Verdict:
    """A verdict on the corrected figures; or that a correction has moved the value away, or that the year is another.

    What the data do not have for a year, and have so for its neighbour, the text has dated wrongly.
    """
    verdict = judge(claim, corrected)
    if claim.kind == "value" and verdict.reason == "operand_missing":
        before = judge(claim, printed)
        if before.state == "consistent":
            return replace(before, state="contradicted", reason=MOVED)
    if verdict.reason == "operand_missing" and claim.kind in OF_ONE_YEAR and claim.year.isdigit() and not claim.hedge:
        for away in (-1, 1):
            other = judge(claim.model_copy(update={"year": str(int(claim.year) + away)}), corrected)
            if other.state == "consistent":
                return replace(other, claim=claim, state="contradicted", reason=OTHER_YEAR)
    return verdict


def _single(claim: Claim, evidence: Evidence) -> Key | None:
    """The one quantity a claim is about; None where it adds several up."""
    if "+" in claim.year + claim.region + claim.dims or not claim.year:
        return None
    return evidence.key(claim.indicator, int(claim.year), claim.region, codes_of(claim.dims))


def _quoted(stated: list[tuple[int, Claim]], evidence: Evidence) -> dict[Key, list[Figure]]:
    """What claims say of single quantities, as figures of their sections."""
    found: dict[Key, list[Figure]] = defaultdict(list)
    for report, claim in stated:
        plain = claim.kind == "value" and not claim.hedge and not claim.spelled and not claim.direction
        if plain and "+" not in claim.year + claim.region + claim.dims:
            figure = evidence.stated(claim, report)
            found[figure.key].append(figure)
    return found


def _accepted(finding: Finding, accepted: _Accepted) -> Finding:
    """A pattern with the accepted corrections of its cells."""
    ids = {one for figure in finding.figures if (one := accepted.by_cell.get(_cell(figure)))}
    if len(ids) > 1:
        # A correction of a blank cell has no figure of its own; it goes with the others of its place.
        places = {one.rpartition("-")[0] for one in ids}
        ids |= {one for one in accepted.ids if one.rpartition("-")[0] in places}
    return finding.mended_by(tuple(sorted(ids)))


def _cell(figure: Figure) -> Cell:
    return figure.source, figure.key, figure.value


@dataclass(frozen=True)
class _Accepted:
    """Accepted corrections: by the printed cell they are of, and all ids."""

    by_cell: Mapping[Cell, str]
    ids: frozenset[str]


def _corrections(dataset: Dataset) -> _Accepted:
    cells = {}
    cards = dataset.catalogue.cards
    ids = dataset.corrected["correction"]
    mended = ids != ""
    for row, id_ in zip(dataset.printed[mended.to_numpy()].to_dict("records"), ids[mended], strict=True):
        codes = tuple(str(row[name]) for name in cards[str(row["indicator"])].dimensions)
        key = Key(str(row["indicator"]), int(row["year"]), str(row["region"]), codes)
        cells[str(row["source"]), key, str(row["value"])] = id_
    return _Accepted(cells, frozenset(ids) - {""})


def _mended(first: list[Test], second: list[Test], patterns: list[Finding], accepted: _Accepted) -> list[Finding]:
    """Relations broken as printed that accepted corrections restore, where no pattern tells of them already."""
    known = accepted.by_cell
    told = {one for finding in patterns for one in finding.corrections}
    still = {(test.rule, test.figure.key, test.figure.source) for test in second if not test.holds}
    groups: dict[tuple[str, ...], list[Test]] = defaultdict(list)
    for test in first:
        if test.holds or (test.rule, test.figure.key, test.figure.source) in still:
            continue
        ids = tuple(sorted({known[cell] for one in (test.figure, *test.against) if (cell := _cell(one)) in known}))
        if ids and not set(ids) & told:
            groups[ids].append(test)
    found: list[Finding] = []
    seen: set[str] = set()
    for ids, failed in sorted(groups.items(), key=lambda entry: (len(entry[0]), entry[0])):
        if not set(ids) <= seen:
            seen |= set(ids)
            found.append(replace(_finding(_turned(_own(failed, known), known)), corrections=ids))
    return found


def _own(failed: list[Test], known: Mapping[Cell, str]) -> Test:
    """The test that is about the corrected figure itself, so that its finding keeps its name when it is mended."""
    own = (test for test in failed if _cell(test.figure) in known or test.rule == "two_places")
    return next(own, failed[0])


def _turned(test: Test, known: Mapping[Cell, str]) -> Test:
    """Of two places that differ the corrected one is told, beside the other."""
    if test.rule == "two_places" and _cell(test.figure) not in known:
        other = test.against[0]
        return replace(test, figure=other, against=(test.figure,), expected=test.figure.interval)
    return test


def _finding(test: Test) -> Finding:
    """A broken relation as a finding."""
    figure = test.figure
    unit = figure.interval.high - figure.interval.low
    # 61.5 printed as 61: cut, not rounded.
    cut = 0 < test.expected.low - figure.number < unit + 1e-9 and test.expected.high - figure.number < unit + 1e-9
    return Finding(
        test.rule, figure.source, figure.report, figure.key, (figure,), test.against, test.expected,
        certainty=test.certainty, assumption=test.assumption, kind=CUT if cut else "",
    )  # fmt: skip


def _relations(failed: list[Test], explained: set[Cell]) -> list[Finding]:
    """Broken relations; those of one column told together, those that a pattern explains left out."""
    columns: dict[tuple[object, ...], list[Test]] = defaultdict(list)
    for test in failed:
        if not any(_cell(figure) in explained for figure in (test.figure, *test.against)):
            key = test.figure.key
            columns[test.rule, test.figure.source, key.indicator, key.year, key.codes].append(test)
    found = []
    for group in columns.values():
        if len({test.figure.key.region for test in group}) >= COLUMN:
            found.append(_column(group))
        else:
            found += [_finding(test) for test in group]
    return found


SETS = {"highest", "lowest", "above", "below", "only_above", "only_below", "between", "only_between", "range", "rank"}


def _about(claim: Claim, evidence: Evidence) -> Key:
    """What a claim is about; no region where it compares the regions, the total where it adds several codes up."""
    given = {name: TOTAL if "+" in code else code for name, code in codes_of(claim.dims).items()}
    year = int(claim.year[:4] or 0)
    wide = claim.kind in SETS or claim.kind.startswith("count") or "+" in claim.region or claim.items
    return evidence.key(claim.indicator, year, "" if wide and claim.over == REGION else claim.region, given)


def _column(group: list[Test]) -> Finding:
    """Broken relations of one column as one finding."""
    first = _finding(group[0])
    figures = tuple(dict.fromkeys(test.figure for test in group))
    against = tuple(figure for test in group for figure in test.against)
    pairs = tuple((test.figure, test.expected) for test in group)
    key = first.key._replace(region="")
    return replace(
        first, key=key, figures=figures, against=against, expected=None, count=len(figures), kind="column",
        recomputed=pairs,
    )  # fmt: skip


def _cut(claim: Claim, verdict: Verdict) -> bool:
    """Whether a claim's number is the data's, cut instead of rounded."""
    if verdict.expected is None or claim.hedge or claim.spelled or not claim.printed:
        return False
    number, unit = float(claim.value), 10.0 ** exponent(claim.value)
    return number < verdict.expected.low and verdict.expected.high < number + unit


def _contradicted(verdicts: list[tuple[int, Verdict]], told: list[Finding], evidence: Evidence) -> list[Finding]:
    """Claims that the figures contradict, unless a finding tells of the same number already."""
    found = []
    for report, verdict in verdicts:
        claim = verdict.claim
        if verdict.state != "contradicted" or _told(verdict, told):
            continue
        figures = verdict.figures
        key = _about(claim, evidence)
        assumption = "year" if verdict.reason == OTHER_YEAR else "reading" if claim.assumed else ""
        if (
            verdict.reason == "order"
            and claim.kind in ("highest", "lowest")
            and len({one.source for one in figures}) > 1
        ):
            assumption = assumption or "two_accounts"
        certainty: Certainty = "assumption" if assumption else "proven"
        severity: Severity = SEVERITY.get(verdict.reason, "figure")
        if claim.kind.startswith("count"):
            severity = "conclusion"
        finding = Finding(
            f"claim_{claim.kind}", f"section-{claim.section}", report, key, (), figures, verdict.expected,
            severity=severity, certainty=certainty, assumption=assumption, line=claim.line, claim=claim.id,
            kind=CUT if _cut(claim, verdict) else verdict.reason, items=verdict.items,
        )  # fmt: skip
        found.append(finding)
    return found


def _told(verdict: Verdict, told: list[Finding]) -> bool:
    """Whether a broken relation is about the claim's own number and the same figures."""
    values = {(figure.key, figure.value) for figure in verdict.figures}
    for finding in told:
        if finding.line or not finding.figures or finding.expected is None:
            continue
        beside = {(figure.key, figure.value) for figure in finding.against}
        same = float(finding.figures[0].value) == float(verdict.claim.value or "nan")
        if same and values and values <= beside | {(finding.figures[0].key, finding.figures[0].value)}:
            return True
    return False


def _once(findings: list[Finding]) -> list[Finding]:
    """Each contradiction once: one of several places that print the same wrong figure, patterns before their parts."""
    exchanged = {
        (one.source, one.key)
        for finding in findings
        if finding.rule == "swapped_places"
        for one in (*finding.figures, *finding.against)
    }
    seen: dict[object, Finding] = {}
    for finding in findings:
        if finding.rule == "two_places" and (finding.figures[0].source, finding.key) in exchanged:
            continue
        values = tuple(sorted({(one.key, one.value) for one in (*finding.figures, *finding.against)}, key=repr))
        name = (finding.claim or finding.rule, finding.key, values if not finding.claim else ())
        if name not in seen:
            seen[name] = finding
        elif finding.figures and finding.figures[0] not in seen[name].figures:
            seen[name] = replace(
                seen[name], figures=(*seen[name].figures, *finding.figures), count=seen[name].count + 1
            )
    return list(seen.values())
