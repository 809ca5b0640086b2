"""Writes a fictional electoral roll: the same seed and number of rows give the same file.

    python data/make_demo_roll.py > data/demo-roll.csv
    python data/make_demo_roll.py --seed 7 --rows 1200000 --out roll.csv

Nobody in it exists: family names are made up, and every NUMEN begins with 00, the number of no
académie. The first voters are chosen by hand for what a demonstration needs.
"""

import argparse
import csv
import random
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import TextIO

from reassort.election import Election, ElectionFileError, ExtraProof
from reassort.election_file import read_election_file
from reassort.identifiers import ALPHABET, check_symbol, show_identifier

FIRST_NAMES = """
Adèle Agathe Aïcha Alban Amandine Anaïs Anne-Lise Aurélien Baptiste Bérénice Blandine Brice Camille Cécile Célestin
Charlène Clément Clotilde Cyprien Damien Delphine Désiré Edwige Éloi Émilie Estelle Étienne Fabien Fatou Félicie
Floriane François-Xavier Frédéric Gaëlle Gaspard Géraldine Guilhem Hélène Honoré Inès Isaure Jean-Noël Jérémie Josette
Joël Karim Laëtitia Léopold Ludivine Maëlle Marceau Marie-Ève Maxence Mélanie Myriam Nadège Noémie Octave Odile Pascal
Philibert Quentin Raphaëlle Réjane Romain Roxane Samira Sébastien Solène Théophile Thibault Ursule Valère Violaine
Xavière Yannick Yasmine Zoé
""".split()  # noqa: SIM905 - a list literal is a hundred lines
FAMILY_NAMES = """
Arnezieux Auxondrelle Barcaveau Beaugencaut Beldorange Bèzemartin Borniquel Brognasse Cernoisy Chagnevert Champlécy
Charmoisel Châtoyard Cîtellier Clénardeau Corgoluy Courtépine Crébillaud Dampiérard Diénayre Échevronat Essertaine
Fauconnaud Fixinelle Flagézieux Fontanivert Gemeaulx Gevrolais Gilvaudey Granceyard Is-Valmont Jouvencelot Labergemont
Lantenayre Leuglézy Longecourtin Magnivernay Marsannault Meursaudon Mirebelin Montbardeau Morvandel Noironthe Nolayrand
Nuitonnard Ouchevert Perrignaud Plombiérat Pommardier Pontaillery Quétignard Rouvrelle Ruffézan Santenayre Saulonay
Savignolet Semurelle Talmayrac Tillenayon Valsuzenay Vannerot Vergisseau Vitteaudey Vosnardelle
""".split()  # noqa: SIM905 - a list literal is a hundred lines

SCHOOLS = (
    ("Lycée général et technologique Les Tilleuls, Dijon", "Secrétariat du proviseur, bureau 104"),
    ("Lycée polyvalent Henri-Moisand, Beaune", "Secrétariat de direction"),
    ("Lycée professionnel de la Vallée, Le Creusot", "Secrétariat du proviseur"),
    ("Lycée du Morvan, Château-Chinon", None),
    ("Collège Les Trois-Rivières, Auxonne", "Secrétariat de la principale"),
    ("Collège Émile-Vaubert, Mâcon", "Secrétariat, 1er étage"),
    ("Collège de la Forêt-d’Othe, Aillant-sur-Tholon", "Secrétariat du principal"),
    ("Collège Jeanne-Rosel, Nevers", "Secrétariat de la principale"),
    ("Collège du Pré-aux-Clercs, Semur-en-Auxois", None),
    ("École élémentaire des Coquelicots, Chenôve", "Circonscription de Chenôve, secrétariat de l’inspection"),
    ("École maternelle Le Petit-Bois, Talant", "Circonscription de Dijon-Ouest, secrétariat de l’inspection"),
    ("École primaire du Bourg, Saint-Léger-sous-Beuvray", "Circonscription d’Autun, secrétariat de l’inspection"),
    ("École élémentaire Gustave-Pernin, Sens", "Circonscription de Sens 1, secrétariat de l’inspection"),
    ("École primaire de l’Écluse, Clamecy", None),
    (
        "Rectorat de l’académie de Dijon",
        "Division des personnels enseignants, secrétariat, 2 G rue du Général-Delaborde",
    ),
    ("Direction des services départementaux de l’Yonne, Auxerre", "Secrétariat général"),
    ("Centre d’information et d’orientation, Montceau-les-Mines", "Secrétariat du CIO"),
)
UNIVERSITY = (
    ("UFR Lettres et philosophie, université de Bourgogne, Dijon", "Scolarité de l’UFR, bureau R06"),
    ("UFR Sciences et techniques, université de Bourgogne, Dijon", "Secrétariat de direction, bâtiment Mirande"),
    ("IUT de Chalon-sur-Saône", "Secrétariat de direction"),
    ("Bibliothèque universitaire Droit-Lettres, Dijon", None),
)
STUDENT_SERVICES = (
    ("Crous, restaurant universitaire Mansart, Dijon", "Service des ressources humaines du Crous"),
    ("Crous, résidence universitaire Montmuzard, Dijon", None),
)

