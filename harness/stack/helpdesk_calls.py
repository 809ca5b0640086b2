"""Who may call what of the helpdesk, written a second time beside the template on purpose: anyone
who widens a role says so twice.
"""

from __future__ import annotations

_LOOK_AND_ACT = frozenset({("GET", "/helpdesk/me"), ("POST", "/helpdesk/look"), ("POST", "/helpdesk/acts")})
_SHIFT = frozenset({("GET", "/helpdesk/shift"), ("POST", "/helpdesk/sessions/{agent}/end")})
_SECOND_PERSON = frozenset({("GET", "/helpdesk/proposals"), ("POST", "/helpdesk/proposals/{reference}")})
_DATA = frozenset({("POST", "/helpdesk/data")})
_RECORD = frozenset({("GET", "/helpdesk/record")})

# By the resource of the template that allows it.
CALLS = {
    "AgentCalls": _LOOK_AND_ACT,
    "SupervisorCalls": _LOOK_AND_ACT | _SECOND_PERSON | _SHIFT,
    "AuditorCalls": _RECORD | {("GET", "/helpdesk/me")},
    "OperatorPolicy": _LOOK_AND_ACT | _DATA | _SECOND_PERSON | _SHIFT | _RECORD,
    "HelpdeskLeadPolicy": _LOOK_AND_ACT | _DATA | _SECOND_PERSON | _SHIFT | _RECORD,
    "HelpdeskAuditorPolicy": _RECORD | {("GET", "/helpdesk/me")},
}
ALL = frozenset[tuple[str, str]]().union(*CALLS.values())
# By the group of the user pool.
GROUPS = {"agent": "AgentCalls", "supervisor": "SupervisorCalls", "auditor": "AuditorCalls"}
