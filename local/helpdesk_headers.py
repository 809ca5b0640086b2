"""The response headers of the helpdesk's page: its own, and stricter about where it may connect."""

from collections.abc import Mapping
from urllib.parse import urlsplit


def security_headers(config: Mapping[str, object]) -> dict[str, str]:
    """Return the headers for a page whose config.json has these members.

    The page may connect to its own origin, to its API and to Cognito, and to nobody else. A member
    that names another place for one of them (`api_url`, `cognito_idp_url`,
    `cognito_identity_url`) is followed; with `api_via` the API is behind the page's own origin.

    Raises:
        KeyError: `region` or `api_url` is missing.
    """
    region = config["region"]
    addresses = (
        *(() if "api_via" in config else (config["api_url"],)),
        config.get("cognito_idp_url") or f"https://cognito-idp.{region}.amazonaws.com",
        config.get("cognito_identity_url") or f"https://cognito-identity.{region}.amazonaws.com",
    )
    origins = dict.fromkeys(_origin(str(address)) for address in addresses)
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self' {' '.join(origins)}; "
        "form-action 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    )
    return {
        "Content-Security-Policy": policy,
        "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "X-Robots-Tag": "noindex",
    }


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
