"""SQL injection: breaking out of a literal or a number, in many dialects; and what people write about it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.inspect.packs.sql import SQL_INJECTION
from revproxy.filters.inspect.value import Part, Value

from . import Samples, check_pack, is_found


def path(text: str) -> Value:
    return Value(Part.PATH, "", text)


def field(text: str) -> Value:
    return Value(Part.FIELD, "x-forwarded-for", text)


def agent(text: str) -> Value:
    return Value(Part.USER_AGENT, "user-agent", text)


def cookie(text: str) -> Value:
    return Value(Part.COOKIE, "session", text)


SAMPLES: Mapping[str, Samples] = {
    "sqli-01": Samples(
        (
            "' or 1=1 -- ",
            '") AND ("x"="x',
            "admin'/**/Or/**/'1'/**/LIKE/**/'1",
            "x' && email IS NULL; --",
            "%27%20oR%20username%20like%20%27%25a",
            "1'||2>1#",
            "\uff07 or 1=1",
            "1'\xa0or\xa01=1#",
            "7' or id in (1,2)#",
            agent("Mozilla/5.0' and substr(version(),1,1)='5"),
            path("/items/7' or 7=7--"),
            field("10.0.0.1' xor 1=1#"),
            cookie("abc' or not 2=3#"),
        ),
        (
            "O'Brien and Sons",
            "the students' or teachers' rooms",
            "Rock 'n' roll and the '60s = fun",
            'Monitors: 24" and 27" > 22"',
            'if x == "a" or y == "b": pass',
            "SELECT * FROM t WHERE a = 'x' AND b = 'y' OR c = 'z';",
            "if name == '' or age > 18:",
            "l'amour et l'or = tout",
            agent("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
            Value(Part.FIELD, "sec-ch-ua", '"Not/A)Brand";v="8", "Chromium";v="126"'),
            "the kids' and teens in (most) schools",
            "same for the ladies' and that is true for all",
        ),
    ),
    "sqli-02": Samples(
        (
            "x' or 'a'='a",
            "1 and '1' like '1",
            'hi" or "a"="a',
            "a AND 'x' BETWEEN 'a' AND 'z'",
            "' or 'text' = n'text'",
            "where ''=''",
            "0 or('a')='a",
        ),
        (
            "'a' or 'b'",
            "WHERE name = 'Bob' AND city = 'Rome'",
            'he said "yes" and "no" to all',
            "if not 'a' in 'abc':",
            "for 'x' and 'y' see page 3",
            '<b class="a">or</b> <i id="b">and</i>',
        ),
    ),
    "sqli-03": Samples(
        (
            "x or 1=1--",
            "1) AND 2>1 UNION SELECT 1",
            "'' or 5=5#",
            "7 or 1=1 LIMIT 1",
            "1%20or%201%3D1%2F*",
            "abc def and 1=0 order by 3",
        ),
        (
            "1=1 or 2=2",
            "Is 1+1=2 or 1+1=3?",
            "see pages 3 and 4; also 7",
            "x=1 and y=2",
            "scores: 3 or 4 -- nobody knows",
            "between 5 and 10 #numbers",
        ),
    ),
    "sqli-04": Samples(
        (
            "1 or 1=1",
            "-1) OR (17-7=10",
            "hi or a=a",
            "5 && 'x'='x'",
            "or 1=1",
            "1/**/and/**/1/**/in/**/(1)",
            "1 or true--",
            "3 and email is null",
            "1||1 like 1",
            path("/users/5 and 1=2"),
            cookie("5 or 2>1"),
        ),
        (
            "1 or 2",
            "cats and dogs=2",
            "100 or more <br> of these",
            "5 and counting",
            "status=1 and age>5",
            "and 0 <= y0 < 5",
            "this or that = fine",
            "3 or 4 times a day",
            "parabola and y = x",
        ),
    ),
    "sqli-05": Samples(
        (
            "' or 1#",
            "' or true--",
            "' OR '1",
            "x' and not 0 or 'a",
            "1')) or 1 limit 1",
            "' or ''-'",
            '" or 2 between 1 and 3',
            "' or 1",
        ),
        (
            "'or'",
            "the boys' or girls' coats",
            '3" or 4" pipe',
            'Literal["and", "or"]',
            "dogs' and cats' food",
            "we sell 'A' and 'B'",
            '.x::before{content:"and"}',
            'monitor 27" or 32',
            "looking for a ladder, 5' or 6; thanks",
            'a screen of 27" and 30 or 32',
        ),
    ),
    "sqli-06": Samples(
        (
            "'='",
            "'-'",
            "a'||'b",
            "'=''or'",
            "'^'",
            "1'*1--",
            "'like'",
            "'=0--+",
            "'|0#",
            'x"+"y',
        ),
        (
            "'a' = 'b'",
            "Height: 5'-6\"",
            "6' x 4'",
            ":'-( so sad",
            "'like'd it",
            '"is"',
            "R'n'B",
            "'>=': greater or equal",
            "it's 5 o'clock",
            '8" > 6" adapter',
            "I am 5'-6; and you?",
        ),
    ),
    "sqli-07": Samples(
        (
            "admin'--",
            "admin' #",
            'root")-- -',
            "x'/*",
            "bob'); --+",
            "admin%27%23",
            path("/user/bob'--"),
        ),
        (
            "the boys' #1 team",
            "it's -- well -- fine",
            "'quoted' -- an aside",
            'use "--help" for more',
            "-- \nJohn Smith",
            "`-- src",
            "# It's a heading",
        ),
    ),
    "sqli-08": Samples(
        (
            "' order by 10--",
            "1' GROUP BY users.id having 1=1--",
            '") having "a"="a',
            "' limit 1,1#",
            "x' into outfile '/tmp/x",
            "' procedure analyse()#",
            "' is not null --",
            "1' where 1=1#",
        ),
        (
            "the customers' order by phone",
            "the cards' limit 500 euros",
            "the boys' group by the lake",
            "users' having fun",
            "the players' and coaches in 2020",
            "the dogs' like of walks",
            "please ship the customers' order by 12 noon",
            "my parents' having 2 dogs is no reason",
            "staying at my parents' in Bern -- Anna",
            "the cards' limit 500",
            "the players' order by name -- thanks",
        ),
    ),
    "sqli-09": Samples(
        (
            "1 order by 5--",
            "' order by 1,2,3#",
            "7) group by 1 having 1=1",
            "-1 ORDER BY 99999",
            "5/**/order/**/by/**/3/*",
            "1' having 1=1",
        ),
        (
            "Please order by 5 pm",
            "order by phone or mail",
            "SELECT a FROM t ORDER BY 2 DESC",
            "sorted in order by name",
            "Group by 4 people",
            "1. order by 10 May, get it by 12",
        ),
    ),
    "sqli-10": Samples(
        (
            "' union select 1",
            "-1 UNION ALL SELECT username,password FROM users",
            "x')/*!union*//*!select*/1",
            "1 and 1=2 union select a,b from c",
            "0%0aUnIoN%0adIsTiNcT%0asElEcT%0a2",
            "-1'union(select(1))#",
            "union select user, pass from t",
        ),
        (
            "union of select committees",
            "Trade union select committee report",
            "SELECT a FROM b UNION SELECT c FROM d;",
            "The European Union's select few",
            "credit union selects a new head",
            "union, select, insert: words of SQL",
            "European Union Select Committee, 5th report",
            "the Teachers' Union Select Committee (2026)",
            "Credit Union Select Checking, no fees",
        ),
    ),
    "sqli-11": Samples(
        (
            "null union select null,null--",
            "x union all select 1,2,3",
            "UNION SELECT table_name FROM information_schema.tables",
            "a union select concat(user,0x3a,pass)",
            "zz union select name from sqlite_master",
            "union/**/select/**/@@version--",
            "union%20select%20'a',2",
        ),
        (
            "SELECT name, city FROM a UNION SELECT name, city FROM b",
            "Union select committee on health",
            "a union; select 1",
            "WITH t AS (SELECT n UNION ALL SELECT n + 1 FROM t)",
            "the union selects 3 members",
            "student union selection",
            "when calling the credit union select 2, then wait",
        ),
    ),
    "sqli-12": Samples(
        (
            "1');/**/alter role bob superuser--",
            "x'; delete from users",
            "'; drop table users--",
            "x');insert into users values(1)",
            "5; update users set admin = 1",
            path("/a/1;drop table x"),
        ),
        (
            "SELECT 1 FROM t; DROP TABLE t;",
            "BEGIN; UPDATE a SET b = 1; COMMIT;",
            "Hello; drop by the table where we ate",
            "First; select the best",
            'cursor.execute("SELECT * FROM t WHERE id = %s")',
            "5; update your profile",
            "foo(); if (len > 3) return;",
            "a=1; path=/; secure",
            "Draft; delete from here on",
            "todo; create user guide",
            "wip; create table of contents",
            "Menu; select one from each row",
            "Monday; update prices set in May",
            "Cleanup; drop table lamp off at Anna's",
            "Done; alter table height and insert into slot B",
        ),
    ),
    "sqli-13": Samples(
        (
            "1;select pg_sleep(5)--",
            "'; WAITFOR DELAY '0:0:5'--",
            "1 and benchmark(5000000,md5(1))",
            "dbms_pipe.receive_message('a',5)",
            "randomblob(1000000000)",
            "x' || pg_sleep/**/(5)--",
            field("1'+waitfor+delay+'0:0:9"),
        ),
        (
            "time.sleep(5)",
            "we wait for delay and pay",
            "a benchmark (of 3 runs)",
            "no need to sleep",
            "WAITFOR is a statement of T-SQL",
            "random blob of 10 MB",
        ),
    ),
    "sqli-14": Samples(
        (
            "1 and sleep(5)",
            "'+sleep(5)+'",
            "(select(0)from(select(sleep(5)))v)",
            "if(now()=sysdate(),sleep(5),0)",
            "1' rlike sleep(5)#",
            "1-SLEEP(9)--",
            "sleep(5)#",
            agent("x'xor(sleep(4))or'"),
        ),
        (
            "time.sleep(5)",
            "while (1) { sleep(1); }",
            "await sleep(1000)",
            "I sleep (8 hours) well",
            "select a bed; sleep (well)",
            "foo(); sleep(5);",
            "the thread hangs in sleep(5)",
            "read(2), select(2) and sleep(3) may be interrupted",
            "what happens when sleep(1) returns early?",
            "sleep(1000) in JavaScript",
        ),
    ),
    "sqli-15": Samples(
        (
            "1 and extractvalue(1,concat(0x7e,version()))",
            "' or updatexml(1,1,1)--",
            "1 group by floor(rand(0)*2)",
            "' and 1=cast((select version()) as int)--",
            "x'+convert(int,@@version)+'",
            "' and exp(~(select 1))#",
            "polygon((select * from x))",
            "' and 1=utl_inaddr.get_host_name('x')--",
        ),
        (
            "SELECT CAST(price AS INT) FROM t",
            "convert(int, price)",
            "exp(-x) and floor(x)",
            "a polygon ((inner) ring)",
            "extract value from it",
            "rand() * 2",
            "x = rand(0)*2 - 1",
        ),
    ),
    "sqli-16": Samples(
        (
            "ascii(substr((select pass),1,1))>64",
            "length(database())=8",
            "mid(@@version,1,1)",
            "concat(0x7e,user())",
            "1 and ord(left(current_user(),1))>1",
            "group_concat('~',(select 1))",
            "lower/**/(user())",
            "hex( db_name(1) )",
        ),
        (
            "UPPER(name) and LOWER(city)",
            "SELECT COALESCE((SELECT MAX(id) FROM t), 0)",
            "len(users) and left(over)",
            "substr(1, 2)",
            "if (user()) { }",
            "concat('a', b)",
            "Length (select 1 of 3)",
            "Audit.record(current_user, :login)",
            "concat(current_user.first, current_user.last) in Rails",
        ),
    ),
    "sqli-17": Samples(
        (
            "1 and (select count(*) from information_schema.tables)>0",
            "'||(select name from sqlite_master)||'",
            "=(select top 1 name from sysobjects)",
            "1;select x from pg_shadow",
            "(SELECT/**/banner/**/FROM/**/v$version)",
            "1 in (select password from mysql.user)",
        ),
        (
            "SELECT table_name FROM information_schema.tables",
            "(select one from the list)",
            "price > (SELECT AVG(price) FROM products)",
            "the information_schema is a standard",
            "select, from, where",
            "(SELECT 1 FROM sysadmins)",
        ),
    ),
    "sqli-18": Samples(
        (
            "(case when (1=1) then 1 else 0 end)",
            "if(1=1,2,3)",
            "elt(1=1,2)",
            "1 rlike (select (case when 1 then 2 end))",
            "CASE/**/WHEN/**/'a'='a'",
            "if(user()='root',1,0)",
            "iif(2>1,1,0)",
        ),
        (
            "CASE WHEN price > 10 THEN 'high' END",
            "=IF(A1=1,2,3)",
            "if (1 + x, y)",
            "in case when 3 people come",
            "CASE WHEN EXISTS (SELECT 1) THEN 2 END",
            "decode(x, 1, 2)",
            '=IF(5>3,"yes","no")',
        ),
    ),
    "sqli-19": Samples(
        (
            "' into outfile '/var/www/x.php",
            "load_file('/etc/passwd')",
            "copy x to program 'id'",
            "lo_import('/etc/passwd')",
            "pg_read_file('x')",
            "utl_http.request('http://evil')",
            "dblink_connect('host=evil')",
            "load_file(0x2f6574632f706173737764)",
            "load_extension('evil.dll')",
        ),
        (
            "write it into outfile.txt",
            "YAML.load_file('META.yml')",
            "from program to program",
            "load file ('/x')",
            "utl_http is a package",
            "put into dumpfiles",
            "she graduated from program 'Law & Economics'",
        ),
    ),
    "sqli-20": Samples(
        (
            "exec xp_cmdshell 'dir'",
            "master..xp_dirtree '//evil/x'",
            "execute/**/master.dbo.x",
            "xp_regread 'HKEY_LOCAL_MACHINE'",
            "sp_oacreate 'wscript.shell'",
            "openrowset('SQLOLEDB','x')",
            field("1;exec%20master..xp_fileexist"),
        ),
        (
            "EXEC sp_configure 'show advanced options', 1;",
            "Windows XP cmd shell",
            "exec sp_help",
            "execute mastery of it",
            "open row set",
            "xp_points = 50",
            "Exec Master of Business Administration",
        ),
    ),
    "sqli-21": Samples(
        (
            "'||(select banner from x)||'",
            "1,(select * from (select 1)a)",
            "(select 1 and row(1,1))",
            "'+(select/**/@@version)+'",
            "0^(select(1) )",
            "1*(select 2 from dual)",
        ),
        (
            "Options (select one)",
            "(select one from the list)",
            "me and (select friends)",
            "price > (SELECT AVG(price) FROM t)",
            "choose (select the best) now",
            "a, b (select c)",
            "Question 3 - (select one option)",
            "(select 1 or more)",
        ),
    ),
    "sqli-22": Samples(
        (
            "' and exists(select 1)#",
            "1 and (select 1)",
            "1 or ascii(x)",
            "' or if(x,1,0)#",
            "x' and case when a then 1 end--",
            "1') or lower(name) regexp",
            path("/p/1 and length(x)"),
            field("' and (select(1))"),
        ),
        (
            "the teacher(s)' and parent(s)' meeting",
            "this and if (you want)",
            "cats and dogs (brown)",
            "me and (select friends)",
            "the members' and select guests' day",
            "rain or length of days",
        ),
    ),
    "sqli-23": Samples(
        (
            "concat(0x7e,x)",
            "char(97,98,99)",
            "chr(65)||chr(66)",
            "char(65)+char(66)+char(67)",
            "' or char(39)",
            "unhex(0x41)",
            "CHR/**/(65)/**/||/**/CHR(66)",
        ),
        (
            "=A1&CHAR(10)&B1",
            "Chr(13) + Chr(10)",
            "CHAR(13)+CHAR(10)",
            "concat(a, b)",
            "VARCHAR(20) and CHAR(10)",
            "appendChar(0x00)",
            "=CONCAT(1,2,3)",
            "nl = Chr(13) + Chr(10) + Chr(13) in VBA",
            "varchar(255) or char(8)",
        ),
    ),
    "sqli-24": Samples(
        (
            "1/*!50000union*/",
            "union/**/select",
            "uni/**/on sel/**/ect",
            "1'/*x*/or/**/1",
            "/*!select*/ 1",
            "SELECT/**/1",
            "or/**/1=1",
        ),
        (
            "/*! normalize.css v8.0.1 | MIT License */",
            "vendor/**/*.js",
            "src/or/**/foo",
            "int x = 5; /* or */ y = 3;",
            "/*!40101 SET NAMES utf8 */;",
            "union /* of */ states",
            "/*! Version 3.1 (c) Example */ a{color:red}",
            "/*! select.css v1.2 | MIT */",
        ),
    ),
    "sqli-25": Samples(
        (
            "declare @x varchar(99) set @x=0x41",
            "exec(@x)",
            "exec('sel' + 'ect')",
            "set @a=char(65)",
            "prepare s from 0x73",
            "cast(0x73656c656374 as varchar)",
            "execute immediate 'sel' || 'ect'",
        ),
        (
            "DECLARE @name varchar(20); SET @name = 'Bob';",
            "exec('import numpy')",
            "PREPARE stmt FROM 'SELECT ?';",
            "cursor.execute('SELECT 1')",
            "Could not execute (@command)",
            "cast(x as int)",
            "SET @x = 5;",
        ),
    ),
    "sqli-26": Samples(
        (
            "1 and @@version>0",
            "'=@@hostname#",
            "(@@datadir)",
            "@@version",
            "1 or @@global.basedir",
            "1+@@servername",
        ),
        (
            "SELECT @@VERSION;",
            "mail me @@ work",
            "@@ -1,3 +1,4 @@",
            "a@@b",
            "the @@version variable",
            "@@1",
            "@@todo",
        ),
    ),
    "sqli-27": Samples(
        (
            "1 or json_length('{}')<9",
            "' or '{\"a\":1}'::jsonb@>'{}",
            "' and json_extract('{\"a\":1}','$.a')=1",
            "1 and to_jsonb(1)=1",
            "x' or '[1]'->0 is not null",
            "5||json_valid('{}')",
        ),
        (
            '{"or": "x", "and": {}}',
            "SELECT json_extract(data, '$.a') FROM t",
            "json_length of it",
            "'a' or '{b}'",
            "WHERE data @> '{\"a\": 1}'",
            "use json_valid() or not",
        ),
    ),
    "sqli-28": Samples(
        ("'", "\"')", "1'", "abc');", "x\\'", "''", '1"))'),
        ("O'Brien", "it's", "'a'", '"quoted"', "24 inch", "C:\\dir\\file"),
    ),
    "sqli-29": Samples(
        (
            "select name from users",
            "INSERT INTO users (a) VALUES (1)",
            "delete from users where 1",
            "update users set admin=1",
            "drop/**/table users",
            "alter table users add x",
        ),
        (
            "select the best",
            "insert into the slot",
            "delete from my list",
            "update your profile",
            "drop by the table",
            "a table of contents",
        ),
    ),
    "sqli-30": Samples(
        (
            "a union select b",
            "UNION/**/ALL/**/SELECT x",
            "information_schema.tables",
            "sqlite_master",
            "pg_catalog",
            "mysql.user",
            cookie("from sysobjects"),
        ),
        (
            "union of selected states",
            "the information schema",
            "select a union",
            "all tables",
            "sys admins",
            "my sql user",
        ),
    ),
    "sqli-31": Samples(
        ("5 or 'a", "1 and 2", "' like 'x", "sleep(5)", "char(65)", "1) || (2"),
        ("this or that", "cats and dogs", "sleep (well)", "version 2", "a || b", "like it"),
    ),
    "sqli-32": Samples(
        ("admin'--", "O'Brien", "x' /*", "1;--", "0x61646d696e", "1 #"),
        ("it's a dog's life", "a -- b", "0x1F", "#tag", "'quoted'", "C# and F#"),
    ),
    "sqli-33": Samples(
        ("it's", 'a "b"', "a; b", "a--b", "@@x", "a=b&c=d!(e)*f^g", "x || y"),
        ("plain words", "a-b-c", "x = 1", "50% off", "me@example.com", "1 + 2 = 3"),
    ),
    "sqli-34": Samples(
        (
            ") as x from users",
            "`) AS `y` FROM `t`",
            '7 as "a" from accounts',
            "1) as 'n' from/**/t",
            "))/**/as/**/z/**/from(select 1)q",
        ),
        (
            "5 as good from here",
            "a) as seen from above",
            "the kids' as seen from the bridge",
            "SELECT COUNT(*) AS n FROM users",
            '3 "as is" from stock',
            ":) as well from me",
        ),
    ),
    "sqli-35": Samples(
        (
            "1 limit 1--",
            "7) is null-- -",
            "-1 order by name #",
            "2 || 1-- abcd",
            "1)) from users/*",
            "3/**/or/**/active/**/is/**/true--+",
        ),
        (
            "3 or 4 -- nobody knows",
            "12 from Rome -- Anna",
            "5 in a row #1",
            "2 and 3 or 4",
            "1 or 2 --verbose flags",
            "10 as of today",
        ),
    ),
    "sqli-36": Samples(
        (
            "'; drop user bob",
            "1;shutdown",
            "abc;select user from users",
            "x'); create extension dblink--",
            "1;/**/desc/**/users",
            "1');commit#",
        ),
        (
            "todo; create user guide",
            "Draft; describe it",
            "Menu; select one from us",
            "Friday; shutdown",
            "1; create view of the lake",
            "select name from users;",
        ),
    ),
    "sqli-37": Samples(
        (
            "1;select pg_sleep(5)",
            '";exec xp_cmdshell "dir"',
            "1;waitfor delay '0:0:5'",
            "';shutdown#",
            "1';/**/declare @x int",
            "1; select a, b from c where 1=1",
        ),
        (
            "Menu; select one from each row",
            "Menu; select 2 or more",
            "SELECT 1 FROM t; SELECT 2 FROM t;",
            "First; select the best",
            "foo(); if (len > 3) return;",
            "Done; call mom (5 pm)",
            "Draft; copy it to paper",
            "The boss; kill 3 birds",
        ),
    ),
}


def test_pack() -> None:
    """S-60: each signature is found in attacks of several dialects and disguises, and not in what people write."""
    check_pack(SQL_INJECTION, SAMPLES)


_VALUES = ("'", '"', "')", "1", "-1)", "admin'", "x' ", '1") ')
_CONDITIONS = (
    "1=1",
    "'a'='a'",
    "2>1",
    "1 in (1)",
    "not 1=2",
    "(select 1)=1",
    "exists(select 1)",
    "length(database())>0",
    "sleep(5)",
    "ascii(substr(user(),1,1))>64",
)


@given(
    st.sampled_from(_VALUES),
    st.sampled_from(["or", "AND", "Xor", "||", "&&"]),
    st.sampled_from(_CONDITIONS),
    st.sampled_from(["--", "#", " -- -", "/*", ""]),
    st.sampled_from([" ", "\n", "\t", "/**/", "%20", "  ", "%0b", "\xa0", "/*!50000*/"]),
)
def test_conditions(value: str, operator: str, condition: str, end: str, space: str) -> None:
    """S-60: a condition after what closes a literal is found at level 1, however it is spaced and ended."""
    attack = f"{value}{space}{operator}{space}{condition}{space}{end}".replace(" ", space)
    first = [each for each in SQL_INJECTION if each.paranoia == 1]
    assert any(is_found(each, attack) for each in first), attack


@pytest.mark.parametrize(
    "text",
    [
        "SELECT name FROM users WHERE id = 1;",
        "SELECT * FROM orders WHERE customer = 'Bob' OR total > 100 AND status IN ('a', 'b');",
        "INSERT INTO users (name, age) VALUES ('Bob', 3); SELECT LAST_INSERT_ID();",
        "UPDATE users SET name = 'Bob' WHERE id = 1; DELETE FROM logs; DROP TABLE old;",
        "SELECT a FROM t GROUP BY a HAVING COUNT(*) > 1 ORDER BY 2 DESC LIMIT 10 OFFSET 5;",
        "SELECT name FROM a UNION ALL SELECT name FROM b;",
        "SELECT first || ' ' || last FROM people WHERE x = '' OR y = '' -- both",
        "SELECT EXISTS (SELECT 1 FROM t WHERE b LIKE '%x%' AND c IS NOT NULL);",
        "It's simple: you can't use 'or' and 'and' = in one; see \"Chapter 1\" -- really.",
        "我们选择 'or' 和 1=1 的意思; это 'тест' or \"проба\" > 5; l'été, c'est l'or",
        'if name == "" or x == 1 and y["a"] == \'b\': return "a" + \'b\'  # it\'s so',
        "$q = \"SELECT * FROM users WHERE id = '\" . $id . \"' AND name = '$name'\";",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA",
        "project = ABC AND status = \"In Progress\" OR assignee in (bob, 'al') ORDER BY created",
        'status:open AND (priority:high OR priority:1) "some words" -other',
        "title eq 'abc' or price gt 5 and startswith(name,'x')",
    ],
)
def test_ordinary_text(text: str) -> None:
    """S-60: at level 1 nothing is found in whole statements of SQL, code, searches and prose."""
    assert [each.id for each in SQL_INJECTION if each.paranoia == 1 and is_found(each, text)] == []


@given(st.text(st.characters(codec="utf-8")), st.sampled_from([Part.VALUE, Part.PATH, Part.COOKIE, Part.FIELD]))
def test_any_text(text: str, part: Part) -> None:
    """S-60: no text is too odd to be looked at."""
    for each in SQL_INJECTION:
        is_found(each, Value(part, "q", text))
