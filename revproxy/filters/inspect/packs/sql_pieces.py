"""What the signatures of SQL injection are put together from: how a literal is closed, and what may follow."""

from __future__ import annotations

__all__ = [
    "ABOUT_ITSELF",
    "AFTER_ANOTHER",
    "ARITHMETIC",
    "BOOLEAN",
    "CALL",
    "CHANGE",
    "CLOSE",
    "CODE",
    "COMMAND",
    "COMPARED",
    "END",
    "FIRST_QUOTE",
    "FUNCTION",
    "GAP",
    "ITSELF",
    "LAST_STATEMENT",
    "LITERAL",
    "METADATA",
    "NAME",
    "OPEN",
    "OPERAND",
    "START",
    "UNION",
    "VALUE",
    "VARIABLE",
]

# What is no space to Python may be one to a server that reads Latin-1 (0xA0): hence classes by what they leave out.
FIRST_QUOTE = r"^[^'\"`]{0,200}+['\"`]"
CLOSE = r"[^!-(*,-~]{0,8}+"  # spaces, ) and +
OPEN = r"[^\"-')*,.-}]{0,8}+"  # spaces, ( and signs
GAP = r"[^!-'*,-~]{1,6}+"  # spaces, parentheses and +
START = r"^ ?+(?:(?:/[\w.%~@,-]{0,40}+){0,8}+[\w.,@-]{0,30}+|\d{1,9}+|)"
"""A word, a number or nothing, perhaps a path before it: a value, where there are no quotes."""

BOOLEAN = r"(?:(?:x?or|and)\b|\|\||&&)"
LITERAL = r"(?:'[^']{0,40}+'|\"[^\"]{0,40}+\"|\d[\da-fx.]{0,12}+)"
ARITHMETIC = r"(?: ?+[-+*/%^&|]{1,2} ?+[\w.()'\"]{1,20}+)?+"
CALL = r"\([^()]{0,60}+(?:\([^()]{0,60}+\)[^()]{0,60}+){0,3}+\)"
OPERAND = r"(?:'[^']{0,60}+'|\"[^\"]{0,60}+\"|`[^`]{0,60}+`|[\w.@$]{1,60}+(?: ?+" + CALL + r")?+)" + ARITHMETIC
END = r"(?:(?<! )--|--[ +-]{0,4}+\w?$|#[^a-z]|#$|/\*|; ?+(?:--|#|$))"
"""What ends a statement. A dash between two spaces, and then a name, is how people sign."""

