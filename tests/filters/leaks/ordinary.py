"""Ordinary contents, made from a seed: pages, articles about errors, APIs, feeds, what sites have beside them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from html import escape

from .samples import samples

__all__ = ["documents"]

_WORDS = tuple(
    """
    account address answer article basket bicycle bread bridge cable calendar camera catalogue chair chapter
    client cloud coffee colour company concert contract customer database delivery design device directory
    discount document error event example exception fatal file forest form frame garden handler hotel image
    index invoice island journey kernel kitchen language letter library line list log market memory message
    method module monitor morning mountain music network notice object office order packet page panic paper
    parent password path pattern payment phone picture place planet price process product program query question
    record reference report request response review river root safe schedule school script search season select
    server service session shell ship shop software source stack station status stone stop story stream string
    student summary syntax system table ticket title token trace traffic train type undefined uncaught update
    user value version video volume warning weather window winter
    """.split()  # noqa: SIM905
)
_SENTENCES = (
    "Warning: contents may be hot.",
    "Notice: the shop is closed on Monday.",
    "You have an error in your form; please check the fields in red.",
    "The index of names is at the end of the book.",
    "An exception proves the rule.",
    "Fatal errors are rare, and we log all of them.",
    "Select a size from the list where it says so.",
    "See line 12 of the report in /docs/report.pdf for details.",
    "Our stack: Python, PostgreSQL, Go and a little Rust.",
    "Never panic: the goroutine of the day is a light one.",
    "The trace back to the most recent call was easy.",
    "It runs at 10:30:15 (at the latest) in room 4.",
    "Set DEBUG = False before you go live.",
    "Use php artisan serve, then open http://shop.example/index.php in a browser.",
    "Safe mode: on. Functions: several.",
    "The class java.util.List has a method add(); NullPointerException is what you get for nothing.",
    "A 404 means not found, a 500 means an internal server error.",
    "Type error, key error, value error: the three commonest mistakes.",
    "Caused by: heavy rain. At Basel SBB (Switzerland) trains are late.",
    "root is the user with the number 0; alice:x is not.",
    "INSERT coin, SELECT game, DROP everything.",
)


class _Made:
    """What contents are made of."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def words(self, least: int, most: int) -> str:
        return " ".join(self.rng.choices(_WORDS, k=self.rng.randint(least, most)))

    def title(self) -> str:
        return self.words(2, 5).capitalize()

    def text(self, count: int = 4) -> str:
        said = [
            self.rng.choice(_SENTENCES) if self.rng.random() < 0.4 else self.words(6, 18).capitalize() + "."
            for _ in range(count)
        ]
        return " ".join(said)

    def address(self) -> str:
        return f"https://www.example.com/{'/'.join(self.rng.choices(_WORDS, k=self.rng.randint(1, 3)))}"

    def number(self) -> int:
        return self.rng.randint(1, 10**6)


def _shop(made: _Made) -> str:
    cards = "".join(
        f'<div class="card" id="p{made.number()}"><h2><a href="{made.address()}">{made.title()}</a></h2>'
        f"<p>{escape(made.text(2))}</p><b>{made.number() / 100:.2f}&nbsp;CHF</b></div>\n"
        for _ in range(made.rng.randint(3, 12))
    )
    return f"<!doctype html>\n<html><head><title>{made.title()}</title></head><body><main>{cards}</main></body></html>"


def _article(made: _Made) -> str:
    text = "".join(f"<h2>{made.title()}</h2>\n<p>{escape(made.text(6))}</p>\n" for _ in range(5))
    return (
        f"<!DOCTYPE html><html><head><title>{made.title()}</title></head><body><article>{text}</article></body></html>"
    )


def _application(made: _Made) -> str:
    state = json.dumps({"user": made.words(1, 2), "errors": [], "stack": ["a", "b"], "page": made.address()})
    return (
        f'<!doctype html><html><head><script src="/app.{made.number():x}.js"></script></head><body>'
        f'<div id="root"></div>'
        f"<script>window.__STATE__ = {state};\nwindow.onerror = function (e, file, line) {{ send(e + ' at ' + file +"
        " ':' + line); };</script></body></html>"
    )


def _items(made: _Made) -> str:
    return json.dumps(
        [
            {
                "id": made.number(),
                "name": made.title(),
                "description": made.text(2),
                "url": made.address(),
                "tags": made.words(1, 4).split(),
                "error": None,
                "trace_id": f"{made.rng.getrandbits(64):016x}",
            }
            for _ in range(made.rng.randint(1, 20))
        ],
        indent=made.rng.choice([None, 2]),
    )


def _problem(made: _Made) -> str:
    return json.dumps({"type": "about:blank", "title": made.title(), "status": 404, "detail": made.text(1)})


