"""French texts as they are written and as they are typeset: one table for Python's rules and the
page's.
"""

# Plain → typeset; `~` is a no-break space, `|` a narrow one.
_TEXTS = {
    "Déjà reçu ? Oui ! Non ; et puis : voilà.": "Déjà reçu|? Oui|! Non|; et puis~: voilà.",
    " : après une balise": "~: après une balise",
    "la page « Suivi » du site": "la page «~Suivi~» du site",
    "réassort n° 2, remplace le n° 1": "réassort n°~2, remplace le n°~1",
    "au numéro •• •• •• 56 78": "au numéro ••~••~••~56~78",
    "de 8 h à 12 h 30 et à 9 h 05": "de 8~h à 12~h~30 et à 9~h~05",
    "14 min 05 s, 2 j 4 h, 180 ms": "14~min~05~s, 2~j~4~h, 180~ms",
    "3 essais, 1 essai, 6 chiffres, 13 caractères": "3~essais, 1~essai, 6~chiffres, 13~caractères",
    "10 minutes, 1 heure, 30 jours, 1 seconde": "10~minutes, 1~heure, 30~jours, 1~seconde",
    "99 % pour 10 $ ou 9 €": "99~% pour 10~$ ou 9~€",
    "le samedi 1er décembre 2018 et le lundi 3 mars": "le samedi~1er~décembre 2018 et le lundi~3~mars",
    "le code 3 s’efface en 2 heureux hasards": "le code 3 s’efface en 2 heureux hasards",
    "rien à garder, pas même ici:": "rien à garder, pas même ici:",
}
TYPESET = {plain: kept.replace("~", "\u00a0").replace("|", "\u202f") for plain, kept in _TEXTS.items()}
