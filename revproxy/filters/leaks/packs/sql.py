"""What databases say of statements that they cannot carry out (CWE-209): who injects reads there how it goes."""

from __future__ import annotations

from ....security_log import Severity
from ..pack import LeakPack
from ..signature import LeakSignature

__all__ = ["SQL_ERRORS"]

SQL_ERRORS = LeakPack(
    "sql-error",
    (
        LeakSignature(
            "sql-error-01",
            r"check the manual that (?:corresponds to|fits) your (?:mysql|mariadb"
            r"|drizzle) server version for the right syntax to use near ",
            "a syntax error of MySQL or MariaDB",
        ),
        LeakSignature(
            "sql-error-02",
            r"sqlstate\[(?:[0-9a-z]{5}|\d{1,5})\](?:: | \[\d)|error \d{4} \([0-9a-z]{5}\)(?: at line \d{1,6}+)?+: "
            r"|\(\d{4}, [\"'](?:access denied|unknown|table|"
            r"you have an error|duplicate entry|can't connect|lost connection)",
            "an error of MySQL, or of PDO",
        ),
        LeakSignature(
            "sql-error-03",
            r"unknown column '[^']{1,80}+' in '(?:field list|where clause|on clause|order clause|group statement"
            r"|having clause)'"
            r"|table '[\w$-]{1,64}+\.[\w$-]{1,64}+' doesn't exist|unknown database '[^']{1,64}'"
            r"|the used select statements have a different number",
            "a name that MySQL does not know",
        ),
        LeakSignature(
            "sql-error-04",
            r"access denied for user '[^']{0,80}+'@'[^']{1,80}+'"
            r"|host '[^']{1,100}+' is not allowed to connect to this m"
            r"|can't connect to (?:local )?+mysql server (?:on|through)(?: socket)?+ '",
            "an account of a database",
        ),
        LeakSignature(
            "sql-error-05",
            r"(?:mysqli?|pg|sqlite3?|mssql|odbc|oci|ibase|db2|ingres|sqlsrv|fbsql|ifx)_(?:p?connect"
            r"|(?:unbuffered_)?query|fetch_\w{3,20}|num_rows|exec(?:ute)?+|"
            r"prepare|error|result|parse|real_connect)\(\): ",
            "a function of PHP for databases that fails",
        ),
        LeakSignature(
            "sql-error-06",
            r"error: (?:syntax error at or near \"|relation \"[^\"]{1,120}+\" does not exist"
            r"|column (?:\"[^\"]{1,120}+\"|[\w.]{1,120}+) does not exist|operator does not exist: "
            r"|unterminated quoted string at or near |invalid input syntax for (?:type )?+\w"
            r"|permission denied for (?:table|relation|schema) )"
            r"|fatal: (?:password authentication failed for user|database \"[^\"]{1,64}+\" does not exist"
            r"|no pg_hba\.conf entry for host)",
            "an error of PostgreSQL",
        ),
        LeakSignature(
            "sql-error-07",
            r"duplicate key value violates unique constraint \"[^\"]{1,120}+\" ?(?:detail|\\n|[\"'<.;])"
            r"|violates (?:foreign key|not-null|check) constraint \"?[^\" ]{1,120}+\"? ?"
            r"(?:on table|detail|of relation)",
            "a constraint of PostgreSQL",
        ),
        LeakSignature(
            "sql-error-08",
            r"ora-\d{5}: [a-z\"]|oracle (?:odbc|oledb) driver|quoted string not properly terminated|pls-\d{5}: "
            r"|tns-\d{5}: ",
            "an error of Oracle",
        ),
        LeakSignature(
            "sql-error-09",
            r"unclosed quotation mark (?:after|before) the character string"
            r"|incorrect syntax near (?:the keyword )?+['\x7f]|\[(?:microsoft|odbc"
            r"|freetds)[^\[\]]{0,60}+\] ?\[(?:odbc )?+sql server"
            r"|conversion failed when converting (?:the )?+(?:n?varchar|date|char)"
            r"|procedure or function '[^']{1,80}+' expects parameter"
            r"|invalid (?:object|column) name '[^']{1,120}+'\.|login failed for user '",
            "an error of SQL Server",
        ),
        LeakSignature(
            "sql-error-10",
            r"near \"[^\"]{1,80}+\": syntax error|unrecognized token: \"|sqlite3?\.(?:operational|integrity"
            r"|programming|database)error: |sqlite_(?:error|constraint|cantopen|busy|corrupt)[:(]"
            r"|sqlite3?::(?:sqlexception|query|constraintexception)|\(sqlite3\.\w{5,30}+\) ",
            "an error of SQLite",
        ),
        LeakSignature(
            "sql-error-11",
            r"sqlcode[=:] ?-\d{3,5}, ?sqlstate[=:] ?\w{5}|db2 sql error: |\[ibm\]\[cli driver\]|sql\d{4}n (?:an? "
            r"|the )|com\.ibm\.db2\.jcc",
            "an error of DB2",
        ),
        LeakSignature(
            "sql-error-12",
            r"(?:microsoft jet database engine|microsoft access driver\]"
            r"|microsoft ole db provider for (?:odbc drivers|sql server|oracle))"
            r"|dynamic sql error.{1,60}?sql error code = -\d|\[informix\]|sybase(?: message: |\.jdbc\d?\.\w)"
            r"|sql anywhere (?:error|odbc driver)|-\d{3,5}, isam error|teradata\]\[|\[sap\]\[odbc"
            r"|clickhouse.{0,40}?db::exception",
            "an error of another database",
        ),
        LeakSignature(
            "sql-error-13",
            r"org\.(?:postgresql\.util\.psqlexception|hibernate\.(?:exception\.\w{5,60}|querysyntaxexception"
            r"|hql\.\w{3,60})|h2\.jdbc\.\w{3,60}|hsqldb\.\w{3,60}|sqlite\.sqliteexception)"
            r"|com\.mysql\.(?:cj\.)?+jdbc\.exceptions|java\.sql\.sql\w{0,40}?exception|bad sql grammar \["
            r"|could not execute (?:query|statement); sql \[|could not execute (?:query|statement) \[",
            "an error of a database by way of Java",
        ),
        LeakSignature(
            "sql-error-14",
            r"(?:sequelize|typeorm|knex|prisma)\w{0,30}?(?:database|connection|queryfailed|uniqueconstraint"
            r"|clientknownrequest|clientinitialization)\w{0,12}?error|queryfailederror: "
            r"|invalid .{0,3}?prisma\.\w{1,60}+\.\w{1,40}+\(\).{0,3}? invocation|er_(?:parse_error|bad_field_error"
            r"|no_such_table|access_denied_error|dup_entry): ",
            "an error of a database by way of Node.js",
        ),
        LeakSignature(
            "sql-error-15",
            r"system\.data\.(?:sqlclient|oledb|odbc|entity)\.\w{3,60}|microsoft\.(?:data\.sqlclient"
            r"|entityframeworkcore)\.\w{3,60}exception|npgsql\.\w{3,40}exception|(?:illuminate\\database"
            r"|doctrine\\dbal)\\"
            r"[\w\\]{0,40}?\w{3,40}exception|pdoexception: |activerecord::statementinvalid: |\[sql: (?:select|insert"
            r"|update|delete) ",
            "an error of a database by way of .NET, PHP, Ruby or Python",
        ),
        LeakSignature(
            "sql-error-16",
            r"e11000 duplicate key error collection: |mongo(?:server|network|write|)error: |\"errmsg\" ?: ?\""
            r"|unknown top level operator: \$|parsing_exception\", ?\"reason\"|wrongtype operation against a key"
            r"|noauth authentication required|neo4jerror: |neo\.clienterror\.",
            "an error of a database without SQL",
        ),
        LeakSignature(
            "sql-error-17",
            r"(?:select [\w.*`\", ]{1,200}? from [\w.`\"]{1,80}+ where "
            r"|insert into [\w.`\"]{1,80}+ \([\w, `\"]{1,200}+\) values ?\()",
            "a statement of SQL",
            severity=Severity.NOTICE,
            paranoia=2,
        ),
    ),
)
