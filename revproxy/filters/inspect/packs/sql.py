"""SQL injection (CWE-89): what ends the literal or the number that it was put into, and goes on as code.

Plain statements, as in a text about SQL, are looked for from level 2 on. At level 1 it is how a value *begins* that
tells: where the first quote in it is followed by an operator and a comparison, it closes one that is not in the value.
"""

from __future__ import annotations

from dataclasses import replace

from ....security_log import Severity
from ..forms import Form
from ..pack import Pack
from ..signature import Signature
from ..value import Part
from .sql_functions import FUNCTIONS
from .sql_pieces import (
    AFTER_ANOTHER,
    BOOLEAN,
    CHANGE,
    CLOSE,
    CODE,
    COMMAND,
    COMPARED,
    END,
    FIRST_QUOTE,
    ITSELF,
    LAST_STATEMENT,
    LITERAL,
    METADATA,
    OPEN,
    OPERAND,
    START,
    UNION,
    VALUE,
    VARIABLE,
)

__all__ = ["SQL_INJECTION"]

_SIGNATURES: tuple[Signature, ...] = (
    Signature(
        "sqli-01",
        FIRST_QUOTE + CLOSE + BOOLEAN + OPEN + r"(?:not\b" + OPEN + r")?+(?:binary )?+" + OPERAND + COMPARED,
        "a quote closed, then a condition",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
    Signature(
        "sqli-02",
        r"\b(?:x?or|and|where|having|when|not|like)" + OPEN + r"(?:'[^']{0,40}+'[ )]{0,4}+(?:(?:not )?+r?like"
        r"|between"
        r"|regexp|=|<>|!=)|\"[^\"]{0,40}+\"[ )]{0,4}+=)[ (]{0,4}+(?:n?'[^']{0,40}+(?:'|$)|\"[^\"]{0,40}+(?:\"|$)"
        r"|\d)(?!\w)",
        "one literal compared with another",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
    Signature(
        "sqli-03",
        r"\b(?:x?or|and)[ (+!~-]{1,8}+\d{1,10}+ ?+[=<>]{1,2}+ ?+\(?-?\d{1,10}+[ )'\"]{0,4}+"
        r"(?:--|#|/\*|;|(?:union|limit|order by|group by|having|procedure|into)\b)",
        "a comparison of numbers before what ends a statement",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
    Signature(
        "sqli-04",
        START + CLOSE + BOOLEAN + OPEN + r"(?:not\b" + OPEN + r")?+"
        r"(?:(?:" + LITERAL + r"(?: ?+[-+*/%^&|]{1,2} ?+(?:'[^']{0,20}+'|[\d.()]{1,20}+))?+|true|false"
        r"|null)[ )]{0,4}+"
        r"(?:(?:[=<>]{1,2}|!=|(?:not )?+r?like)[ (~!-]{0,4}+(?:['\"\d@]|select\b|null|true|false|n'|char ?+\()"
        r"|(?:not )?+in ?+\(|(?:not )?+between ['\"\d]|is (?:not )?+null)|"
        + ITSELF
        + r"|(?:true|false|not (?:true|false))[ )]{0,4}+(?:--|#|/\*))"
        r"|^(?:[\w.,-]{0,30}+[ )]{1,4}+|)(?:or|and) \d{1,5}+ ?+(?:--[ +-]{0,4}+|#)$"
        r"|^[+-]?\d{1,9}+[ )]{1,6}+" + BOOLEAN + OPEN + r"(?:(?:not )?+(?:true|false) ?+$"
        r"|[\w.]{1,40}+(?:\([^()]{0,30}+\))?+ ?+"
        r"(?:is (?:not )?+null\b|(?:not )?+r?like ['\"]|= ?+['\"\d]|(?:not )?+in ?+\([ ]?+['\"\ds]))",
        "a number or a word, then a condition",
        form=Form.SQL,
        where=Part.PATH | Part.TOLD,
    ),
    Signature(
        "sqli-05",
        FIRST_QUOTE + r"(?:" + CLOSE + BOOLEAN + OPEN + r"(?:not\b" + OPEN + r")?+"
        r"(?:(?:true|false|null|\d[\da-fx.]{0,12}+)[ )]{0,4}+"
        r"(?:" + END + r"|limit \d|\|\||&&|(?:or|and) ?+['\"(]|[-+*/%^] ?+['\"]|(?:not )?+between[ (]{1,2}+['\"\d])"
        r"|(?:true|false)[ )]{0,4}+$"
        r"|(?:'\w{0,40}+'|\"\w{0,40}+\")[ )]{0,4}+(?:--|#|/\*|;|(?:limit|or|and|between)\b|\|\||&&"
        r"|[-+*/%^&|=]{1,2} ?+['\"\d])|['\"][\w%]{1,40}+$)"
        # Not where it may be inches: 27" or 32
        r"|(?:(?<!\d['\"`])"
        + CLOSE
        + BOOLEAN
        + r"|"
        + CLOSE
        + r"(?:\|\||&&))"
        + OPEN
        + r"(?:not\b"
        + OPEN
        + r")?+(?:null|\d[\da-fx.]{0,12}+)[ )]{0,4}+(?:$|(?:or|and) \d|[-+*/%^] ?+\d))",
        "a quote closed, then what is true or false",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
    Signature(
        "sqli-06",
        r"^[\w@.%\\-]{0,30}+['\"`](?:[ )]{0,4}+(?:[=*^&|/%<>+-]{1,3} ?+[(+~!-]{0,3} ?+['\"`](?:$|--|#|['\"(=|]|\w)"
        r"|(?:(?<=')| )(?:r?like|regexp|div|mod) ?+['\"]$"
        r"|(?:[=*^&|/%<>+-]{1,3}| (?:div|mod) )[ (~!-]{0,3}+\d{1,9}+(?:\.\d{0,4}+)?+e?[ )]{0,3}+" + END + r")"
        r"|(?<!\d['\"`])[ )]{0,4}+[=^&|<>]{1,2}[ ~!-]{0,2}+\d{1,9}+e?\d{0,4}+(?:['\"|]|$))",
        "a quote closed, then an operator and the next literal",
        form=Form.SQL,
        where=Part.PATH | Part.TOLD,
    ),
    Signature(
        "sqli-07",
        r"^[^'\"`]{0,60}+['\"][ );]{0,10}+(?:#[ \d]{0,3}+|-- ?+[+-]?\w{0,3}+|/\*)$",
        "a quote closed, and the rest a comment",
        form=Form.TEXT,
        where=Part.ANYWHERE,
    ),
    Signature(
        "sqli-08",
        FIRST_QUOTE
        + CLOSE
        + r"(?:(?:order|group) by ?+(?:\d{1,6}+(?: ?+, ?+\d{1,6}+){0,30}+[ )]{0,3}+(?:"
        + END
        + r"|(?:asc|desc|limit|having|procedure|into|union)\b)|\( ?+(?:select|\d|case|if ?+\()|[\w.]{1,40}+ ?+(?:"
        + END
        + r"|(?:having|desc|asc)\b))"
        r"|having (?:\d{1,9}+ ?+(?:[=<>]|" + END + r")|['\"][^'\"]{0,20}+['\"] ?+[=<>]|\( ?+(?:\d|['\"]|select)"
        r"|[\w.()*]{1,60}+ ?+[=<>])|into (?:out|dump)file|procedure analyse|for update\b"
        r"|limit \d{1,9}+ ?+(?:(?:, ?+\d{1,9}+|offset \d{1,9}+) ?+(?:$|"
        + END
        + r"|union|into|proc)|"
        + END
        + r"|union|into (?:out|dump)|proc)"
        r"|offset \d{1,9}+ rows|where [\w.'\"(]{1,40}+ ?+[=<>]|collate \w{1,30}+ ?+(?:--|=|#|or\b)"
        r"|(?:is (?:not )?+null|like|between|in|from|where|join|union|as|on|escape)\b[^#\"]{0,100}?"
        r"(?:(?<! )--[ +-]{0,3}+\w{0,8}+$|--[ +-]{0,3}+\w?$|#$))",
        "a quote closed, then a clause",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
    Signature(
        "sqli-09",
        r"^(?:[\w.'\"`)-]{0,20}+[ )]{1,6}+|['\"`) ]{0,6}+)(?:(?:order"
        r"|group) by[ (]{1,3}+\d{1,6}+(?: ?+, ?+\d{1,6}+){0,9}+[ )]{0,3}+"
        r"(?:--|#|/\*|;(?:--| ?+$)|(?:asc|desc|having)\b)|having[ (]{1,3}+\d{1,9}+ ?+[=<>])"
        r"|^-?[\d.'\"`)]{1,12}[ )]{1,4}+(?:order|group) by[ (]{1,3}+\d{1,6}+(?: ?+, ?+\d{1,6}+){0,9}+[ )]{0,3}+$",
        "an order by the number of a column",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
    Signature(
        "sqli-10",
        r"(?:" + FIRST_QUOTE + r"|^[\d.,e@-]{1,30}+"
        r"|\d ?+[=<>]{1,2}+ ?+\d{1,10}+(?=[ )]))[^a-z'\"]{0,12}+" + UNION + r"[^!-'*,-~]{0,6}+"
        r"(?:[\d*@'\"(]|null\b|[\w.@`]{1,40}+(?: ?+, ?+[\w.@`()]{1,40}+){0,20}+(?:\(| ?+(?:" + END + r"|from\b)))"
        r"|^(?:\w{1,20}+ ?+)?"
        + UNION
        + r"[^!-'*,-~]{0,6}+(?:[\w.@]{1,40}+(?: ?+, ?+[\w.@()]{1,40}+){1,20}+ from [\w.`\"\[\]]{1,60}+ ?+(?:$|where"
        r"|limit|order|" + END + r")|\*|@@|\d{1,9}+ ?+$)",
        "a union after what a value begins with",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
    Signature(
        "sqli-11",
        UNION
        + r"[^!-'*,-~]{0,6}+(?:"
        + VALUE
        + r"[ )]{0,4}+(?:,(?: ?+[\w.@]{1,40}+ ?+,){0,20}+ ?+(?:"
        + VALUE
        + r"|[\w.@]{1,40}+ ?+(?:from\b|"
        + END
        + r"))|\|\||"
        + END
        + r"|from (?:dual|"
        + METADATA
        + r"))"
        r"|[^;]{1,120}?\bfrom[ (`\"\[]{1,4}+"
        + METADATA
        + r"|(?:n?char|chr|concat|concat_ws|group_concat|load_file|unhex|hex|user|version|database|table_name"
        r"|password) ?+[,(])",
        "a union of literals, or with what describes the database",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
    Signature(
        "sqli-12",
        AFTER_ANOTHER + CHANGE,
        "a second statement, which changes what there is",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
    *FUNCTIONS,
    Signature(
        "sqli-21",
        r"(?:['\"`\d] ?+(?:\|\||[-+,*/^&%=<>])|\|\|)[ +~!-]{0,6}+\([ (]{0,4}+select[ (+]{1,3}+"
        r"(?:[\d*@'\"(][\w@*'\"(.]{0,60}+ ?+(?:[,()]|from\b|limit\b|union\b|where\b|\|\|)"
        r"|[\w.]{1,60}+ ?+(?:\(|,|from\b"
        r"|" + END + r"))"
        r"|^[\d.,'\"-]{0,20}+[ ),]{0,4}\( ?+select[ (+]{0,3}+(?:\d{1,9}+ ?+(?:\)|\(|from\b|union\b|,[^ ]"
        r"|and (?:\d{1,9}+ ?+[=<>]|\w{1,20}+\()|[-+*/=|])|[*'\"@(]|top \d|[\w.]{1,40}+(?:\("
        r"| from [\w.]{1,40}+ (?:where|limit|order)))",
        "a subquery where there was a literal",
        form=Form.SQL,
        where=Part.PATH | Part.TOLD | Part.FIELD,
    ),
    Signature(
        "sqli-22",
        r"(?:" + FIRST_QUOTE + CLOSE + BOOLEAN + OPEN + r"(?:not\b" + OPEN + r")?+(?:\w{2,40}\((?!e?s\)"
        r"|[a-z]{0,3}\))|exists\b|case when|i?if\(|select[ (]{1,3}+(?:[\d@'\"*(]|[\w.]{1,40}+(?:\(|,| from )))"
        r"|^(?:and|or)[ (]{1,3}+select [\d@'*]"
        r"|" + START + r"[ )+]{1,6}+" + BOOLEAN + OPEN + r"(?:not\b" + OPEN + r")?+(?:case when \(?[\d']"
        r"|(?:not )?+exists ?+\( ?+select|select[ (]{1,3}+(?:[\d@'\"*(]|[\w.]{1,40}+(?:\(|,| from ))"
        r"|(?:ascii|ord|unicode|substr|substring|mid|len|length|char_length|benchmark|extractvalue|updatexml|isnull"
        r"|ifnull|iif|row|strcmp|user|database|version|instr|locate)\())",
        "a function or a subquery as a condition",
        form=Form.SQL,
        where=Part.PATH | Part.TOLD | Part.FIELD,
    ),
    Signature(
        "sqli-23",
        r"(?:concat(?:_ws)?|unhex|make_set|elt|group_concat) ?+\( ?+(?:0x[\da-f]{2}|n?char ?+\()"
        r"|\bchar ?+\( ?+" + CODE + r" ?+, ?+" + CODE + r" ?+, ?+\d|\bcha?r ?+\( ?+" + CODE + r" ?+\) ?+\|\| ?+ch"
        r"|\b(?:n?char|chr) ?+\( ?+" + CODE + r" ?+\)(?: ?+\+ ?+(?:n?char|chr) ?+\( ?+" + CODE + r" ?+\)){2}"
        r"|\bchar ?+\( ?+0x[\da-f]{2} ?+\) ?+\+|(?:['\"\d] ?+(?:and|or)|union|select|like) ?+n?char ?+\( ?+"
        + CODE
        + r" ?+\)",
        "text built of the numbers of its characters",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
    Signature(
        "sqli-24",
        r"/\*!\d{5,6} ?+(?:union|select|and|or|from|where|order|group|having|sleep|insert|update|delete|all"
        r"|concat|load_file|if|into|information_schema|table_name|database|user|limit|like|between|unhex"
        r"|procedure)\b"
        r"|/\*! ?+(?:union|select|and|or|from|where|order|group|having|sleep|all|concat|into|limit|like|unhex)"
        r"(?: ?+\*/| ?+[(@'\"\d]| ?+\* ?+from\b| (?:all|select|distinct|null|by|outfile|[\w.,`]{1,60}+ from)\b)"
        r"|(?:union|select|and|or|all|from|where|order|having|insert|into|by|like|limit|delete|update|drop|exec)"
        r"(?:/\*[^*]{0,30}+\*/){1,3}[( ]{0,2}(?:(?:union|select|all|distinct|from|where|by|table|null|into|or|and"
        r"|like|set|information_schema|mysql|pg_catalog)\b|[\d'\"(@])|['\")\d]/\*[^*]{0,20}+\*/(?:union|or|and|select|order|group|having|limit|like)\b"
        r"|\bu(?:n/\*[^*]{0,9}+\*/ion|ni/\*[^*]{0,9}+\*/on)|\bse(?:l/\*[^*]{0,9}+\*/ect|/\*[^*]{0,9}+\*/lect)",
        "words of SQL between comments, or in what only MySQL reads",
        form=Form.TEXT,
        where=Part.ANYWHERE,
    ),
    Signature(
        "sqli-25",
        r"declare[ +]@\w{1,40}+[ +](?:as )?+(?:n?varchar|n?char|sysname)[^;]{0,40};? ?+(?:set"
        r"|select)[ +]@\w{1,40}+ ?+="
        r" ?+(?:0x|n?char ?+\(|cast ?+\( ?+0x)|\bexec(?:ute)?(?: immediate)? ?+\( ?+(?:(?<!te \()@\w|n?char ?+\("
        r"|n'|'[^']{1,20}' ?+\+)"
        r"|\bset @\w{1,40}+ ?+:?= ?+(?:0x|n?char ?+\(|unhex)|prepare \w{1,40}+ from (?:0x|concat|char)"
        r"|cast ?+\( ?+0x[\da-f]{8}|execute immediate ?+'[^']{0,20}+' ?+\|\|",
        "a statement put together from text",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
    Signature(
        "sqli-26",
        r"(?:[=<>,(+|&*^-]|['\")] ?+(?:x?or|and)|\b(?:x?or|and)) ?+" + VARIABLE + r"|^" + VARIABLE + r" ?+$",
        "a variable of the server in an expression",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
    Signature(
        "sqli-27",
        r"(?:(?:x?or|and)\b|\|\||&&)[ (]{0,3}+json_(?:extract|value|keys|length|depth|contains|query|type"
        r"|valid) ?+\( ?+['\"]"
        r"|['\"\d)] ?+(?:x?or|and|\|\||&&)[ (]{0,3}(?:['\"][\[{][^;]{1,60}?(?:::jsonb?|->|@>|<@|#>)"
        r"|to_jsonb? ?+\()",
        "a condition of JSON literals",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
    Signature(
        "sqli-28",
        r"^['\"`]{1,4}[ );]{0,10}$|^[\w.@-]{1,30}+['\"`]\){0,5};?$|^\w{0,20}+\\['\"]?;?$",
        "a quote that ends a literal, and nothing else: how it is tried out",
        form=Form.TEXT,
        where=Part.TOLD,
        severity=Severity.WARNING,
        paranoia=2,
    ),
    Signature(
        "sqli-29",
        r"\bselect\b[^;]{1,150}?\bfrom [\w\"`\[(]|\binsert into [\w\"`.\[\]]{1,60}+ ?+(?:\(|values|select)"
        r"|\bdelete from \w{1,60}+(?: where|;|$)|\bupdate [\w.\"`\[\]]{1,60}+ set [\w.\"`\[\]]{1,60}+ ?+="
        r"|\b(?:drop|alter|truncate|create) (?:table|database|schema|view|user) \w",
        "a whole statement",
        form=Form.SQL,
        where=Part.TOLD,
        paranoia=2,
    ),
    Signature(
        "sqli-30",
        r"\b" + UNION + r"|\b" + METADATA,
        "a union, or what describes the database",
        form=Form.SQL,
        where=Part.ANYWHERE,
        paranoia=2,
    ),
    Signature(
        "sqli-31",
        r"['\"`\d][ )]{0,4}+(?:\b(?:x?or|and|div|mod|rlike|regexp|like|between|having|order by|group by)\b|\|\||&&)"
        r"[ (+!~-]{0,6}+['\"`\d(@]|\b(?:sleep|benchmark|load_file|n?char|chr|concat|ascii|substring|version|user"
        r"|database) ?+\( ?+[\d'\")@]",
        "an operator between literals, or a function of SQL",
        form=Form.SQL,
        where=Part.TOLD | Part.REFERER,
        severity=Severity.ERROR,
        paranoia=3,
    ),
    Signature(
        "sqli-32",
        r"['\"`)\d ](?:--|#|/\*)[^a-z]{0,20}+$|^[^'\"]{0,200}+['\"][^'\"]{0,200}+$|;[ \w]{0,20}+(?:--|#)"
        r"|0x[\da-f]{6,64}",
        "a comment at the end, one quote alone, or a long number in hexadecimal",
        form=Form.TEXT,
        where=Part.TOLD,
        severity=Severity.WARNING,
        paranoia=3,
    ),
    Signature(
        "sqli-33",
        r"['\"`;\\]|--|/\*|\*/|@@|\|\||&&|(?:[-=<>!*()%^~|&#]{1,2}+[^-=<>!*()%^~|&#]{0,20}+){6}",
        "a quote, or many characters that are no words",
        form=Form.TEXT,
        where=Part.TOLD,
        severity=Severity.WARNING,
        paranoia=4,
    ),
    Signature(
        "sqli-34",
        r"^ ?+(?:[)`][ )`]{0,4}+|-?\d[\d.]{0,12}+[ )]{1,4}+(?=as ?+['\"`\[]))as ?+['\"`\[]?\w{1,40}+['\"`\]]?+"
        r" ?+from ?+[\w`\"\[(]",
        "a literal or a function ended and named, and where to select it from",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
    Signature(
        "sqli-35",
        r"^ ?+-?\d[\d.]{0,12}+[ )]{1,6}+(?:(?:order by|group by|limit|offset|from|where|is|in|r?like|x?or|and"
        r"|having|as|between|regexp|procedure|into)\b|\|\||&&)[^;'\"#/-]{1,60}+"
        r"(?:(?<! )--[ +-]{0,3}+\w{0,8}+$|--[ +-]{0,4}+\w?+$|#$|/\*$)",
        "a number, more of a statement, and the rest a comment",
        form=Form.SQL,
        where=Part.TOLD | Part.PATH,
    ),
    Signature(
        "sqli-36",
        r"(?:"
        + FIRST_QUOTE
        + r"[ )}]{0,8}+; ?+|^[\d )}-]{0,12}+; ?+|"
        + START
        + CLOSE
        + r";)[(;]{0,4}+"
        + LAST_STATEMENT,
        "a second statement, and no more",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
    Signature(
        "sqli-37",
        AFTER_ANOTHER + COMMAND,
        "a second statement, which reads or runs something",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
)


def _of_logs(signature: Signature) -> Signature:
    """``signature``, of level 1 also for what is put into tables of visits: cookies, the agent's name, the referer."""
    if signature.paranoia > 1:
        return signature
    return replace(signature, where=signature.where | Part.COOKIE | Part.USER_AGENT | Part.REFERER)


SQL_INJECTION = Pack("sqli", tuple(map(_of_logs, _SIGNATURES)))
