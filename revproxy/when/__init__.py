"""Conditions on an exchange: ``when.path("/admin/*") & ~when.client_in("10.0.0.0/8")``.

A condition reads what the client sent and what filters have put on the exchange, never the draft of what goes upstream.
Several arguments of one factory are alternatives; conditions are joined with ``&``, ``|`` and ``~``. Every factory
raises ``ValueError`` (``TypeError`` for what is of the wrong kind) that names the parameter and its value.

What is not known (a key that no filter has set, the address of a client on a Unix socket) makes a condition false, and
so its ``~`` true. Write a guard so that the unknown is refused: ``block`` where ``~when.client_in(office)``, not where
``when.client_in(elsewhere)``.
"""

from .certificate import client_certificate
from .client import client_in
from .condition import When, anything
from .content import content_length, content_type
from .moment import time_of_day
from .own import check, key
from .place import asn, continent, country
from .request import host, method, scheme, upgrade
from .target import path, path_regex, path_template
from .values import cookie, header, query

__all__ = [
    "When",
    "anything",
    "asn",
    "check",
    "client_certificate",
    "client_in",
    "content_length",
    "content_type",
    "continent",
    "cookie",
    "country",
    "header",
    "host",
    "key",
    "method",
    "path",
    "path_regex",
    "path_template",
    "query",
    "scheme",
    "time_of_day",
    "upgrade",
]
