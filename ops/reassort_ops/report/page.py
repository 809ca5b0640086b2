"""The report as one HTML page that needs nothing else: no network, no script, no font, no picture
of its own beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from reassort.french import typeset_html
from reassort.outbox import Channel

from reassort_ops.report import words
from reassort_ops.report.drawing import as_svg
from reassort_ops.report.figures import Figures, Milestone, SourceName
from reassort_ops.report.french import UNKNOWN, day, day_and_time, dollars, duration, hour, number, percent, some
from reassort_ops.report.plots import Ink

if TYPE_CHECKING:
    from reassort_ops.report.plots import Plot

# A table of so many rows is open at once.
_SHORT = 8
_NOTHING = "Rien dans la période."


@dataclass(frozen=True)
class Table:
    """The figures of a plot, or those that no plot shows, row by row; the first cell of a row heads
    it.
    """

    name: str
    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str = _NOTHING

    @property
    def is_short(self) -> bool:
        """Tell whether it is shown at once."""
        return len(self.rows) <= _SHORT


@dataclass(frozen=True)
class PageSection:
    """A part of the page. `plots` are SVG elements; `notes` say what its sources cannot tell."""

    name: str
    title: str
    origin: str
    notes: tuple[str, ...]
    lines: tuple[str, ...]
    plots: tuple[Markup, ...]
    tables: tuple[Table, ...]


def render_page(figures: Figures, plots: Iterable[Plot]) -> str:
    """Return the page."""
    environment = Environment(
        loader=PackageLoader("reassort_ops.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters["moment"] = day_and_time
    # What ElementTree has written is markup already.
    drawn = {plot.name: Markup(as_svg(plot)) for plot in plots}  # noqa: S704
    page = environment.get_template("page.html.j2").render(
        figures=figures, tiles=tiles_of(figures), sections=_sections(figures, drawn), inks=list(Ink)
    )
    return typeset_html(page)


def tiles_of(figures: Figures) -> list[tuple[str, str]]:
    """Return the few figures that come first, each with its label."""
    overall = next(times for times in figures.times if times.channel is None)
    most = max((one.handed_over if one.counted is None else one.counted for one in figures.sms.by_day), default=0)
    known = figures.outcomes.known > 0 or figures.reissues.total == 0
    return [
        ("Réassorts", number(figures.reissues.total)),
        ("Arrivés", number(figures.outcomes.delivered) if known else UNKNOWN),
        ("Délai pour la moitié", duration(overall.p50)),
        ("Jamais arrivés", number(figures.failures.undelivered) if known else UNKNOWN),
        ("Contestés", number(figures.disputes.total)),
        ("Bloqués en ce moment", number(_sum(figures.locks.locked_now, figures.locks.until_helpdesk_now))),
        ("SMS, au plus en un jour", number(most)),
        ("Dépense de SMS", dollars(figures.sms.spend_usd)),
    ]


def _sections(figures: Figures, drawn: dict[str, Markup]) -> list[PageSection]:
    def section(
        name: str,
        title: str,
        sources: tuple[SourceName, ...],
        lines: Iterable[str],
        tables: Iterable[Table],
        *plots: str,
    ) -> PageSection:
        named = [figures.source(source) for source in sources]
        origin = [words.SOURCES[source.name] + ("" if source.available else " (indisponible)") for source in named]
        return PageSection(
            name,
            title,
            _listed(origin),
            tuple(remark for source in named if not source.available for remark in source.remarks),
            tuple(lines),
            tuple(drawn[plot] for plot in (plots or (name,)) if plot in drawn),
            tuple(tables),
        )

    register, deliveries, voters = SourceName.REGISTER, SourceName.DELIVERIES, SourceName.VOTERS
    limits, metrics = SourceName.LIMITS, SourceName.METRICS
    return [
        section(
            "section-funnel",
            "Du code à l’identifiant arrivé",
            (metrics, register, deliveries),
            _funnel_lines(figures),
            [_funnel_table(figures), _outcomes_table(figures)],
            "funnel",
        ),
        section(
            "section-reissues",
            "Réassorts par heure et par moyen d’envoi",
            (register, deliveries),
            _reissue_lines(figures),
            [_reissues_table(figures)],
            "reissues",
        ),
        section(
            "section-establishments",
            "Électeurs par établissement",
            (voters,),
            _establishment_lines(figures),
            [_establishments_table(figures)],
        ),
        section(
            "section-times", "Délais de remise", (deliveries,), _time_lines(figures), [_times_table(figures)], "times"
        ),
        section(
            "section-failures",
            "Échecs par domaine et par raison",
            (deliveries, metrics),
            _failure_lines(figures),
            [_messages_table(figures), _failures_table(figures), _mail_table(figures)],
            "failures",
        ),
        section(
            "section-locks",
            "Blocages après des NUMEN erronés",
            (voters, register, metrics),
            _lock_lines(figures),
            [_locks_table(figures)],
            "locks",
        ),
        section(
            "section-disputes",
            "Réassorts contestés",
            (register, voters),
            _dispute_lines(figures),
            [_disputes_table(figures)],
            "disputes",
        ),
        section(
            "section-sms",
            "SMS : nombre et dépense",
            (limits, deliveries, metrics),
            _sms_lines(figures),
            [_sms_table(figures)],
            "sms",
            "spend",
        ),
        PageSection(
            "section-sources", "Sources de ce rapport", "la pile elle-même", (), (), (), (_sources_table(figures),)
        ),
    ]


# ---------------------------------------------------------------- what is said in words


def _funnel_lines(figures: Figures) -> Iterable[str]:
    yield (
        "Chaque part se rapporte à l’étape d’avant. Un électeur peut demander plusieurs codes, et des codes sont "
        "demandés pour des adresses qui ne sont pas sur la liste."
    )
    yield "Les réassorts donnés par l’assistance ou par un exploitant n’y sont pas."
    if figures.reissues.unknown:
        known = some(figures.outcomes.asked_by_voters, "réassort", "réassorts")
        yield f"Les deux dernières étapes ne portent que sur {known}, dont l’envoi est encore conservé."


def _reissue_lines(figures: Figures) -> Iterable[str]:
    found = figures.reissues
    total = some(found.total, "réassort", "réassorts")
    yield (
        f"{total} : {number(found.by_voters)} par les électeurs, {number(found.by_helpdesk)} par l’assistance, "
        f"{number(found.by_operators)} par les exploitants."
    )
    for control in found.controls:
        yield f"Le {day_and_time(control.at)} : {words.CONTROLS[control.change]}."
    yield from figures.source(SourceName.DELIVERIES).remarks


def _establishment_lines(figures: Figures) -> Iterable[str]:
    if figures.establishments is not None:
        yield (
            "Un établissement est nommé à partir de "
            f"{number(figures.establishments.floor)} électeurs qui ont reçu un nouvel identifiant ; en dessous, on "
            "pourrait reconnaître quelqu’un. Les autres sont réunis sur une ligne ; si elle reste en dessous, les "
            "établissements suivants s’y ajoutent, du plus petit au plus grand."
        )


def _time_lines(figures: Figures) -> Iterable[str]:
    yield (
        "« Remis » : l’opérateur ou la messagerie a accepté le message. « Arrivé » "
        ": son accusé de réception est revenu. Chaque envoi compte depuis sa mise en file ; la dernière ligne compte "
        "depuis la demande de l’électeur."
    )
    if not any(times.count for times in figures.times if times.until is Milestone.DELIVERED):
        yield "Aucun accusé de réception dans la période."


def _failure_lines(figures: Figures) -> Iterable[str]:
    found = figures.failures
    yield f"{some(found.failed, 'échec', 'échecs')} d’envoi."
    yield f"Repartis par l’autre moyen après un échec : {some(found.fell_back, 'identifiant', 'identifiants')}."
    yield f"Arrivés nulle part : {some(found.undelivered, 'identifiant', 'identifiants')}."


def _lock_lines(figures: Figures) -> Iterable[str]:
    found = figures.locks
    wrong, locks = some(found.wrong, "NUMEN erroné", "NUMEN erronés"), some(found.locks, "blocage", "blocages")
    yield f"Dans la période : {wrong}, {locks}, {some(found.unlocked, 'déblocage', 'déblocages')} par l’assistance."
    yield (
        f"En ce moment : au moins un essai erroné pour {some(found.with_wrong_now, 'électeur', 'électeurs')} ; "
        f"{some(found.locked_now, 'bloqué', 'bloqués')} pour quelques minutes, "
        f"{some(found.until_helpdesk_now, 'bloqué', 'bloqués')} jusqu’à l’appel à l’assistance."
    )


def _dispute_lines(figures: Figures) -> Iterable[str]:
    found = figures.disputes
    yield (
        f"{some(found.total, 'réassort contesté', 'réassorts contestés')} (« Ce n’était pas moi »), dont "
        f"{number(found.froze)} avec gel de l’identifiant."
    )
    yield (
        f"Par l’assistance : {some(found.frozen_by_operators, 'gel', 'gels')}, "
        f"{some(found.unfrozen, 'dégel', 'dégels')}. En ce moment : "
        f"{some(found.frozen_now, 'électeur gelé', 'électeurs gelés')}."
    )


def _sms_lines(figures: Figures) -> Iterable[str]:
    found = figures.sms
    yield (
        f"Plafond : {number(found.cap_per_day)} SMS par jour, à {dollars(float(found.max_price_usd))} au plus, soit "
        f"{dollars(float(found.cap_per_day * found.max_price_usd))} au plus par jour."
    )
    yield (
        f"Dépense selon les opérateurs : {dollars(found.spend_usd)}. Dépense du mois de tout le compte AWS : "
        f"{dollars(found.month_to_date_usd)} ; l’alarme sonne à {dollars(found.alarm_usd)}."
    )


# ---------------------------------------------------------------- what is said in tables


def _funnel_table(figures: Figures) -> Table:
    return Table(
        "table-funnel",
        "Les étapes en chiffres",
        ("Étape", "Nombre", "Part de l’étape d’avant", "Source"),
        tuple(
            (words.STEPS[step.step], number(step.count), percent(step.percent), words.SOURCES[step.source])
            for step in figures.funnel
        ),
    )


def _outcomes_table(figures: Figures) -> Table:
    found = figures.outcomes
    return Table(
        "table-outcomes",
        "Où en sont les identifiants",
        ("État", "Nombre"),
        (
            ("en attente d’envoi", number(found.waiting)),
            ("remis, sans accusé de réception", number(found.sent)),
            ("arrivé", number(found.delivered)),
            ("en échec", number(found.failed)),
            ("remplacé avant l’envoi", number(found.superseded_unsent)),
            ("en tout", number(found.known)),
            ("dont contesté", number(found.disputed)),
        ),
    )


def _reissues_table(figures: Figures) -> Table:
    return Table(
        "table-reissues",
        "Les heures en chiffres",
        ("Heure", "Par SMS", "Par e-mail", "Canal inconnu", "En tout"),
        tuple(
            (hour(one.hour), number(one.sms), number(one.email), number(one.unknown), number(one.total))
            for one in figures.reissues.by_hour
        ),
    )


def _establishments_table(figures: Figures) -> Table:
    found = figures.establishments
    rows = []
    if found is not None:
        rows += [(one.name, number(one.voters), number(one.reissues)) for one in found.named]
    if found is not None and found.others:
        fewer = f"moins de {number(found.floor)}"
        voters = fewer if found.others_voters is None else number(found.others_voters)
        rows.append((words.OTHER_ESTABLISHMENTS, voters, number(found.others_reissues)))
    return Table(
        "table-establishments",
        "Les établissements en chiffres",
        ("Établissement", "Électeurs", "Réassorts"),
        tuple(rows),
        "Aucun nouvel identifiant dans la période.",
    )


def _times_table(figures: Figures) -> Table:
    return Table(
        "table-times",
        "Les délais en chiffres",
        (
            "Mesure",
            "Nombre",
            "50 %",
            "90 %",
            "95 %",
            "99 %",
            "Le plus long",
        ),
        tuple(
            (
                words.measured(one),
                number(one.count),
                *(duration(value) for value in (one.p50, one.p90, one.p95, one.p99, one.longest)),
            )
            for one in figures.times
        ),
    )


def _messages_table(figures: Figures) -> Table:
    return Table(
        "table-messages",
        "Identifiants et confirmations, par domaine",
        ("Domaine", "Messages", "Échecs", "Part", "Indésirables"),
        tuple(
            (
                words.way(one.channel, one.domain),
                number(one.queued),
                number(one.failed),
                percent(one.failed_percent),
                UNKNOWN if one.channel is Channel.SMS else number(one.marked_as_spam),
            )
            for one in figures.failures.by_domain
        ),
    )


def _failures_table(figures: Figures) -> Table:
    return Table(
        "table-failures",
        "Échecs par domaine et par raison",
        ("Raison", "Domaine", "Échecs"),
        tuple((one.words, words.way(one.channel, one.domain), number(one.count)) for one in figures.failures.by_reason),
        "Aucun échec dans la période.",
    )


def _mail_table(figures: Figures) -> Table:
    mail = figures.failures.mail
    return Table(
        "table-mail",
        "Tous les e-mails, codes compris, selon CloudWatch",
        ("Domaine", "Remis", "Arrivés", "Échecs", "Indésirables"),
        tuple(
            (one.domain, number(one.handed_over), number(one.delivered), number(one.failed), number(one.marked_as_spam))
            for one in mail or ()
        ),
        "Pas de mesures : chiffres inconnus.",
    )


def _locks_table(figures: Figures) -> Table:
    return Table(
        "table-locks",
        "Les heures en chiffres",
        ("Heure", "NUMEN erronés", "Blocages", "Déblocages"),
        tuple(
            (hour(one.hour), number(one.wrong), number(one.locks), number(one.unlocked))
            for one in figures.locks.by_hour
        ),
    )


def _disputes_table(figures: Figures) -> Table:
    return Table(
        "table-disputes",
        "Les heures en chiffres",
        ("Heure", "Contestations"),
        tuple((hour(one.hour), number(one.disputes)) for one in figures.disputes.by_hour),
    )


def _sms_table(figures: Figures) -> Table:
    return Table(
        "table-sms",
        "Les jours en chiffres",
        ("Jour", "SMS comptés", "Part du plafond", "Identifiants remis par SMS", "Dépense"),
        tuple(
            (
                day(one.day),
                number(one.counted),
                percent(one.cap_percent),
                number(one.handed_over),
                dollars(one.spend_usd),
            )
            for one in figures.sms.by_day
        ),
    )


def _sources_table(figures: Figures) -> Table:
    return Table(
        "table-sources",
        "Ce que chaque source peut dire",
        ("Source", "Disponible", "Éléments lus", "Limites"),
        tuple(
            (
                words.SOURCES[source.name],
                "oui" if source.available else "non",
                number(source.looked_at),
                " ".join(source.remarks) or UNKNOWN,
            )
            for source in figures.sources
        ),
    )


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} et {parts[-1]}"


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
