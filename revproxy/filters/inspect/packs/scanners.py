"""Those who look for holes rather than for pages (S-63): tools that say who they are, names of files that only they ask
for, addresses at which they wait for a callback, browsers that are none.

A request for ``/wp-login.php`` alone stops nobody: an application may be WordPress. It adds to what else is odd.
"""

from __future__ import annotations

from ....security_log import Severity
from ..forms import Form
from ..pack import Pack
from ..signature import Signature
from ..subject import Check, Subject
from ..value import Part
from .fields import (
    is_browser_of_http_1_0,
    is_browser_without_fetch_metadata,
    is_browser_without_languages,
)

__all__ = ["SCANNERS"]

_OF_SCANNERS = ("acunetix-product", "x-arachni-scan-seed", "x-ratproxy-loop", "x-scan-memo", "x-scanner", "x-wipp")


def _says_so(subject: Subject) -> str | None:
    headers = subject.exchange.inbound.headers
    return "a field that only a scanner sends" if any(name in headers for name in _OF_SCANNERS) else None


SCANNERS = Pack(
    "scanner",
    (
        Signature(
            "scanner-01",
            r"\b(?:sqlmap|nikto|nessus|openvas|acunetix|netsparker|invicti|w3af|arachni|wpscan|joomscan|droopescan"
            r"|cmsmap"
            r"|skipfish|vega/|wapiti|havij|commix|xsser|dalfox|xsstrike|jaeles|nuclei|nmap scripting|webinspect"
            r"|appscan|qualys"
            r"|whatweb|grendel|webshag|paros/|zaproxy|owasp zap|burp(?:suite|collab)|sqlninja|bsqlbf|jbrofuzz"
            r"|absinthe|metis)",
            "a scanner for holes by its name",
            where=Part.USER_AGENT,
        ),
        Signature(
            "scanner-02",
            r"\b(?:dirbuster|dirb\b|gobuster|feroxbuster|ffuf|fuzz faster|wfuzz|dirsearch|thc-hydra|patator"
            r"|brutus/aet|crackmapexec"
            r"|metasploit|cobalt ?strike|evilginx|mysqloit|morfeus|zmeu|muieblackcat|jorgee|masscan|zgrab|fimap"
            r"|uniscan|golismero"
            r"|httprint|blackwidow|cgichk|whisker|webscarab|pmafind|toata dragostea|struts-pwn|log4j-scan|l9explore"
            r"|l9tcpid"
            r"|kiterunner|subfinder|chaos-client|aquatone|eyewitness|shellshock-scan|hello,? ?world/1\.0)|\(hydra\)",
            "a tool that guesses names or passwords, by its own",
            where=Part.USER_AGENT,
        ),
        Signature(
            "scanner-03",
            r"\b(?:censysinspect|shodan|expanse|internet-measurement|internetmeasurement|leakix|binaryedge|netcraft"
            r"|projectdiscovery"
            r"|onyphe|stretchoid|paloaltonetworks|ipip\.net|zoomeye|fofa|netsystemsresearch|odin\b|modatscanner"
            r"|cyberresilience"
            r"|securitytrails|riskiq|intrinsec|infrawatch|criminalip|nettiscan|researchscan|hadrian)",
            "a survey of all hosts there are",
            where=Part.USER_AGENT,
            severity=Severity.WARNING,
        ),
        Signature(
            "scanner-04",
            r"(?:[\w-]\.|//|@)(?:interact\.sh|interactsh\.com|oast(?:ify\.com|\.(?:fun|live|site|online|pro|me|com"
            r"|us))|burpcollaborator\.net"
            r"|dnslog\.(?:cn|pw|io|link|store)|ceye\.io|bxss\.(?:me|in)|xss\.(?:ht|report)|xssor\.io|r87\.(?:me|com)"
            r"|eyes\.sh|dns\.su18"
            r"|callback\.red|dnslog\.xfkxfk|vcap\.me|dnshook\.site"
            r"|bugscan\.net|exploit-server\.net|requestrepo\.com|zxss\.me|1u\.ms|rbndr\.us)\b",
            "a host that waits for callbacks of a server that was made to ask",
            where=Part.ANYWHERE,
        ),
        Signature(
            "scanner-05",
            r"nmaplowercheck\d|nmapuppercheck|nice%20ports|nice ports,/tri|trinity\.txt\.bak|acunetix[-_](?:wvs"
            r"|test)|wvstest"
            r"|\bacu[_-]?(?:test|\d{4,10})|w3af(?:test|remote|_)|netsparker\(?0x|appscan_fingerprint|/arachni-"
            r"|arachni_(?:xss|text|inj)"
            r"|skipfish(?:\.invalid|://)|wapiti-(?:xss|test)|vega-inject|nikto[-_](?:test|\d)"
            r"|nessus(?:\d{4,12}|_is_probing)|openvas[-_](?:test|vt|\d{4})|zap(?:aproxy)?_inject|burpcollaborator"
            r"|dirbuster-|gobuster-|detectify_|qualys_(?:test|web)|\bwcrtest|<wvs|rapid7test",
            "what a scanner asks for to see what an answer looks like",
            where=Part.TARGET | Part.ANYWHERE,
        ),
        Check("scanner-06", _says_so, "a field of a scanner", fields=_OF_SCANNERS),
        Signature(
            "scanner-07",
            r"/vendor/phpunit/|/phpunit/(?:phpunit/)?(?:src/)?util/php|eval-stdin\.php|/(?:phpmyadmin|pma|myadmin"
            r"|mysqladmin|dbadmin"
            r"|phpmyadmin\d?|adminer)(?:[-/.\d]|$)|/_?phpinfo(?:\.php)?$|/(?:info|test|i|pi|php|pinfo)\.php$"
            r"|/debug/default/view"
            r"|/_ignition/execute-solution|/telescope/requests|/_profiler/|/app_dev\.php"
            r"|/\.well-known/(?:pki-validation/)?[\w-]{1,20}\.php",
            "a file of PHP that is asked for in passing",
            form=Form.PATH,
            where=Part.PATH,
            severity=Severity.WARNING,
        ),
        Signature(
            "scanner-08",
            r"/(?:wp-login\.php|xmlrpc\.php|wp-admin/(?:install|setup-config)|wp-content/(?:debug\.log"
            r"|plugins/[\w-]{1,60}+/readme\.txt"
            r"|uploads/[\w/]{1,60}+\.php)|wp-includes/wlwmanifest|wp-json/wp/v2/users|administrator/(?:index|manifests)"
            r"|sites/default/settings|magento_version|downloader/index|typo3/install|fckeditor|ckeditor/filemanager"
            r"|umbraco/webservices)",
            "a file of a common application",
            form=Form.PATH,
            where=Part.PATH,
            severity=Severity.WARNING,
        ),
        Signature(
            "scanner-09",
            r"/(?:actuator(?:/(?:env|health|heapdump|gateway|mappings|jolokia|trace|httptrace|loggers|threaddump"
            r"|beans|configprops)|/?$)"
            r"|jolokia|heapdump$|env$|jmx-console|web-console|invoker/(?:jmx|ejb)|manager/(?:html|text|status)"
            r"|host-manager|axis2"
            r"|struts(?:2|/)|druid/(?:index|login)|solr/(?:admin|\w{1,20}/select)|jenkins/|script$|hudson|nacos/"
            r"|consul/|v1/agent"
            r"|console/(?:login|css|images|j_sec)|_async/|wls-wsat|weblogic|uddiexplorer|seeyon|ueditor"
            r"|geoserver/web|h2-console)",
            "an interface of a Java server for its administrator",
            form=Form.PATH,
            where=Part.PATH,
            severity=Severity.WARNING,
        ),
        Signature(
            "scanner-10",
            r"/(?:server-(?:status|info)|nginx_status|cgi-bin/|cgi-sys/|fcgi-bin/|status\?full|phpstatus|php-fpm"
            r"|webdav/|_vti_bin|_vti_pvt"
            r"|iisstart|iissamples|aspnet_client|trace\.axd|elmah\.axd|scripts/(?:root|setup)|msadc/|owa/auth"
            r"|autodiscover/|ecp/\w{1,20}\.js"
            r"|remote/(?:login|fgt_lang)|dana-na|vpn/(?:index|\.\.)|\+cscoe\+|global-protect|sslvpn|ssl-vpn|citrix/"
            r"|mifs/)",
            "an interface of a server, a gateway or a mail system",
            form=Form.PATH,
            where=Part.PATH,
            severity=Severity.WARNING,
        ),
        Signature(
            "scanner-11",
            r"/(?:boaform|goform|hnap1|setup\.cgi|currentsetting\.htm|gponform|tmunblock|shell\?|cgi/(?:common"
            r"|login)|picsdesc\.xml"
            r"|upnp(?:dev)?|sdk$|evox/|webfig|winbox|level/\d{1,2}/exec|device\.rsp|sdk/webl|onvif|stssys|ajax_form"
            r"|board\.cgi"
            r"|nmaplower|web_shell_cmd|userrpm|diagnostic\.html|admin/login\.asp|dvr/|dnslookup\.cgi|language/swedish)",
            "an interface of a router or a camera",
            form=Form.PATH,
            where=Part.PATH,
            severity=Severity.WARNING,
        ),
        Signature(
            "scanner-12",
            r"/(?:shell|cmd|c99|r57|wso\d{0,3}|b374k|alfa(?:new|shell)?|up|x|xx|xxx|0|1|shell\d{0,3}|webshell|backdoor"
            r"|root|hack|bypass|marijuana|indoxploit|lock360|wp-(?:22|conflg|l0gin|blog)|gel4y)\."
            r"(?:php[57]?|phtml|aspx?|jspx?|cfm)$",
            "a door that somebody else may have left open",
            form=Form.PATH,
            where=Part.PATH,
            severity=Severity.WARNING,
        ),
        Signature(
            "scanner-13",
            r"/(?:\.(?:env|git|svn|hg|aws|ssh|docker|kube|vscode|idea|ds_store|npmrc|htpasswd|htaccess|bash_history"
            r"|config|circleci"
            r"|github/workflows|gitlab-ci\.yml|travis\.yml|ftpconfig|remote-sync|s3cfg|boto|netrc)(?:[/.]|$)"
            r"|(?:config|settings|credentials"
            r"|secrets|serverless|database|parameters|appsettings|application)\.(?:ya?ml|php|ini|env|properties|py"
            r"|toml)$"
            r"|(?:composer|gemfile|yarn|pnpm-lock|package-lock|poetry)\.(?:lock|json|yaml)$|(?:docker-compose"
            r"|dockerfile|vagrantfile"
            r"|jenkinsfile|makefile|procfile)(?:$|\.ya?ml)|(?:id_rsa|server\.key|privatekey\.key|key\.pem"
            r"|private\.key)$)",
            "a file of a deployment that is asked for in passing",
            form=Form.PATH,
            where=Part.PATH,
            severity=Severity.WARNING,
        ),
        Signature(
            "scanner-14",
            r"/(?:containers/json|v1\.\d{2}/(?:containers|images)|api/v1/(?:pods|namespaces|secrets)|apis?/jsonws"
            r"|_cat/indices|_search$"
            r"|_all_dbs|_nodes|_cluster/|latest/meta-data|computemetadata/|metadata/(?:instance|identity|v1)"
            r"|kubepods|swagger-ui"
            r"|swagger(?:\.json|/index)|v[23]/api-docs|api-docs|openapi\.json|graphiql|altair$|playground$"
            r"|graphql/console|metrics$"
            r"|debug/pprof|debug/vars|api/tags|v1/models|rest/api/latest/|portal/redlion|ext-js/|druid|solr/)",
            "an interface of a cluster or a database, or the description of one",
            form=Form.PATH,
            where=Part.PATH,
            severity=Severity.NOTICE,
            paranoia=2,
        ),
        Signature(
            "scanner-15",
            r"^(?:mozilla/5\.0|mozilla/4\.0|test|user-?agent|null|none|undefined|\(?x11; ?linux\)?|scanner?|bot"
            r"|xpymep\.exe)$"
            r"|^user-agent ?:|^['\"](?:mozilla|user-agent)|mozilla/5\.0 mozilla/5\.0|\(compatible; ?\)$|^mozila/"
            r"|^mozzila/|msie [2-5]\."
            r"|firefox/[1-9]\.\d",
            "a User-Agent of no browser that claims to be one",
            where=Part.USER_AGENT,
            severity=Severity.NOTICE,
        ),
        Signature(
            "scanner-16",
            r"[=/]fuzz(?:$|[&/?#.])|\bfuzz\dz\b|[\[{](?:sleeptime|randnum|randstr|delimiter_start|fuzz"
            r"|origvalue)\d?[\]}]"
            r"|(?<![$\w])\{(?:file|payload|cmd)\}(?:$|&|%00)|%7b(?:file|payload|cmd)%7d",
            "a place where a tool should have put something",
            form=Form.AS_IS,
            where=Part.TARGET | Part.TOLD,
            severity=Severity.ERROR,
        ),
        Check(
            "scanner-17",
            is_browser_without_languages,
            "a browser without a language",
            severity=Severity.NOTICE,
            paranoia=2,
        ),
        Check(
            "scanner-18",
            is_browser_of_http_1_0,
            "a browser of the last century",
            severity=Severity.NOTICE,
            paranoia=3,
        ),
        Signature(
            "scanner-19",
            r"\b(?:webhook\.site|requestbin\.(?:net|com)|pipedream\.net|ngrok(?:-free)?\.(?:io|app|dev)|serveo\.net"
            r"|localtunnel\.me|loca\.lt"
            r"|trycloudflare\.com|beeceptor\.com|hookbin\.com|postb\.in|ptsv[23]\.com|nip\.io|sslip\.io|xip\.io"
            r"|localtest\.me|lvh\.me"
            r"|pastebin\.com/raw|transfer\.sh|0x0\.st|termbin\.com|paste\.ee/r|bashupload\.com|file\.io)\b",
            "a host at which anybody may wait for callbacks, or leave a script",
            where=Part.TOLD | Part.FIELDS,
            severity=Severity.ERROR,
            paranoia=2,
        ),
        Check(
            "scanner-20",
            is_browser_without_fetch_metadata,
            "a recent browser that does not say what it fetches for",
            severity=Severity.WARNING,
            paranoia=3,
        ),
        Signature(
            "scanner-21",
            r"^(?:curl|wget|python|go-http-client|java|libwww-perl|lwp|php|ruby|perl|okhttp|axios|node|got|aiohttp"
            r"|httpx|httpie|scrapy"
            r"|mechanize|winhttp|powershell|guzzle|apache-httpclient|postman|insomnia|rest-client|faraday|typhoeus"
            r"|reqwest|hyper|dart"
            r"|libcurl|pycurl|urllib|requests|undici|restsharp|jakarta|zend|symfony|http_request|fasthttp|colly"
            r"|headless)\b"
            r"|headlesschrome|phantomjs|puppeteer|playwright|selenium|electron|htmlunit|slimerjs|cypress",
            "a script, or a browser that a script drives",
            where=Part.USER_AGENT,
            severity=Severity.NOTICE,
            paranoia=3,
        ),
        Signature(
            "scanner-22",
            r"(?:bot|crawl|spider|scrap|fetch|archiv|monitor|check|preview|feed|index|search|extract|harvest"
            r"|mine)(?:er|bot|s)?\b[/ ;)]",
            "a robot of any kind",
            where=Part.USER_AGENT,
            severity=Severity.NOTICE,
            paranoia=4,
        ),
    ),
)