COMPARED = (
    r"[ )]{0,4}+(?:[=<>]|!=|@>|<@|::|->|(?:not )?+in ?+\( ?+(?:['\"\d@(]|n'|null\b|select\b|\w{1,30}+[(,])"
    r"|is (?:not )?+(?:null\b|(?:true|false) ?+(?:" + END + r"|[)'\"]|\|\||&&|(?:and|or) ['\"\d(]|limit \d|union\b))"
    r"|(?:not )?+(?:r?like|ilike|regexp|glob|similar to)[ (]{0,3}+(?:binary )?+(?:['\"(%\dx]|n'|n?char ?+\("
    r"|concat ?+\())"
)
UNION = r"union" + GAP + r"(?:(?:all|distinct(?:row)?)" + GAP + r")?select\b"
NAME = r"#?+[\w.\"`\[\]$]{1,80}+"
_WHICH = r"(?:if (?:not )?+exists )?+" + NAME + r" ?+"
CHANGE = (
    r"(?:(?:drop|truncate) (?:table|database|schema) " + _WHICH + r"(?:$|[;,(]|--|#|/\*|cascade\b|restrict\b)"
    r"|(?:drop|truncate) (?:user|login|role|view|procedure|function|index|trigger|extension|language|column) "
    + _WHICH
    + r"(?:[;,(]|--|#|/\*|cascade\b|on "
    + NAME
    + r" ?+(?:;|--|#|$))"
    r"|create(?: or replace)?+(?: temp(?:orary)?+)?+ (?:table|view|procedure|function|trigger|extension|language"
    r"|(?:unique )?+index|schema|database|user|login|role) "
    + _WHICH
    + r"(?:\(|;|--|#|/\*|as (?:select|begin|[$'@#(])|identified |with (?:password|super|login)|authorization |returns "
    r"|(?:before|after) (?:insert|update|delete)|on " + NAME + r" ?+\(|like " + NAME + r" ?+(?:;|--|#|$))"
    r"|alter (?:table|database|schema|user|login|role|view|procedure|function|index|trigger|column) "
    + _WHICH
    + r"(?:(?:add|drop|modify|change|rename|alter|enable|disable|owner|convert|with|set|default|identified|quota)\b"
    r" ?+[\w\"`\[('])"
    r"|alter (?:user|role) " + NAME + r" (?:with )?+(?:superuser|createdb|createrole)\b"
    r"|(?:insert|replace)(?: ignore)?+ into "
    + NAME
    + r" ?+(?:\([^()]{0,200}+\) ?+(?:values|select|output|exec|--)|\( ?+select|values ?+\(|select\b|set "
    + NAME
    + r" ?+=|default values|exec)"
    r"|delete from " + NAME + r" ?+(?:where\b|using\b|limit \d|;|--|#|/\*|$)"
    r"|update " + NAME + r" set " + NAME + r" ?+=|merge into " + NAME + r" (?:(?!using\b)\w{1,30}+ )?+using "
    r")"
)
"""A statement that changes what there is."""

COMMAND = (
    r"(?:select ?+(?:\d{1,9}+ ?+(?:\)|from\b|union\b|where\b|[-=/|^]|,(?:[^ ]| ?+(?:null|['@]))|" + END + r")"
    r"|\*|@|null\b|case (?:when\b|\()|pg_|top \d{1,9}+ [\w.*]{1,40}+(?:,| from )"
    r"|'[^']{0,40}+' ?+(?:,(?:[^ ]| ?+(?:null|\d|'))|\|\||from\b|into (?:out|dump)|" + END + r")"
    r"|\( ?+(?:select\b|case\b|'|null\b|@@|\d{1,9}+ ?+\)|[\w.]{1,30}+\()|[\w.]{2,40}+\( ?+(?:[\d'\"@)]|select\b|0x)"
    r"|[\w.]{1,40}+(?: ?+, ?+[\w.]{1,40}+){0,20}+ from "
    + NAME
    + r" ?+(?:where|limit|order by|group by|join|"
    + END
    + r"))"
    r"|exec(?:ute)?+(?: immediate)?+[ (+]{1,3}+(?:[@'\"\[]|xp_|sp_|n?char ?+\(|\w{1,30}+\.{1,2}\w)"
    r"|declare @|declare \w{1,30}+ (?:n?varchar|int|number)|waitfor (?:delay|time)"
    r"|shutdown ?+(?:with (?:nowait|immediate)|immediate\b|" + END + r")"
    r"|grant (?:all|select|execute|dba|create|connect)(?: privileges)?+ (?:on|to) "
    r"|copy \w{1,40}+ ?+(?:\(\w{0,40}+\) ?+)?+(?:from|to) (?:['\"]|program\b)"
    r"|call \w{1,40}+(?:\.\w{1,40}+)?+\( ?+[)'\"@\d]|set @|prepare \w{1,30}+ from (?:['\"@0]|concat|char)"
    r"|handler \w{1,40}+ open|show (?:tables|databases|grants|columns) ?+(?:from |like |in |for |$|" + END + r")"
    r"|rename table " + NAME + r" to |load data (?:local )?+infile|backup (?:database|log) " + NAME + r" to "
    r"|attach database ['\"@]|do \$\w{0,20}+\$|begin (?:declare|execute|dbms_|transaction)"
    r"|(?:commit|rollback) ?+" + END + r"|end ?+(?:--|#|; ?+(?:--|#))|kill \d{1,9}+ ?+(?:$|" + END + r")"
    r"|dbcc |desc(?:ribe)?+ "
    + NAME
    + r" ?+"
    + END
    + r"|if ?+\( ?+(?:not )?+(?:select\b|\d{1,9}+ ?+[=<>]|substr|ascii ?+\(|exists ?+\(|len(?:gth)?+ ?+\("
    r"|user(?:_name)?+ ?+\(|db_name|system_user|@@|'|lower ?+\(|upper ?+\(|is_srv))"
)
FUNCTION = (
    r"\b(?:ascii|ord|unicode|substr(?:ing)?+b?+|mid|left|right|length|len|char_length|hex|bin|quote|to_char|cast"
    r"|convert|concat(?:_ws)?+|group_concat|string_agg|listagg|instr|locate|position|elt|make_set|decode|upper"
    r"|lower|trim|reverse|md5|conv|strcmp|nullif)"
)
CODE = r"(?:3[2-9]|[4-9]\d|1[01]\d|12[0-6])"
"""The number of a character that is printed."""

