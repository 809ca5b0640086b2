"""By what the account and its site are reached: AWS, the web, the DNS, a clock. Tests bring their
own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol

import dns.exception
import dns.rdatatype
import dns.resolver
import httpx
from reassort.clock import utc_now

from reassort_ops.account.probes import NotSeenError
from reassort_ops.language import tr

if TYPE_CHECKING:
    from reassort_ops.account.stack import Aws

# Of one request, and of one question to the DNS with all its tries.
_WEB_SECONDS = 6.0
_DNS_SECONDS = 5.0

# Gets a URL, following no redirect.
type Get = Callable[[str], httpx.Response]


class Records(Protocol):
    """What the DNS holds. A name that is not there has no records; each method raises NotSeenError
    when nobody answers.
    """

    def texts(self, name: str) -> list[str]:
        """Return the TXT records of a name."""

    def aliases(self, name: str) -> list[str]:
        """Return the names that a name's CNAME records lead to, one after the other, without the
        last dot.
        """

    def addresses(self, name: str) -> set[str]:
        """Return the IPv4 and IPv6 addresses that a name ends at."""


@dataclass(frozen=True)
class Reach:
    """What a check may ask. `elsewhere` is the endpoint that stands in for AWS, None on AWS
    itself.
    """

    aws: Aws
    get: Get
    records: Records
    now: Callable[[], datetime]
    elsewhere: str | None = None

    def raise_if_elsewhere(self) -> None:
        """Refuse to look at what only a real account has: a name in the DNS, an address on the web.

        Raises:
            NotSeenError: an emulator answers for AWS.
        """
        if self.elsewhere is not None:
            raise NotSeenError(tr("not seen here: {url} stands in for AWS", url=self.elsewhere))


class Dns:
    """The records that a resolver finds: this machine's, unless another one is given."""

    def __init__(self, resolver: dns.resolver.Resolver | None = None, seconds: float = _DNS_SECONDS) -> None:
        self._resolver = resolver
        self._seconds = seconds

    def texts(self, name: str) -> list[str]:
        """Return the TXT records of a name; strings of one record are joined, as RFC 7208 section
        3.3 wants it.
        """
        answer = self._resolve(name, "TXT")
        return [b"".join(record.strings).decode("utf-8", "replace") for record in answer] if answer else []

    def aliases(self, name: str) -> list[str]:
        """Return the names that a name's CNAME records lead to."""
        answer = self._resolve(name, "A")
        if answer is None:
            return []
        chain = [rrset for rrset in answer.response.answer if rrset.rdtype == dns.rdatatype.CNAME]
        return [str(record.target).rstrip(".").lower() for rrset in chain for record in rrset]

    def addresses(self, name: str) -> set[str]:
        """Return the addresses that a name ends at."""
        return {str(record) for kind in ("A", "AAAA") for record in self._resolve(name, kind) or ()}

    def _resolve(self, name: str, kind: str) -> dns.resolver.Answer | None:
        try:
            resolver = self._resolver or dns.resolver.get_default_resolver()
            return resolver.resolve(name, kind, lifetime=self._seconds)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return None
        except (dns.exception.DNSException, OSError) as error:
            raise NotSeenError(
                tr("the DNS does not answer for {name}: {error}", name=name, error=type(error).__name__)
            ) from error


def reach(aws: Aws) -> Reach:
    """Return the real ones."""
    get = partial(httpx.get, timeout=_WEB_SECONDS, follow_redirects=False)
    return Reach(aws, get, Dns(), utc_now, aws.elsewhere())
