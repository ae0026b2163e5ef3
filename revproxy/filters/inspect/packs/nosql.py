"""Injection into queries that are not SQL (CWE-943): MongoDB and CouchDB, Redis and memcached, Elasticsearch and Solr,
Cassandra, Cypher; LDAP filters (CWE-90), XPath and XQuery (CWE-643), GraphQL.

A parameter whose *name* is an operator makes a condition of what the application took for a text. In values, as for
SQL, it is how they begin that tells: the first quote, or the first parenthesis, closes one that is not there.
"""

from __future__ import annotations

from ....security_log import Severity
from ..pack import Pack
from ..signature import Signature
from ..value import Part

__all__ = ["NOSQL_INJECTION"]

_FIRST_QUOTE = r"^[^'\"`]{0,200}+['\"`]"
_CLOSE = r"[ )}\];]{0,8}+"
_OPERATOR = (
    r"\$(?:ne|eq|gte?|lte?|in|nin|n?or|and|not|exists|regex|where|expr|elemmatch|size|all|mod|text|jsonschema|near"
    r"|nearsphere|geowithin|geointersects|bitsallset|function|accumulator|lookup|unionwith|graphlookup|facet|rand)\b"
)
"""Not among them: what OData, JSON Schema and services for statistics write, such as $filter, $ref, $set and $type."""

_AXIS = (
    r"(?:child|parent|descendant(?:-or-self)?+|ancestor(?:-or-self)?+|following(?:-sibling)?+|preceding(?:-sibling)?+"
    r"|attribute|self)::(?:node ?+\(|text ?+\(|comment ?+\(|\*)"
)

