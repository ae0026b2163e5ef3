"""Where an upstream's endpoints come from, if not from the program itself.

A source is given to an upstream, which asks it for as long as it runs: ``Upstream(discovery=Dns("http://api:8080"))``.
"""

from .base import Backoff, Discovery, DiscoveryFailed, Found
from .dns import Dns
from .feed import EndpointsRefused, SourceFailed, SourceRecovered
from .file import File
from .srv import Srv
from .static import Static
from .stream import Source, Stream

__all__ = [
    "Backoff",
    "Discovery",
    "DiscoveryFailed",
    "Dns",
    "EndpointsRefused",
    "File",
    "Found",
    "Source",
    "SourceFailed",
    "SourceRecovered",
    "Srv",
    "Static",
    "Stream",
]
