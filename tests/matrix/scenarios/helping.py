"""What agents and operators do."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from reassort_ops import election_control

from harness.elections import with_second_person
from harness.service.events import ses_event, sms_log_event
from harness.service.world import Response
from tests.matrix.scenarios.scenario import ApiRequest, Retrier, Scenario, last_identifier_status
from tests.register_chain import broken_links

if TYPE_CHECKING:
    from tests.matrix.stage import Stage


class Look(ApiRequest):
    """A look that was answered is on record; one that got no answer may be there too."""

    name = "helpdesk: look"

    def act(self, stage: Stage) -> Response:
        return stage.agent.look(stage.claire.email)

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.status == 200
        entries = stage.helpdesk_record()
        assert {(entry["action"], entry["voter_id"]) for entry in entries} == {("looked", stage.claire.voter_id)}
        assert 1 <= len(entries) <= 2


class DataGiven(Look):
    """What is handed over is on record, and one that got no answer may be there too."""

    name = "helpdesk: data"

    def act(self, stage: Stage) -> Response:
        return stage.world.agent().call("POST", "/helpdesk/data", {"who": stage.claire.email, "reason": "demande 12"})

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.status == 200
        entries = stage.helpdesk_record()
        assert {(entry["action"], entry["reason"]) for entry in entries} == {("data-given", "demande 12")}
        assert 1 <= len(entries) <= 2


class HelpdeskAct(ApiRequest):
    """What an agent does to a voter. It is in the register once and on record once, however often
    it was asked for.
    """

    told: ClassVar[str]
    more: ClassVar[dict[str, str]] = {}
    # How the record calls it, the change that the register has of it, the status of the identifier
    # afterwards.
    leaves: ClassVar[tuple[str, str | None, str]]

    def act(self, stage: Stage) -> Response:
        return stage.agent.act(self.told, stage.claire.email, key=stage.key, **self.more)

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.status == 200
        action, change, status = self.leaves
        (entry,) = [entry for entry in stage.helpdesk_record() if entry["action"] == action]
        assert (entry["agent"], entry["voter_id"]) == (stage.agent.id, stage.claire.voter_id)
        if change is not None:
            assert [one["change"] for one in stage.world.register(stage.claire)].count(change) == 1
        assert stage.world.check(stage.claire.identifier)["status"] == status

    def repeat(self, stage: Stage) -> None:
        assert self.act(stage).status == 200


class Freeze(HelpdeskAct):
    name = "helpdesk: freeze"
    told = "freeze"
    leaves = ("frozen", "frozen", "frozen")


class Unfreeze(HelpdeskAct):
    name = "helpdesk: unfreeze"
    told = "unfreeze"
    leaves = ("unfrozen", "unfrozen", "active")

    def set_up(self, stage: Stage) -> None:
        stage.agent.act("freeze", stage.claire.email)


class Unlock(HelpdeskAct):
    name = "helpdesk: unlock"
    told = "unlock"
    leaves = ("unlocked", "unlocked", "active")

    def set_up(self, stage: Stage) -> None:
        stage.world.change_voter(stage.claire, numen_failures=10)

    def goal(self, stage: Stage) -> None:
        super().goal(stage)
        assert stage.world.voter(stage.claire).numen_failures == 0


class LetIn(HelpdeskAct):
    name = "helpdesk: let in"
    told = "let-in"
    more: ClassVar[dict[str, str]] = {"number": "482913"}
    leaves = ("let-in", None, "active")

    def set_up(self, stage: Stage) -> None:
        stage.open_browser().ask_code(stage.claire.email)


class Settle(HelpdeskAct):
    name = "helpdesk: settle"
    told = "settle"
    leaves = ("settled", None, "revoked")

    def set_up(self, stage: Stage) -> None:
        reference = stage.open_browser(signed_in=True).reissue(stage.claire.numen).json["reference"]
        world = stage.world
        world.run_outbox()
        lost = ("FAILURE", "Invalid phone number")
        world.wake("notify", sms_log_event(world.delivery_item(reference)["sms_id"], *lost, at=world.clock()))
        world.run_outbox()
        world.wake("notify", ses_event("bounce", reference, "identifier", 1, at=world.clock()))
        world.clock.move(minutes=1)


class HelpdeskReissue(HelpdeskAct):
    """An agent whose request got no answer sends it again under its key: one identifier comes of
    it.
    """

    name = "helpdesk: reissue"
    told = "reissue"
    leaves = ("reissued", "reissued", "revoked")

    def goal(self, stage: Stage) -> None:
        super().goal(stage)
        entry = stage.world.register(stage.claire)[-1]
        assert (entry["change"], entry["generation"], entry["actor"]) == ("reissued", 2, stage.agent.id)
        assert last_identifier_status(stage, entry["reference"].partition(" ")[0]) == "active"


class ReissueOfAFrozenVoter(HelpdeskReissue):
    """The one that was frozen never lives again, whatever fails."""

    name = "helpdesk: reissue for a frozen voter"

    def set_up(self, stage: Stage) -> None:
        stage.agent.act("freeze", stage.claire.email)

    def meanwhile(self, stage: Stage) -> None:
        assert stage.world.check(stage.claire.identifier)["status"] in {"frozen", "revoked"}


class Propose(ApiRequest):
    """What waits for a second person changes nothing of the voter, and waits once."""

    name = "helpdesk: propose a reissue"
    election = with_second_person()

    def act(self, stage: Stage) -> Response:
        return stage.agent.act("reissue", stage.claire.email, key=stage.key)

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.status == 202
        (waiting,) = stage.second.call("GET", "/helpdesk/proposals").json["proposals"]
        assert waiting["id"] == stage.answer.json["proposal"]["id"]
        assert [entry["action"] for entry in stage.helpdesk_record()] == ["proposed"]
        assert stage.world.check(stage.claire.identifier)["status"] == "active"

    def repeat(self, stage: Stage) -> None:
        assert self.act(stage).status == 202


class Confirm(ApiRequest):
    """A supervisor whose request got no answer sends it again: one identifier comes of it, in both
    names.
    """

    name = "helpdesk: confirm a reissue"
    election = with_second_person()

    def set_up(self, stage: Stage) -> None:
        stage.facts["proposal"] = stage.agent.act("reissue", stage.claire.email).json["proposal"]["id"]

    def act(self, stage: Stage) -> Response:
        return stage.second.decide(stage.facts["proposal"])

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.status == 200
        entry = stage.world.register(stage.claire)[-1]
        both = f"{stage.agent.id} + {stage.second.id}"
        assert (entry["change"], entry["generation"], entry["actor"]) == ("reissued", 2, both)
        assert sorted(entry["action"] for entry in stage.helpdesk_record()) == ["confirmed", "proposed"]
        assert stage.world.check(stage.claire.identifier)["status"] == "revoked"
        assert last_identifier_status(stage, stage.facts["proposal"]) == "active"

    def repeat(self, stage: Stage) -> None:
        assert self.act(stage).status == 200


class Refuse(Confirm):
    """Nothing comes of what was refused, whatever fails."""

    name = "helpdesk: refuse a reissue"

    def act(self, stage: Stage) -> Response:
        return stage.second.decide(stage.facts["proposal"], "refuse")

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.status == 200
        assert stage.world.check(stage.claire.identifier)["status"] == "active"
        assert sorted(entry["action"] for entry in stage.helpdesk_record()) == ["proposed", "refused"]
        assert stage.second.decide(stage.facts["proposal"]).code == "proposal-closed"


class EndSessions(ApiRequest):
    """Once it is answered nothing that the agent signs is taken."""

    name = "helpdesk: end an agent's sessions"

    def act(self, stage: Stage) -> Response:
        return stage.second.end("marie")

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.status == 204
        assert stage.agent.look(stage.claire.email).code == "session-ended"
        assert {entry["action"] for entry in stage.helpdesk_record()} == {"ended-sessions"}

    def repeat(self, stage: Stage) -> None:
        assert self.act(stage).status == 204


class StopReissues(Scenario):
    name = "operator: stop all reissues"
    caller = Retrier.OPERATOR

    def act(self, stage: Stage) -> object:
        return election_control.close_reissues(stage.world.election, "leak", stage.operator)

    def goal(self, stage: Stage) -> None:
        standing = election_control.read_standing(stage.world.wire.dynamodb, stage.stack)
        assert standing.switch.stopped
        assert standing.differing == ()
        assert broken_links(stage.world.election_chain()) == []
        assert stage.browser.reissue(stage.claire.numen).code == "reissues-stopped"
        assert stage.world.voter(stage.claire).generation == 1
