"""Every page of the voter space in every state that a voter may meet: how to get there, and what it
must say.

One list for all who look at pages: the checks of accessibility, the tests of what voters are told,
the gallery.
"""

from harness.site.states import asking, dispute, following, pages, signing_in
from harness.site.states.state import merged

STATES = merged(pages.STATES, signing_in.STATES, asking.STATES, following.STATES, dispute.STATES)