NOSQL_INJECTION = Pack(
    "nosql",
    (
        Signature(
            "nosql-01",
            r"(?:^|[\[.]|%5b)['\"]?" + _OPERATOR + r"['\"]?(?:$|[\].\[]|%5d)",
            "a parameter named as an operator of MongoDB",
            where=Part.NAME | Part.COOKIE_NAME,
        ),
        Signature(
            "nosql-02",
            r"^[\w.&=?\[\]'\"-]{0,60}\[['\"]?" + _OPERATOR + r"['\"]?\](?:\[|=|$)"
            r"|^[}\]'\" ]{1,6}+, ?+\{ ?+['\"]?\w{1,30}+['\"]? ?+: ?+(?:/|\{ ?+['\"]?\$)"
            r"|^[\[ ]{0,3}+\{(?:[^{}]{0,60}+\{)?+[^{}$]{0,40}+" + _OPERATOR + r"['\"]? ?+:"
            r"|" + _FIRST_QUOTE + r"[ )}\]]{0,8}+,[ {'\"]{0,4}+\$\w{2,20}+['\"]? ?+:(?!:)"
            r"|^(?:[\w.]{0,30}+ ?+[,{'\"][, {'\"]{0,5}+)?+" + _OPERATOR + r"['\"]? ?+:(?!:)",
            "an operator of MongoDB in a value, or an object closed",
            where=Part.TOLD | Part.PATH,
        ),
        Signature(
            "nosql-03",
            _FIRST_QUOTE + _CLOSE + r"(?:\|\||&&)[ (!{]{0,4}+(?:this\b|true\b|function\b|sleep ?+\(|tojson|object\.keys"
            r"|['\"]\w{0,30}+(?:['\"] ?+(?:[=!]==?|[<>])|$)|\w{1,30}+(?:\.\w{1,30}+){0,3} ?+(?:[=!]==?|[<>])"
            r"|\d{1,9}+ ?+(?:[=!]==?|\|\||&&|//|$|[<>]))|^\d{0,9}+ ?+(?:\|\||&&) ?+\d{1,9}+ ?+===? ?+\d",
            "a quote closed, then a condition in JavaScript",
            where=Part.ANYWHERE,
        ),
        Signature(
            "nosql-04",
            r"(?:" + _FIRST_QUOTE + r"[ )}\]]{0,8}+;|^[\w.-]{0,30}+[ )}\]]{0,8}+;)[ }]{0,4}+return[ (!+]{1,3}+"
            r"(?:(?:true|false|\d{1,9}+) ?+(?:$|[;})=!<>]|//|\|\||&&)|['\"][^'\"]{0,30}+['\"] ?+(?:[=!<>]=|[;})]|//)"
            r"|this\b|\w{1,20}+ ?+==|new (?:date|function|regexp|object)\b|tojson|db\.|object\.|json\.|version ?+\()",
            "a statement ended, then what the function returns",
            where=Part.TOLD | Part.PATH,
        ),
        Signature(
            "nosql-05",
            r"(?:" + _FIRST_QUOTE + r"|^\d{1,9}+|^[)}\];])[ )}\];]{0,8}+(?:var [^{}]{1,80}+)?+(?:do ?+\{"
            r"|while ?+\()[^;]{0,60}?(?:new date"
            r"|date\.now|date ?+\()|\b\w{1,10}+ ?+= ?+new date\(\); ?+(?:var \w{1,20}+ ?+= ?+null; ?+)?+do ?+\{"
            r"|^[^'\"]{0,60}+['\"][ )}]{0,6}+(?:;|\|\||&&)[ (!]{0,3}+sleep ?+\( ?+\d{3,6}"
            r"|^\d{0,9}+;? ?+sleep\(\d{3,6}\) ?+(?:$|['\";})]|//|\|\||&&)",
            "JavaScript that keeps a database busy",
            where=Part.ANYWHERE,
        ),
        Signature(
            "nosql-06",
            r"(?:" + _FIRST_QUOTE + r"[ )}\];]{0,8}+(?:\|\||&&|,)?+"
            r"|^\d{0,9}+[ )}]{0,6}+;)[ (!]{0,3}+(?:db\.(?:\w{1,40}+|getcollection"
            r"\([^()]{0,40}+\))(?:\.\w{1,20}+)? ?+\(|(?:printjson|tojson|load|runprogram|cat|ls|hostname"
            r"|listfiles) ?+\( ?+(?:db\.|this|['\"]/))"
            r"|^db\.(?:\w{1,40}+\.(?:insert|remove|drop|delete|update)\w{0,10}+|getcollectionnames|eval|dropdatabase"
            r"|shutdownserver|admincommand) ?+\( ?+(?:\) ?+(?:$|[;'\"\[.})]|//|\|\||&&|[=!]=)|[^) ])",
            "a command of the shell of MongoDB",
            where=Part.TOLD | Part.PATH,
        ),
        Signature(
            "nosql-07",
            r"(?:" + _FIRST_QUOTE + r"[ )}\]]{0,8}+(?:\|\||&&|;|and\b|or\b)|^\d{1,9}+[ )}\]]{0,8}+(?:\|\||&&"
            r"|;))[ (!]{0,4}+(?:this|obj|doc)\.\w{1,40}+(?:\.\w{1,20}+)?+ ?+(?:\(|[=!<>]|\[|\|\||&&|//|;|$)"
            r"|^(?:&&|\|\|)?+['\" ]{0,3}+this\.\w{1,40}+\.match ?+\([^()]{0,40}+\) ?+(?:$|//)"
            r"|(?:^|function ?+\( ?+\) ?+\{ ?+)emit"
            r" ?+\( ?+this\b|\bmapreduce ?+\( ?+this\b",
            "fields of a document read by JavaScript",
            where=Part.TOLD | Part.PATH,
        ),
        Signature(
            "nosql-08",
            r"\*\d{1,3}+ \$\d{1,6}+ (?:set|get|eval|config|slaveof|replicaof|flushall|module|save|select|auth|del"
            r"|keys|rpush|info|script)\b"
            r"|config set (?:dir|dbfilename|rdbcompression|slave-read-only|requirepass|protected-mode|logfile)\b"
            r"|(?:slaveof|replicaof) (?:no one|[\w.:-]{1,60}+ \d{2,5}\b)|module load /|\bredis\.p?call ?+\( ?+['\"]"
            r"|\beval ['\"]?(?:return|local)\b[^;]{0,60}?(?:redis|package|os\.|io\.)|(?:flushall|flushdb|bgsave) (?:set"
            r" [\w:.-]{1,60}+ [^ ]|config (?:set|get)\b|slaveof\b|quit ?+$)"
            r"|set [\w:.-]{1,40}+ (?:['\"][^'\"]{0,60}+['\"]"
            r"|\d{1,12}+) (?:quit|save)\b",
            "commands of Redis",
            where=Part.TOLD | Part.PATH | Part.FIELD,
        ),
        Signature(
            "nosql-09",
            r"(?:^|[^a-z])(?:set|add|append|prepend|cas) [\w:.-]{1,100}+ \d{1,6}+ \d{1,10}+ \d{1,7}+ (?:noreply )?\w"
            r"|\bget [\w:.-]{1,60}+ (?:flush_all|stats|quit|set [\w:.-]{1,60}+ \d)|flush_all(?: (?:noreply|quit|set)|$)"
            r"|stats (?:slabs|items|cachedump|sizes)\b|verbosity \d{1,3}+ (?:noreply|set|quit)",
            "commands of memcached",
            where=Part.TOLD | Part.PATH | Part.FIELD,
            paranoia=2,
        ),
        Signature(
            "nosql-10",
            r"^[^()]{0,60}+\){1,4}+(?:\( ?+| ?+\( ?+(?=[|&!]))(?:[|&!] ?+\(?|[\w;.-]{1,40}+(?:[~<>]?="
            r"|:[\w.]{0,40}:?=)[^()]{0,80}+(?:\)|\*|$))"
            r"|^[^()]{0,60}+\) ?+\( ?+[|&!] ?+\)|\* ?+\( ?+[|&] ?+\(|\) ?+\( ?+[|&] ?+\( ?+[\w;.-]{1,30}+ ?+[~<>]?="
            r"|\* ?+\){1,4}+ ?+\({1,2}(?:[|&!]\(|[|&!]?(?:uid|cn|sn|mail|objectclass|userpassword|givenname"
            r"|samaccountname)\b)"
            r"|\( ?+\| ?+\( ?+(?:uid|cn|sn|mail|objectclass|userpassword) ?+= ?+\*|^[\w@.-]{0,40}+\*\){1,4}+(?:%00"
            r"|\\00)|^\*\)\)$",
            "a filter of LDAP that is closed, and goes on",
            where=Part.TOLD | Part.PATH,
        ),
        Signature(
            "nosql-11",
            r"^[^()*]{0,40}+\*\){1,4}+(?:%00|\\00|$)|^[\w@.*-]{0,40}+\)\)\)?(?:%00|\\00|\(|$)|^\( ?+(?:objectclass|uid"
            r"|cn|sn|mail|userpassword"
            r"|samaccountname|memberof|givenname|userprincipalname) ?+[~<>]?=|[|&!(] ?+\(? ?+(?:objectclass"
            r"|userpassword|samaccountname|useraccountcontrol)(?::[\d.]{1,40}:)? ?+[~<>]?=",
            "a filter of LDAP",
            where=Part.TOLD,
            paranoia=2,
        ),
        Signature(
            "nosql-12",
            r"(?:['\"\d][ )\]]{0,4}+(?:or|and|\||=|div|mod|[-+*<>])|^(?:or|and)\b"
            r"|^(?!\(?+[\w-]{1,20}+\( ?+\*))[ (!]{0,4}+(?:not ?+\()?+(?:count ?+\( ?+(?:/|\.|@|\*[/\[|]|(?:child|parent"
            r"|self|descendant|ancestor|attribute|text|comment|node)(?: ?+\(|::))|(?:name|local-name|string-length"
            r"|substring(?:-before|-after)?|contains|starts-with|string|boolean|number|concat|codepoints-to-string"
            r"|doc|doc-available|document|unparsed-text|matches|exists) ?+\( ?+(?:/|\.|\*|@|(?:name|string|count"
            r"|local-name|child|parent|self"
            r"|descendant|ancestor|following|preceding|attribute|text|comment|node)(?: ?+\(|::|-|/))|(?:position"
            r"|last) ?+\( ?+\) ?+[=<>]"
            r"|doc(?:-available)? ?+\( ?+(?:'http|\"http|'file|concat)|(?:local-)?name\(\) ?+=)",
            "a function of XPath as a condition",
            where=Part.ANYWHERE,
        ),
        Signature(
            "nosql-13",
            r"^[^'\"()\[\]]{0,60}+['\"]?+ ?+[\])]{1,3}+ ?+\| ?+/{1,2}[\w*@.(]"
            r"|(?:^|['\"\])] ?+(?:or|and|\||/) ?+|[(\[|])"
            + _AXIS
            + r"|^[^/][^=]{0,60}?/(?:text|node|comment) ?+\( ?+\) ?+(?:=|['\"])"
            r"|" + _FIRST_QUOTE + r"[ )\]]{0,6}+(?:or|and|\|) ?+(?://[\w*@.]|/\*|\.{1,2}/[\w*@.]"
            r"|@[\w*-]{1,40}+ ?+[=)<>!\]|])",
            "a path of XPath where there was a literal",
            where=Part.ANYWHERE,
        ),
        Signature(
            "nosql-14",
            _FIRST_QUOTE + r"[ )}\]]{0,8}+(?:or [\w.='\"]{1,20}+ |or [\w.]{1,20}+ = [\w.]{1,20}+ )?+"
            r"(?:with \d{1,9}+ as\b|with [\w*]{1,30}+ (?:load|match|call)\b|return [\w.*()]{1,40}+ ?+(?://|union\b"
            r"|limit \d)|match ?+\(\w{0,20}+(?::\w{1,30}+[ {)]|\)[<-]|\) ?+(?:return|where|set|detach|delete|with)\b)"
            r"|(?:create|merge) ?+\(\w{0,20}+:\w|set \w{1,20}+\.\w{1,30}+ ?+=|detach delete \w"
            r"|delete (?:[a-z] ?+$|\w{1,20}+ ?+//)"
            r"|union (?:all )?+(?:match ?+\(|return \d|call (?:db|apoc))|foreach ?+\(\w{1,20}+ in |unwind ?+\[)"
            r"|load csv (?:with headers )?+from ['\"]|call (?:db|dbms|apoc)\.\w{2,40}+|apoc\.(?:load|cypher|trigger"
            r"|systemdb|export|import|periodic)\.\w{2,40}+ ?+\(",
            "a query of Cypher that goes on",
            where=Part.TOLD | Part.PATH,
        ),
        Signature(
            "nosql-15",
            r"^[+(\"' ]{0,4}\{! ?+(?:xmlparser|func|frange|join|parent|child|query|lucene|dismax|edismax|term|terms"
            r"|graph|raw|boost|switch|type|df|v|cache|complexphrase|hash|field|prefix|bool)\b"
            r"|_query_ ?+: ?+['\"]?\{!|shards(?:\.qt)? ?+= ?+[\w.:-]{4,60}+/solr|stream\.(?:body|url|file) ?+="
            r"|params\.resource\.loader|velocityresponsewriter"
            r"|dataimport[^;]{0,60}?dataconfig|\[shard shards=|solr\.runexecutablelistener",
            "a parser or a stream of Solr chosen in a query",
            where=Part.TOLD | Part.PATH,
        ),
        Signature(
            "nosql-16",
            r"(?:^|[.\[])(?:script_fields|scripted_metric|scripted_upsert|runtime_mappings)(?:$|[.\]\[])"
            r"|(?:^|[.\[])script[.\]\[]{1,2}(?:inline|source|lang|stored|file)\b",
            "a script for Elasticsearch",
            where=Part.NAME,
            severity=Severity.ERROR,
            paranoia=2,
        ),
        Signature(
            "nosql-17",
            _FIRST_QUOTE + r"[^;]{0,100}?\ballow filtering\b|['\")] ?+(?:using (?:ttl|timestamp) \d"
            r"|if not exists (?:using|--|;|$))"
            r"|[=(,] ?+(?:token|writetime|ttl) ?+\( ?+\w{1,40}+ ?+\) ?+[<>=-]|(?:from|,) ?+system(?:_schema"
            r"|_auth)?\.(?:local|peers\w{0,3}|keyspaces|tables|columns|roles|schema_\w{4,20})\b"
            r"[ )]{0,3}+(?:--|/\*|;|//|limit|allow|$)|;? ?+(?:drop|alter|create) (?:keyspace|materialized view"
            r"|columnfamily) \w{1,40} ?+(?:--|;|$|with)",
            "a query of Cassandra that goes on",
            where=Part.TOLD | Part.PATH,
            paranoia=2,
        ),
        Signature(
            "nosql-18",
            r"/_(?:all_dbs|all_docs|config|utils|temp_view|session|replicate|log|membership"
            r"|node/[\w@._-]{1,40}/_config|users/org\.couchdb\.user)\b"
            r"|/_design/[\w%-]{1,60}/_(?:view|show|list|update|rewrite)\b|query_servers/\w{1,20}|org\.couchdb\.user:\w"
            r"|/_(?:cat|cluster|nodes|snapshot|search|mapping|aliases|plugin|shutdown|river|msearch|bulk|sql|ingest"
            r"|security)(?:/|$|\?)",
            "an endpoint of CouchDB or Elasticsearch",
            where=Part.PATH | Part.VALUE,
            severity=Severity.WARNING,
            paranoia=2,
        ),
        Signature(
            "nosql-19",
            r"(?:['\"\[{:, ]|^)['\"]?" + _OPERATOR + r"|\bdb\.\w{1,40}\.(?:find|insert|update|remove|aggregate"
            r"|drop)\w{0,12} ?+\(|\.mapreduce ?+\(",
            "an operator or a command of MongoDB",
            where=Part.TOLD,
            severity=Severity.ERROR,
            paranoia=2,
        ),
        Signature(
            "nosql-20",
            r"\b__(?:schema|type) ?+(?:\{|\()|\bintrospectionquery\b|\b__(?:typekind|directive|enumvalue|inputvalue"
            r"|field)\b",
            "a question about the schema of GraphQL",
            where=Part.VALUE,
            severity=Severity.ERROR,
            paranoia=3,
        ),
        Signature(
            "nosql-21",
            r"(?:^|[(\s,:])\*:\*|^\*$|\b_exists_ ?+:|\[\* to \*\]|(?:\b(?:or|and|not)\b|[+-])[ (]{0,2}\w{1,30}+:(?:\*"
            r"|\[|\{|\(|\"|/)|^/[^/]{1,60}+/$",
            "a query of Lucene for everything",
            where=Part.VALUE,
            severity=Severity.WARNING,
            paranoia=3,
        ),
        Signature(
            "nosql-22",
            r"^\$|\[\$|[{}]|\(\||\(&|\(!|\)\(|\*\)|\|\||&&|//|::|\]\|",
            "marks that queries are made of",
            where=Part.TOLD,
            severity=Severity.WARNING,
            paranoia=4,
        ),
        Signature(
            "nosql-23",
            r"/{1,2}[\w*]{1,30}+\[(?:\d{1,4}+\]/|position\(\)|last\(\)|contains\(|starts-with\()|/"
            + _AXIS
            + r"|/(?:text|node|comment) ?+\( ?+\)(?:\]|/| ?+(?:$|[|,)\[]))",
            "a path of XPath",
            where=Part.TOLD,
            paranoia=2,
        ),
    ),
)