def _invalid(made: _Made) -> str:
    errors = [{"field": word, "message": made.text(1), "code": "invalid"} for word in made.words(1, 5).split()]
    return json.dumps({"message": "Validation failed", "errors": errors, "exception": made.title()})


def _bundle(made: _Made) -> str:
    functions = "".join(
        f"function {word}{made.number()}(e,t){{try{{return e.{word}(t)}}"
        f"catch(n){{console.error('{made.text(1)}',n.stack);"
        "throw new TypeError('Cannot read '+t)}}\n"
        for word in made.words(5, 30).split()
        if word.isalpha()
    )
    return f'!function(){{"use strict";{functions}}}();\n//# sourceMappingURL=app.js.map\n'


def _style(made: _Made) -> str:
    return "".join(
        f".{word}-{made.number()} > a:hover {{ color: #{made.number():06x}; }}\n" for word in made.words(5, 40).split()
    )


def _markdown(made: _Made) -> str:
    return "".join(
        f"## {made.title()}\n\n{made.text(5)}\n\n```sh\npip install {made.words(1, 1)}\n```\n\n" for _ in range(4)
    )


def _robots(made: _Made) -> str:
    paths = "".join(f"Disallow: /{word}/\n" for word in made.words(2, 20).split())
    return f"User-agent: *\n{paths}Sitemap: https://www.example.com/sitemap.xml\n"


def _sitemap(made: _Made) -> str:
    urls = "".join(f"<url><loc>{made.address()}</loc><lastmod>2024-05-01</lastmod></url>" for _ in range(30))
    return f'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'


def _feed(made: _Made) -> str:
    items = "".join(
        f"<item><title>{made.title()}</title><link>{made.address()}</link>"
        f"<description><![CDATA[<p>{made.text(3)}</p>]]></description></item>"
        for _ in range(10)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>{made.title()}</title>{items}</channel></rss>'


def _table(made: _Made) -> str:
    return "id,name,note\n" + "".join(f'{made.number()},{made.words(1, 2)},"{made.text(1)}"\n' for _ in range(40))


def _events(made: _Made) -> str:
    return "".join(f"id: {number}\nevent: note\ndata: {json.dumps({'text': made.text(1)})}\n\n" for number in range(20))


def _soap(made: _Made) -> str:
    return (
        '<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><Get>'
        f"<Name>{made.title()}</Name><Note>{escape(made.text(2))}</Note></Get></s:Body></s:Envelope>"
    )


def _questions(made: _Made) -> str:
    fields = "".join(
        f'<label for="{word}">{word}</label><input type="text" id="{word}" name="{word}" value=""><br>\n'
        for word in made.words(2, 8).split()
    )
    return f'<form method="post" action="/send">{fields}<textarea name="text"></textarea><button>Send</button></form>'


def _code(made: _Made) -> str:
    """A page of documentation, with some code in it."""
    return (
        f"<h1>{made.title()}</h1><p>{escape(made.text(3))}</p><pre><code>import os\n\ndef f(x):\n    raise"
        f" ValueError(&quot;{made.words(1, 3)}&quot;)\n\n&gt;&gt;&gt; f(1)\nTraceback (most recent call last):\n  File"
        f" &quot;/home/me/{made.words(1, 1)}.py&quot;, line {made.number()}, in f\nValueError</code></pre>"
        f"<p>{escape(made.text(3))}</p>"
    )


_KINDS: tuple[Callable[[_Made], str], ...] = (
    *(_shop, _article, _application, _items, _problem, _invalid, _bundle, _style, _markdown, _robots, _sitemap, _feed),
    *(_table, _events, _soap, _questions, _code),
)


def documents(each: int = 20, seed: int = 4711) -> Iterator[tuple[str, str]]:
    """Documents, ``each`` of a kind, with what they are; and of every leak that may be quoted an article about it."""
    for number in range(each):
        for kind in _KINDS:
            made = _Made(seed + number * 1000 + _KINDS.index(kind))
            yield f"{kind.__name__[1:]} {number}", kind(made)
    for sample in samples():
        made = _Made(seed)
        if not sample.found:
            yield f"look-alike {sample.place}", sample.text
        elif (
            not sample.place.startswith(("inside", "listings"))
            and "`" not in sample.text
            and "</pre" not in sample.text
        ):
            text = made.text(3)
            yield (
                f"article on {sample.place}",
                f"<p>{escape(text)}</p><pre>{escape(sample.text)}</pre><p>{escape(text)}</p>",
            )
            yield f"notes on {sample.place}", f"# {made.title()}\n\n{text}\n\n```\n{sample.text}\n```\n\n{text}\n"
