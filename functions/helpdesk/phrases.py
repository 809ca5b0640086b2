"""What an agent says to the voter for each advice, and what must not be said.

Both are read on the phone, while the voter waits: one idea a sentence, each read in one breath.
Anyone who calls may be anybody. So no phrase confirms who has voted, gives an identifier or a
number, or asks for a secret: the NUMEN, the identifier and the code of the sign-in are the voter's
alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Phrase:
    """Words in French. `say` is spoken to the voter; `never_say` is for the agent alone."""

    say: str
    never_say: str


_KEEP_SECRETS = "Ne demandez ni le NUMEN, ni l’identifiant, ni le code de connexion."
_NO_NUMBER = "Ne lisez ni numéro de téléphone, ni adresse, même en partie."
_NO_STRANGER = "N’expliquez rien du dossier tant que l’appelant n’est pas vérifié."

PHRASES: Mapping[str, Phrase] = MappingProxyType(
    {
        "caller-wrong-code": Phrase(
            "Les deux mots que vous m’avez lus ne sont pas les bons. "
            "Relisez-moi ceux qui sont affichés sous « Besoin d’aide ? ». "
            "Sinon, je ne peux rien vous dire ni rien changer.",
            "Ne dites pas si cette personne est inscrite, a voté ou a fait une demande. " + _KEEP_SECRETS,
        ),
        "ask-caller-code": Phrase(
            "Vous êtes connecté à l’espace électeur. "
            "Lisez-moi les deux mots affichés sous « Deux mots à lire à l’assistance ».",
            "Ne demandez jamais le code de connexion reçu par courriel : il ouvre la session. " + _NO_STRANGER,
        ),
        "voted": Phrase(
            "Je ne peux plus donner d’identifiant pour ce dossier. "
            "Le bureau de vote répond aux questions sur le vote. Je peux lui transmettre votre demande.",
            "Ne confirmez à personne que cette personne a voté, ni quand. Ne promettez pas d’annuler un vote.",
        ),
        "moved": Phrase(
            "Votre adresse professionnelle a changé sur la liste électorale. "
            "Utilisez la nouvelle pour vous identifier sur le site.",
            "Ne dites ni l’ancienne adresse ni la nouvelle. " + _NO_STRANGER,
        ),
        "removed": Phrase(
            "Je ne peux pas donner d’identifiant pour ce dossier. "
            "L’organisateur du vote tient la liste électorale. Je peux lui transmettre votre demande.",
            "Ne lisez pas le motif et ne promettez pas d’inscription : personne ici ne change la liste. "
            + _NO_STRANGER,
        ),
        "window-closed": Phrase(
            "Les demandes d’identifiant sont fermées en ce moment. "
            "Les dates sont affichées sur la page d’accueil du site.",
            "Ne promettez pas d’exception : personne ici ne peut rouvrir les demandes. " + _NO_STRANGER,
        ),
        "reissues-stopped": Phrase(
            "Les demandes d’identifiant sont suspendues pour tout le monde. "
            "L’identifiant que vous avez déjà reste valable. Rappelez un peu plus tard.",
            "Ne donnez ni cause ni heure de reprise : elles ne sont pas connues ici. " + _NO_STRANGER,
        ),
        "unlock": Phrase(
            "Trop de saisies étaient fausses, vos demandes sont bloquées. "
            "Je vérifie que c’est bien vous, puis je les débloque. Ayez le bon NUMEN sous les yeux avant d’essayer.",
            "Ne débloquez pas sans vérifier : quelqu’un d’autre a pu essayer. "
            "Ne faites pas lire le NUMEN, et ne dites pas ce qu’il contient de faux.",
        ),
        "wait-or-unlock": Phrase(
            "Plusieurs saisies étaient fausses, vos demandes sont bloquées un court moment. "
            "Vous pouvez attendre, ou je vérifie que c’est bien vous et je les débloque.",
            "Ne débloquez pas sans vérifier : quelqu’un d’autre a pu essayer. "
            "Ne faites pas lire le NUMEN, et ne dites pas ce qu’il contient de faux.",
        ),
        "ask-secretariat": Phrase(
            "Ce que vous avez saisi ne correspond pas à la liste électorale. "
            "Votre secrétariat vous remet votre NUMEN, dans une enveloppe cachetée.",
            "Ne faites pas lire le NUMEN et n’aidez pas à le deviner. Il ne s’envoie ni par courriel ni par téléphone.",
        ),
        "reissue-after-dispute": Phrase(
            "Une demande que vous n’aviez pas faite a été signalée. Cet identifiant ne permettra plus jamais de voter. "
            "Changez d’abord le mot de passe de votre messagerie. Je vous en envoie ensuite un autre par courriel.",
            "N’accusez personne et ne dites pas d’où venait la demande. "
            "Ne promettez pas de rendre l’identifiant contesté. " + _NO_NUMBER,
        ),
        "unfreeze": Phrase(
            "Votre identifiant est suspendu pour l’instant. Je regarde pourquoi et je vérifie que c’est bien vous.",
            "Ne lisez pas le motif à l’appelant. Ne dégelez pas si le motif tient encore : demandez à l’encadrement.",
        ),
        "wait-for-delivery": Phrase(
            "Votre identifiant est en route. Attendez deux minutes avec moi. "
            "Ne refaites pas de demande : elle annulerait celui qui arrive.",
            "Ne proposez pas de nouvel identifiant maintenant. " + _NO_NUMBER,
        ),
        "search": Phrase(
            "Votre identifiant est parti. Cherchez le plus récent, aussi dans les courriers indésirables. "
            "Seul le dernier reçu fonctionne.",
            "Ne faites pas lire l’identifiant, même pour le vérifier : il se saisit seulement sur le site de vote. "
            + _NO_NUMBER,
        ),
        "confirmation-failed": Phrase(
            "Un courriel de confirmation n’est pas arrivé. Cela ne change rien : votre identifiant reste valable.",
            "Ne proposez pas de nouvel identifiant pour cela. " + _NO_NUMBER,
        ),
        "empty-mailbox": Phrase(
            "Votre boîte professionnelle est pleine. Supprimez quelques messages, puis dites-moi quand c’est fait.",
            "Ne proposez pas d’écrire à une adresse personnelle. " + _NO_NUMBER,
        ),
        "wrong-address": Phrase(
            "L’adresse inscrite sur la liste électorale ne reçoit pas de courriel. "
            "L’organisateur du vote doit corriger la liste. Je lui transmets votre demande.",
            "N’acceptez pas de nouvelle adresse par téléphone. Ne lisez pas celle de la liste.",
        ),
        "switch-phone-on": Phrase(
            "Le téléphone est éteint ou ne capte pas. Allumez-le là où il capte, le SMS arrivera tout seul.",
            "Ne lisez pas le numéro du téléphone et n’en acceptez pas d’autre : l’électeur le saisit sur le site.",
        ),
        "redeliver": Phrase(
            "Ouvrez la page de suivi, sur le site. Vous pouvez y demander le même identifiant par l’autre moyen.",
            "Ne lisez ni l’adresse ni le numéro où il partira. Ne proposez pas de nouvel identifiant.",
        ),
        "reissue-over-the-limit": Phrase(
            "Vous avez fait toutes les demandes permises pour l’instant. Je vérifie que c’est bien vous. "
            "Je vous envoie ensuite un identifiant à votre adresse professionnelle.",
            "Ne lisez aucun identifiant : il part seulement par courriel. " + _NO_NUMBER,
        ),
        "reissue": Phrase(
            "Cet identifiant ne peut plus être renvoyé. Refaites une demande sur le site : le nouveau remplacera "
            "l’ancien. Si vous ne pouvez pas, je vérifie que c’est bien vous et je l’envoie par courriel.",
            "Ne lisez aucun identifiant : il part seulement par courriel. " + _NO_NUMBER,
        ),
        "many-codes": Phrase(
            "Beaucoup de codes ont été demandés pour votre adresse, peut-être par quelqu’un d’autre. "
            "Personne ne peut s’en servir sans votre messagerie. "
            "Demandez un code, et lisez-moi le numéro que la page affiche s’il ne part pas.",
            "Ne demandez jamais le code reçu par courriel : seulement le numéro affiché sur la page. "
            "N’accusez personne.",
        ),
        "fill-in-the-form": Phrase(
            "Vous êtes bien connecté. Remplissez la demande avec votre NUMEN et un téléphone mobile. "
            "Relisez, puis confirmez.",
            "Ne remplissez rien à sa place. " + _KEEP_SECRETS,
        ),
        "code-failed": Phrase(
            "Le code de connexion n’a pas pu entrer dans votre boîte professionnelle. "
            "Il faut d’abord que cette messagerie reçoive de nouveau.",
            "Ne proposez pas d’autre adresse. " + _NO_NUMBER,
        ),
        "reissue-needs-mailbox": Phrase(
            "Tout passe par votre messagerie professionnelle. "
            "Demandez à son service d’assistance de la remettre en marche, puis rappelez-nous.",
            "Ne promettez pas d’identifiant par téléphone ou à une adresse personnelle.",
        ),
        "ask-new-code": Phrase(
            "Les essais pour ce code sont épuisés. "
            "Choisissez « Changer d’adresse », retapez la vôtre et demandez un nouveau code.",
            _KEEP_SECRETS + " Ne dites pas combien d’essais il reste.",
        ),
        "search-code": Phrase(
            "Un code de connexion vient de partir à votre adresse professionnelle. "
            "Cherchez-le, aussi dans les courriers indésirables, puis tapez-le sur le site.",
            "Ne demandez jamais de lire ce code : il ouvre la session. " + _NO_NUMBER,
        ),
        "sign-in": Phrase(
            "Ouvrez l’espace électeur et tapez votre adresse professionnelle. "
            "Vous recevrez un code par courriel, à taper sur le site. La demande d’identifiant vient ensuite.",
            "Ne demandez jamais de lire le code reçu. Ne dites pas si l’adresse est sur la liste électorale.",
        ),
    }
)