ITSELF = r"(?:" + "|".join(rf"{letter} ?+= ?+['\"]?{letter}\b" for letter in "abcdefghijklmnopqrstuvwxyz") + r")"
"""A letter compared with itself."""

VARIABLE = (
    r"@@(?:global\.|session\.)?+(?:version|hostname|datadir|basedir|servername|servicename|language|tmpdir"
    r"|secure_file_priv|microversion|spid|port|plugin_dir)\b"
)
"""One that reads, or runs something."""

AFTER_ANOTHER = (
    r"(?:"
    + FIRST_QUOTE
    + r"(?:[ )}]{0,8}+;|[ )}]{1,8}+)|(?!begin|commit|end|start|go\b|use\b)"
    + START
    + CLOSE
    + r";)[ (;]{0,4}+"
)

LAST_STATEMENT = (
    r"(?:(?:drop|create) (?:user|login|role|view|procedure|function|trigger|extension|language|database|schema) "
    r"(?:if (?:not )?+exists )?+"
    + NAME
    + r"|desc(?:ribe)?+ "
    + NAME
    + r"|select (?:\d{1,9}+|"
    + NAME
    + r" from "
    + NAME
    + r")|commit|rollback|shutdown) ?+"
    r"(?:$|--|#|/\*|;)"
)
"""A statement that ends the value, and that might be said of other things than databases."""

VALUE = r"(?:null|\d{1,10}+|0x[\da-f]{1,40}+|'[^']{0,40}+'|\"[^\"]{0,40}+\"|@@\w{1,30}+|[\w.@]{1,40}+\([^()]{0,40}+\))"
"""What a union selects in place of a column."""

METADATA = (
    r"(?:information_schema\b|pg_(?:catalog|shadow|user|roles|tables|database|class|authid|stat_activity)\b"
    r"|sqlite_(?:master|schema|temp_master)\b|mysql\.(?:user|db|innodb_table_stats|tables_priv)\b|performance_schema\b"
    r"|sys(?:objects|columns|databases|users|logins|ibm\.|cat\.)|sys\.(?:tables|objects|columns|databases|sql_logins)\b"
    r"|sys\.(?:schema_table|x\$|user\$|dba_)|master(?:\.\.|\.dbo\.|\.sys\.)"
    r"|(?:all|user|dba)_(?:tables|tab_columns|users|objects|col_comments|views|synonyms)\b"
    r"|v\$(?:version|database|instance|session|parameter)|rdb\$|msys(?:accessobjects|objects|access)\b)"
)
ABOUT_ITSELF = (
    r"(?:(?:current_|session_|system_)?(?:user|database|schema|version) ?+\( ?+\)|suser_s?name ?+\(|db_name ?+\("
    r"|@@(?:global\.)?\w|current_(?:user|database|schema|catalog)\b(?![.\w])|sqlite_version ?+\()"
)
