"""Signatures of SQL injection by the functions that it calls: those that take time, that fail with what they have read,
that reach files and other servers, or that tell of the server itself."""

from __future__ import annotations

from ..forms import Form
from ..signature import Signature
from ..value import Part
from .sql_pieces import (
    ABOUT_ITSELF,
    FUNCTION,
    METADATA,
)

__all__ = ["FUNCTIONS"]

FUNCTIONS: tuple[Signature, ...] = (
    Signature(
        "sqli-13",
        r"pg_sleep(?:_for|_until)? ?+\(|waitfor[ +](?:delay|time)[ +(]{0,3}+['\"@\dx]"
        r"|dbms_(?:pipe\.receive_message|lock\.sleep|session\.sleep)|randomblob ?+\( ?+(?:\d{6}|\d{1,4}+/)"
        r"|benchmark ?+\( ?+\(?\d{4,12}|utl_inaddr\.get_host",
        "a function that takes time",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
    Signature(
        "sqli-14",
        r"(?:(?:['\"`\d]|(?<!\(\d)\)|^[ (]{0,4}+) ?+(?:and|or|not|like|in|when|between)\b"
        r"|\b(?:select|xor|rlike|regexp|div|where|having|by|union)\b|\|\||&&"
        r"|[\d'\"`)] ?+[-+*/%^&|=<>,]{1,2}|\bif ?+\([^{};]{1,60}?,|\bthen\b|^[\d.,'\"`);-]{0,12}+)[ (+!~-]{0,6}+"
        r"sleep[ +]?\([ (]{0,3}+\d{1,4}+(?:\.\d{1,4}+)?+[ *\d]{0,8}+\)[ )]{0,4}+(?:$|--|#|/\*|[=<>,+*/|&^-]"
        r"|['\"`]|;(?:--| ?+[#'\"])|(?:and|x?or|from|union|limit|where|order)\b ?+(?:['\"\d(]|by\b|select\b)"
        r"|(?<=\))[a-z]\w{0,8}+\W)"
        r"|['\"][ +|.]{1,3}+sleep ?+\([^()'\"]{1,30}+\)[ +|.]{1,3}+['\"]",
        "sleep() as part of an expression",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
    Signature(
        "sqli-15",
        r"(?:extractvalue|updatexml) ?+\( ?+[\w'\"(]|\bexp ?+\( ?+~ ?+\(|floor ?+\( ?+rand ?+\( ?+\d"
        r"|gtid_sub(?:set|tract) ?+\("
        r"|(?:geometrycollection|multipoint|polygon|multipolygon|linestring|multilinestring) ?+\( ?+\( ?+select"
        r"|name_const ?+\(|procedure analyse ?+\(|utl_inaddr\.|ctxsys\.drithsx|dbms_xdb_version|ordsys\.ord_dicom"
        r"|dbms_utility\.sqlid_to|st_latfromgeohash ?+\( ?+\(|json_keys ?+\( ?+\( ?+select"
        r"|cast ?+\( ?+\(? ?+(?:select\b|@@)"
        r"|convert ?+\( ?+(?:int|signed|numeric)\b ?+, ?+(?:\( ?+select|@@|db_name|user\b|char ?+\()"
        r"|xmltype ?+\( ?+(?:chr|'<|\( ?+')",
        "an expression whose error tells what it read",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
    Signature(
        "sqli-16",
        FUNCTION
        + r"(?: ?+\( ?+(?:binary )?+(?:\( ?+select\b|"
        + ABOUT_ITSELF
        + r"|(?:0x[\da-f]{2,8}|['\"][^'\"]{1,4}+['\"]) ?+, ?+(?:\( ?+select"
        r"|" + ABOUT_ITSELF + r"))|\( ?+select ?+[(*'\"\d@])|\bselect\( ?+" + ABOUT_ITSELF,
        "a function of what a subquery returns, or of what the server says of itself",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
    Signature(
        "sqli-17",
        r"insert into mysql\.user\b|[=<>,(;] ?+select\b[^;]{1,150}?\bfrom[ (`\"\[+]{1,4}+" + METADATA,
        "a subquery of what describes the database",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
    Signature(
        "sqli-18",
        r"case[ +(]{1,3}+when[ (+]{1,4}+(?:not )?+(?:\d{1,9}+|'[^']{0,20}+') ?+[=<>]{1,2}+ ?+['\d]"
        r"|\bif ?+\( ?+\d{1,9}+ ?+[=<>]{1,2}+ ?+\d{1,9}+ ?+\) ?+select\b"
        r"|(?:^|[^=\w]|[\w'\") ]=)i?if ?+\([ (]{0,2}+(?:\d{1,9}+"
        r"|'[^']{0,20}+'|(?:now|user|database)\(\)) ?+[=<>]{1,2}+ ?+['\w()]{1,20}+ ?+,"
        r"|(?:elt|make_set|nullif|ifnull|decode) ?+\([ (]{0,2}+\d{1,9}+ ?+[=<>]{1,2}+ ?+\d{1,9}+ ?+[,)]"
        r"|(?:like|regexp|=|,|and|or|\() ?+\( ?+select[ (]{1,2}+case\b|case when ?+\(? ?+(?:ascii|ord|substring"
        r"|\( ?+select)",
        "a condition of literals that chooses an expression",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
    Signature(
        "sqli-19",
        r"into[ +](?:out|dump)file[ +]?['\"0(]|\bload_file ?+\( ?+(?:['\"](?:/|\\|[a-z]:|\.\.)|0x|n?char|unhex"
        r"|concat)|\bcopy [^;]{1,60}?(?:to|from) program ['\"$]"
        r"|lo_(?:import|export|from_bytea) ?+\(|pg_(?:read_file|read_binary_file|ls_dir|stat_file|file_write) ?+\("
        r"|dblink(?:_connect|_exec|_send_query)? ?+\( ?+['\"$(]|(?:query|database|table)_to_xml ?+\("
        r"|utl_(?:http|file|smtp|tcp|mail)\.\w{1,30}+ ?+\(|httpuritype ?+\(|dbms_(?:ldap|java|export_extension)\."
        r"|\bload_extension ?+\(|sys_(?:eval|exec) ?+\(|\bsoname ['\"]|sys\.(?:fn_|xp_)|\bbfilename ?+\( ?+'",
        "a function that reads or writes files, or reaches other servers",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
    Signature(
        "sqli-20",
        r"\bxp_(?:cmdshell|dirtree|reg(?:read|write|delete)\w{0,20}|fileexist|subdirs|availablemedia|servicecontrol"
        r"|loginconfig|makecab|ntsec_enumdomains|terminate_process|getfiledetails|create_subdir|delete_file)\b"
        r"|\bsp_(?:oacreate|oamethod|makewebtask|addextendedproc|execute_external_script|addsrvrolemember"
        r"|addlogin)\b"
        r"|\bopen(?:rowset|datasource|query) ?+\( ?+['\"]|exec(?:ute)?[ +(]{1,3}+master\.{1,2}\w"
        r"|fn_xe_file_target_read"
        r"|fn_(?:trace_gettable|get_audit_file) ?+\(",
        "a procedure of SQL Server that reaches the system",
        form=Form.SQL,
        where=Part.ANYWHERE,
    ),
)
