"""Listings of directories that servers make where there is no index (CWE-548)."""

from __future__ import annotations

from ....security_log import Severity
from ..form import QUOTE, START
from ..pack import LeakPack
from ..signature import LeakSignature

__all__ = ["LISTINGS"]

LISTINGS = LeakPack(
    "listing",
    (
        LeakSignature(
            "listing-01",
            r"<(?:title|h1)[^<>]{0,60}+> ?index of /",
            "a listing of Apache, nginx or lighttpd",
        ),
        LeakSignature(
            "listing-02",
            r"<title> ?directory listing for [/\[]|<h1>directory listing for [/\[]|<title>directory: /",
            "a listing of Python, Tomcat or Jetty",
        ),
        LeakSignature(
            "listing-03",
            r"\[to parent directory\]",
            "a listing of IIS",
            quotable=False,
        ),
        LeakSignature(
            "listing-04",
            r"<div id=\"summary\"> ?\d{1,6}+ director(?:y|ies),? ?\d{1,6}+ files?",
            "a listing of Caddy",
        ),
        LeakSignature(
            "listing-05",
            r"<title> ?(?:listing directory /|files within /|directory listing of /|contents of /|webdav - /"
            r"|collection: /)",
            "a listing of another server",
        ),
        LeakSignature(
            "listing-06",
            r"<listbucketresult xmlns=\"https?://(?:s3\.amazonaws\.com|doc\.s3\.amazonaws\.com|[\w.-]{3,60}+)/"
            r"|<enumerationresults (?:serviceendpoint=\"[^\"]{1,120}+\" )?+containername=",
            "a listing of a bucket",
            quotable=False,
        ),
        LeakSignature(
            "listing-07",
            rf"{START} ?(?:<!doctype html> )?+(?:<meta name=\"viewport\"[^<>]{{0,60}}+> )?+{QUOTE} [\w.-]{{1,100}}+/?"
            rf" [\w.-]{{1,100}}",
            "names in a preformatted document, as of Go's file server",
            severity=Severity.NOTICE,
            paranoia=2,
            quotable=False,
        ),
    ),
)