# Who a demonstration needs: plain cases, no secretariat, a name with accents and a hyphen, a
# secondment overseas.
BY_HAND = (
    ("Camille", "Morvandel", 0, *SCHOOLS[0]),
    ("Étienne", "Bèzemartin", 0, *SCHOOLS[13]),
    ("Marie-Ève", "Is-Valmont", 1, *UNIVERSITY[0]),
    ("Désiré", "Châtoyard", 2, *STUDENT_SERVICES[0]),
    (
        "Solène",
        "Diénayre",
        0,
        "Lycée de la Rivière, Saint-Denis, La Réunion (mise à disposition)",
        "Secrétariat du proviseur",
    ),
    ("Joël", "Fontanivert", 0, "Collège du Bord-de-Mer, Le Moule, Guadeloupe (mise à disposition)", None),
)
# The last rows. Mailboxes of the SES simulator, at the election's domains: what the local stack
# reports of their e-mails is in `local/receipts.py`.
SIMULATED = (
    ("success", 0, *SCHOOLS[1]),
    ("bounce", 0, *SCHOOLS[2]),
    ("ooto", 1, *UNIVERSITY[1]),
    ("complaint", 1, *UNIVERSITY[2]),
    ("suppressionlist", 2, *STUDENT_SERVICES[0]),
)

_COLUMNS = ("email", "numen", "establishment", "secretariat", "identifier")


def main() -> None:
    """Write the roll."""
    parser = argparse.ArgumentParser(description="Write a fictional electoral roll.")
    parser.add_argument("--seed", type=int, default=2018)
    parser.add_argument("--rows", type=int, default=77)
    parser.add_argument("--election", type=Path, default=Path("elections/dijon-2018.yaml"))
    parser.add_argument("--out", type=Path, help="a file instead of standard output")
    options = parser.parse_args()
    try:
        election = read_election_file(options.election)
    except ElectionFileError as error:
        parser.error(str(error))
    with ExitStack() as stack:
        if options.out:
            target: TextIO = stack.enter_context(options.out.open("w", encoding="utf-8", newline=""))
        else:
            target = sys.stdout
            sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr] # a terminal or a file
        writer = csv.writer(target, delimiter=";", lineterminator="\n")
        proof = election.extra_proof
        writer.writerow((*_COLUMNS, "extra_proof") if proof else _COLUMNS)
        for number, row in enumerate(make_rows(election, options.rows, options.seed)):
            writer.writerow((*row, _extra_proof(number, proof)) if proof else row)


def make_rows(election: Election, rows: int, seed: int) -> Iterator[tuple[str, str, str, str, str]]:
    """Make the rows of a roll: address, NUMEN, establishment, secretariat or nothing, identifier in
    groups.
    """
    draw = random.Random(seed)  # noqa: S311 - nobody votes with these
    namesakes: Counter[str] = Counter()
    domains = election.domain_names
    for row in range(rows):
        if row < len(BY_HAND):
            first, family, place, establishment, secretariat = BY_HAND[row]
            mailbox = _mailbox(first, family)
        elif row >= rows - len(SIMULATED):
            mailbox, place, establishment, secretariat = SIMULATED[row - rows]
        else:
            mailbox = _mailbox(draw.choice(FIRST_NAMES), draw.choice(FAMILY_NAMES))
            place = draw.choices((0, 1, 2), (82, 13, 5))[0]
            establishment, secretariat = draw.choice((SCHOOLS, UNIVERSITY, STUDENT_SERVICES)[place])
        namesakes[mailbox] += 1
        if namesakes[mailbox] > 1:
            mailbox += str(namesakes[mailbox])
        address = f"{mailbox}@{domains[min(place, len(domains) - 1)]}"
        yield address, _numen(row, draw), establishment, secretariat or "", _identifier(election, draw)


def _mailbox(first: str, family: str) -> str:
    return f"{_mailbox_part(first)}.{_mailbox_part(family)}"


def _mailbox_part(name: str) -> str:
    return unicodedata.normalize("NFD", name).encode("ascii", "ignore").decode().lower()


def _numen(row: int, draw: random.Random) -> str:
    # The five digits and the first two letters count the rows, so no two are alike up to 67
    # million.
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    block, number = divmod(row, 100_000)
    # 31,541 is prime to 100,000: consecutive rows do not have consecutive numbers.
    digits = (number * 31_541 + 4_096) % 100_000
    return f"00E99{digits:05}{letters[block // 26 % 26]}{letters[block % 26]}{draw.choice(letters)}"


def _identifier(election: Election, draw: random.Random) -> str:
    symbols = "".join(draw.choices(ALPHABET, k=election.identifier.symbols))
    return show_identifier(symbols + check_symbol(symbols), election.identifier)


def _extra_proof(row: int, wanted: ExtraProof) -> str:
    if wanted.kind == "date":
        return (date(1960, 1, 1) + timedelta(days=row % 14_000)).strftime("%d/%m/%Y")
    return f"{row % 10 ** (wanted.max_length or 0):0{wanted.max_length}}"


if __name__ == "__main__":
    main()
