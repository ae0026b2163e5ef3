"""Cross-site scripting (CWE-79, CWE-83, CWE-85, CWE-87): elements and attributes that run a script, URIs that are one,
ways out of an attribute or of a script's string, and scripts that hide what they call.

Tags are looked for as they were sent, not among the entities of rich text, where an editor writes ``&lt;script&gt;``
for what a reader shall see. The values of attributes are decoded first, as a browser decodes them.
"""

from __future__ import annotations

from ....security_log import Severity
from ..forms import Form
from ..pack import Pack
from ..signature import Signature
from ..value import Part

__all__ = ["XSS"]

_SENT = Part.ANYWHERE
_IN_TAG = r"<[a-z/!?][^<>]{0,240}"
_NO_HANDLER = r"ce\b|ly\b|line\b|to\b|eway|site|board|demand|delete|update|going|ward"
_NOT_JSX = r"(?! ?+(?:\{ ?+(?:[\w.]{1,60}+ ?+\}|\(?+[\w, ]{0,40}+\)?+ ?+=>)|=))"
_HANDLER = rf"on(?!{_NO_HANDLER})[a-z]{{3,24}}+ ?+={_NOT_JSX}"
"""An attribute that is a script, but for those of React, which no browser would run."""
_EVENT = (
    r"on(?:abort|activate|after(?:print|script|update)|animation|appinstalled|auxclick|before|begin\b|blur|bounce"
    r"|cached|cancel|canplay|cellchange|change|check|click|close|command\b|composition|connect|context|controlselect"
    r"|copy|cuechange|cut\b|dataavail|dataset|dblclick|deactivate|device|dom|drag|drop|duration|emptied|encrypted"
    r"|end(?:ed|event)?\b|error|fenced|filterchange|finish|focus|form|fullscreen|gamepad|gesture|got|hashchange"
    r"|help\b|input|invalid|key|language|layoutcomplete|load|losecapture|lostpointer|media|message|mouse|move|moz"
    r"|ms[a-z]|mute|navigate|offline|open\b|orientation|outofsync|overscroll|page(?:hide|show|reveal|swap)|paste"
    r"|pause|play|pointer|popstate|popup|progress|property|ratechange|readystate|rejection|repeat|reset|resize"
    r"|resume|reverse|row(?:delete|enter|exit|insert|s)|scroll|search|securitypolicy|seek|select|show|slotchange"
    r"|stalled|start|stop|storage|submit|suspend|syncrestored|time(?:error|out|update)|toggle|touch|trackchange"
    r"|transition|undo|unhandled|unload|urlflip|userprox|volumechange|waiting|webkit|wheel|zoom)[a-z]{0,20}+"
)
"""An event of HTML, of SVG or of what browsers once had: without a tag, ``on`` begins words of many languages."""
_RUN = (
    rf"(?:{_EVENT} ?+={_NOT_JSX}|on[a-z]{{3,24}}+ ?+= ?+[\"'`]?+(?:alert|confirm|prompt|eval|print|fetch|import)[(`])"
)
_SHOWS = r"(?:alert|confirm|prompt)"
"""What is called to see whether anything runs."""
_URI = r"(?:java|vb|live)script:(?!void\(0?\)(?:;?+[\"')> ]|;?+$)|;?[\"')>])"
_ELEMENT = (
    r"(?:a|svg|img|script|iframe|style|body|html|input|video|audio|object|embed|details|form|button|math|link|meta|base"
    r"|marquee|select|textarea|title|xss|div|table|h1|x)(?:[ />]|$)"
)
_TO_URI = (
    r"(?:href|src|srcset|srcdoc|action|data|to|from|values|by|background|poster|code|codebase|archive|cite|longdesc"
    r"|ping|manifest|profile|classid|usemap|icon|folder|url|uri|location|open|style)"
)
"""How the name of an attribute ends that holds a URI: titles and descriptions may well be about JavaScript."""
_CALLED = (
    r"(?:alert|confirm|prompt|print|eval|atob|fetch|import|settimeout|setinterval|document|window|location|self|top"
    r"|parent|frames|globalthis|this|function|string|constructor|require|new |throw|onerror|\$)"
)

XSS = Pack(
    "xss",
    (
        Signature(
            "xss-01",
            r"<(?:\w{1,16}+:)?script(?:[^\w.-]|$)|< ?/? ?script ?>|</ ?(?:\w{1,16}+:)?script(?:[^\w.-]|$)",
            "an element that is a script",
            where=_SENT,
        ),
        Signature("xss-02", rf"{_IN_TAG}(?:[ \"'`/]|[^ -~]){_HANDLER}", "a tag with an event handler", where=_SENT),
        Signature(
            "xss-03",
            rf"[\"'`] ?/? ?(?:[a-z-]{{1,20}}+(?:=[^ \"'`<>]{{0,40}}+)?+[ /]){{0,2}}{_RUN}",
            "an event handler after the end of an attribute",
            form=Form.HTML,
            where=_SENT,
        ),
        Signature(
            "xss-04",
            rf"^(?:[^ \"'`<>(){{}}]{{0,24}}[ /])?{_RUN}(?:(?<=[(`])|[^ (`\[;]{{0,60}}+[(`\[;])",
            "an event handler at the beginning of a value",
            form=Form.HTML,
            where=_SENT,
        ),
        Signature(
            "xss-05",
            rf"(?:{_TO_URI}=|url\(|\]\(|\]:|<)[\"'`(]{{0,2}}[^\w\"'`=<>(){{}}]{{0,6}}{_URI}",
            "a script as the URI of an attribute or of a link",
            form=Form.COMPACT,
            where=_SENT,
        ),
        Signature(
            "xss-06",
            rf"^[^\w]{{0,8}}{_URI}(?:[^ ]{{0,60}}?[(`=\[%\\{{]|/[/*]|[\"'`]|{_SHOWS}\b"
            rf"| ?{_SHOWS} ?[(`](?!\)))",
            "a script as a URI, at the beginning of a value",
            form=Form.HTML,
            where=_SENT,
        ),
        Signature(
            "xss-07",
            rf"(?:java|vb|live)script:[^a-z]{{0,16}}(?:{_SHOWS}[(`;&\\](?!\))|(?:eval|settimeout|fetch|import)\("
            r"|document\.(?:cookie|write|domain|location)|window[.\[]|top\[|self\[|location[.=(])",
            "a script as a URI that shows something or takes it away",
            form=Form.COMPACT,
            where=_SENT,
        ),
        Signature(
            "xss-08",
            r"(?:^|[\"'`=(<,;])data:(?:text/(?:html|xml|xsl|javascript|ecmascript|vbscript)"
            r"|application/(?:xhtml\+xml|xml|(?:x-)?javascript|ecmascript))(?:[,;]|$)"
            r"|<(?:object|embed|iframe|use|script|frame|a)[^<>]{1,80}[=\"']data:(?:image/svg|[,;])",
            "a document or a script as a data URI",
            form=Form.COMPACT,
            where=_SENT,
        ),
        Signature(
            "xss-09",
            rf"{_IN_TAG}[ \"'/](?:srcdoc|formaction|datasrc|datafld|dataformatas|fscommand|seeksegmenttime)\b ?=",
            "a tag with an attribute that holds a document or says where a form goes",
            where=_SENT,
        ),
        Signature(
            "xss-10",
            r"<(?:object|applet|embed|bgsound|layer|ilayer|portal|fencedframe|frame|isindex|xml"
            r"|\w{1,12}+:vmlframe)[ /][^<>]{0,160}\b(?:data|classid|codebase|code|archive|src|allowscriptaccess|type"
            r"|action) ?+=(?: ?+[^ ]|$)",
            "an element that loads what runs",
            where=_SENT,
        ),
        Signature(
            "xss-11",
            r"<base[ /][^<>]{0,80}(?:href|target) ?=|<link[ /][^<>]{0,80}rel ?+= ?+[\"']?+(?:import|prefetch|prerender"
            r"|modulepreload|manifest)|<link[ /][^<>]{0,30}rel ?+= ?+[\"']?+stylesheet[^<>]{0,50}href ?+= ?+[\"'`]?+"
            r"(?:[a-z]{2,12}+:)?+[/\\]{2}|<link[ /][^<>]{0,20}href ?+= ?+[\"'`]?+(?:[a-z]{2,12}+:)?+[/\\]{2}"
            r"[^<> \"'`]{0,160}+[^<>]{0,30}rel ?+= ?+[\"']?+stylesheet|<\?import |<\?xml-stylesheet [^<>]{0,80}"
            r"href ?+= ?+[\"']?+(?:https?:|//|data:)",
            "an element that changes where a document's parts come from",
            form=Form.HTML,
            where=_SENT,
        ),
        Signature(
            "xss-12",
            r"<meta[ /][^<>]{0,160}http-equiv ?= ?[\"'`]?(?:refresh|set-cookie|link|default-style"
            r"|access-control)|<meta[ /][^<>]{0,80}charset ?= ?[\"'`]?(?:x-|utf-?7|iso-2022)",
            "a document that takes a header's place",
            form=Form.HTML,
            where=_SENT,
        ),
        Signature(
            "xss-13",
            r"<(?:\w{1,16}+:)?(?:animate\w{0,16}+|set)[ /][^<>]{0,160}attributename ?+= ?+[\"']?+(?:xlink:)?"
            r"(?:href|on|innerhtml|src)|<use[ /][^<>]{0,80}href ?= ?[\"']?(?:data:|https?:|//)"
            r"|<handler[ />][^<>]{0,80}ev:|<(?:\w{1,16}+:)?(?:annotation-xml|mglyph|malignmark)[ />]",
            "an element of SVG or MathML that sets an attribute or changes the language",
            where=_SENT,
        ),
        Signature(
            "xss-14",
            r"= ?[\"'`][^\"'`<>]{0,40}<?/(?:style|noscript|title|textarea|xmp|iframe|template|noembed|noframes|script"
            r"|select|math|svg)>|<(?:noscript|xmp|noembed|noframes|listing|plaintext)[^<>]{0,40}> ?<",
            "an attribute that ends an element which holds no other, for a second parser to see it",
            where=_SENT,
        ),
        Signature(
            "xss-15",
            r"[:;{(\"'] ?e ?x ?p ?r ?e ?s ?s ?i ?o ?n\((?! |s\))|-moz-binding ?: ?url|[;\"'{=] ?behaviou?r ?: ?url ?\("
            r"|<style[^<>]{0,60}> ?@ ?import|-o-link ?: ?[\"']",
            "a style that runs a script",
            form=Form.SQL,
            where=_SENT,
        ),
        Signature(
            "xss-16",
            rf"\b{_SHOWS}(?:\?\.)?(?:\(|`)[ \"'`/(\[{{+!-]{{0,3}}(?:\d|xss|document(?:\.(?:cookie|domain|location"
            r"|url)\b|\[)|(?:window|self|top|parent|location)(?:\.origin|\[)|location[.)]|origin\b|domain\b|cookie\b"
            r"|string\.from|atob)",
            "a script that shows whether it runs",
            form=Form.HTML,
            where=_SENT,
        ),
        Signature(
            "xss-17",
            rf"^[^\"'`]{{0,80}}+[\"'`] ?[;+\-*/,)}}\]&|^?:<>=%~!][^\"'`]{{0,40}}\b{_SHOWS} ?[(`]",
            "the end of a string, and a script that shows something",
            form=Form.HTML,
            where=_SENT,
        ),
        Signature(
            "xss-18",
            rf"^[^\"'`]{{0,80}}+[\"'`] ?[;+\-*/,)}}\]&|^?:=%][^\w\"'`]{{0,10}}+{_CALLED}(?:[(`\[=]|\.(?! )|\?\."
            r"| ?[(=] ?[\"'`])",
            "the end of a string, and an expression of JavaScript",
            form=Form.HTML,
            where=_SENT,
        ),
        Signature(
            "xss-19",
            rf"^ ?\(?{_SHOWS}\)?(?:\?\.)?(?:`|\((?!s\)|\)(?! ?(?:;|//|$))|(?:message|msg|text|title|string"
            rf"|question)\b))|^ ?{_SHOWS} \( ?(?:[\"'`/]|\d{{1,9}} ?\) ?[;/*]|document\b|origin\b|location\b|xss)"
            rf"|\((?:\d{{1,4}},)?+{_SHOWS}\) ?[(`]|\breflect\.(?:apply|construct)\( ?{_SHOWS}\b|\b{_SHOWS}\.(?:call"
            rf"|apply|bind)\b|(?:find|findindex|map|every|some|filter|foreach|sort|from"
            rf"|flatmap)\((?:[^()]{{0,20}},)? ?{_SHOWS} ?\)|\bonerror ?[=:] ?(?:window\.)?(?:{_SHOWS}|eval)\b"
            rf"|\[{_SHOWS}\](?:\[\d\] ?[(`]|\.[a-z]{{3,12}}\()|[=,{{(] ?{_SHOWS} ?[,;}}] ?\w{{1,8}}\(",
            "a function that shows something, called in a roundabout way or by itself",
            form=Form.HTML,
            where=_SENT,
        ),
        Signature(
            "xss-20",
            r"\b(?:window|globalthis|document|frames) ?(?:\?\.)?\[ ?[\"'`/(a-z\\][^\]]{0,60}\] ?(?:\(|`|\[|\?\.\("
            r"|= ?[\"'`])|\b(?:self|top|parent|this|window)\[[^\]]{0,60}(?:[\"'`/] ?\+|tostring\(|\.source"
            r"|object\.keys|atob|\.join)|\b(?:top|parent|self|this)\[ ?[\"'`/][^\]]{1,24}[\"'`/] ?\] ?(?:\(|`)"
            r"|(?:(?<![\w.#-])(?:window|globalthis|document|frames|self|top|parent|this|location)"
            r"|\.document)\)? ?/\*[^*/]{0,40}+\*/ ?\)? ?[/.\[]"
            r"|\bdocument[\"'`]?+ ?+\]?+\)?+ ?+\[ ?+[\"'`](?:cookie|write|defaultview)[\"'`]",
            "a property of the window by its name, which may be put together",
            form=Form.HTML,
            where=_SENT,
        ),
        Signature(
            "xss-21",
            r"fromc(?:har|ode)(?:code|point)(?:\.apply)?\( ?(?:\d{1,4} ?,|null|0x)|\b(?:eval|settimeout|setinterval"
            r"|setimmediate|execscript|function) ?+(?:\.call|\.apply)?+\({1,2}+ ?+(?:atob|unescape|decodeuri"
            r"|location[.[)]|name\)|window\.name|document\.(?:location|url|cookie)|string\.|self\[|top\["
            r"|[\"'`][^\"'`]{0,60}+[\"'`] ?+(?:\+ ?+[\"'`]|\.(?:replace|split|concat|tolower|slice|substr)))",
            "a script that is put together before it runs",
            form=Form.HTML,
            where=_SENT,
        ),
        Signature(
            "xss-22",
            r"constructor ?[.\[]{1,3} ?[\"'`]?constructor|\.constructor(?:\.prototype)?\( ?[\"'`][^\"'`]{0,200}[(`]"
            r"|[\"'`]constructor[\"'`] ?\] ?[(\[]|(?<![`:])\bfunction`[^ `]{1,40}+[`\\(${]"
            r"|\bfunction\([\"'`][^\"'`]{0,80}[\"'`]\) ?[(`]|\.constructor`",
            "a function made of a string",
            form=Form.HTML,
            where=_SENT,
        ),
        Signature(
            "xss-23",
            r"\{\{(?:[^{}]{0,60}+\{)?+[^{}]{0,160}(?:\bconstructor ?+[.(\[`\"'=]|\.constructor\b|\$(?:eval|on|watch"
            r"|apply|emit) ?[.(\[]|\$(?:parent|root|event)\.(?:\$|constructor|view\b|path\b|target\b|composedpath)"
            rf"|__proto__|\.charat\b|\b{_SHOWS}[(`]|\.fromcharcode|_openblock|\bcall\(|\.tostring\(\)\.)"
            r"|\[\[[^\[\]]{0,80}constructor[.(]",
            "an expression of AngularJS or Vue that leaves its sandbox",
            form=Form.HTML,
            where=_SENT,
        ),
        Signature(
            "xss-24",
            rf"<[^<>]{{0,120}}[ \"'](?:ng-|v-|x-|@|:|hx-|data-ng-)[a-z:.@-]{{2,20}}+ ?+= ?+[\"'`]?+[^<>]{{0,3}}"
            rf"(?:{_SHOWS}[(`]|\$?eval\(|constructor|\$event|\$on\b|_openblock|window\.|document\.)",
            "an attribute of a framework that runs a script",
            form=Form.HTML,
            where=_SENT,
        ),
        Signature(
            "xss-25",
            r"!\[\] ?\+ ?(?:\[\]|\"|')|!\[\] \[\]|\[\] ?\[ ?\(|\( ?!!?\[\] ?\+|\+ ?!!?\[\] ?[+)\]]|= ?~ ?\[\] ?;"
            r"|\[ ?\+ ?\[\] ?\]|\)\['_'\]|\[\+!\+?\[\]",
            "JavaScript without letters",
            where=_SENT,
        ),
        Signature(
            "xss-26",
            r"\\u(?:00[46][1-9a-f]|00[57][0-9a]|\{0{0,8}+[4-7][0-9a-f]\})(?:[a-z]{1,12}"
            r"|[a-z]{0,8}\\u[{0][0-9a-f{}\\a-z]{4,48}) ?[(`.=\[]|(?:\\x[67][0-9a-f]){4}|(?:\\1[4-7][0-7]){4}"
            r"|\b(?:self|window|top|parent|this|document|frames|globalthis) ?\[ ?[\"'`][\w$]{0,24}+\\[xu0-7]",
            "letters of a script as escapes",
            form=Form.AS_IS,
            where=_SENT,
        ),
        Signature(
            "xss-27",
            r"\+adw-[\w/!?+]|\+adi-[ a-z+]|\+ad4-|^\+/v[89+/]-?|[^ -~]4?script3?[^ -~]4?[^ ]{0,8}alert|\+acia[bp]g",
            "tags in UTF-7 or in seven bits",
            form=Form.AS_IS,
            where=_SENT,
        ),
        Signature(
            "xss-28",
            r"<!\[cdata\[ ?<? ?\]\]>|<!\[cdata\[[^\]<]{0,40}+< ?+(?:script|(?:img|svg|iframe|body"
            r"|a )[^<>\]]{0,80}+\]\])|\]\]> ?<(?:script|img|svg|iframe|body)\b",
            "a tag hidden in a section of character data",
            where=_SENT,
        ),
        Signature(
            "xss-29",
            r"xmlns:(?!(?:xhtml|html?|h|svg)[ =])\w{1,16}+ ?+= ?+[\"']?+(?:https?://www\.w3\.org/(?:1999/(?:xhtml"
            r"|xsl/transform)|2001/xml-events|tr/wd-xsl|2000/svg)|urn:schemas-microsoft-com:(?:time|xslt)"
            r"|https?://(?:php\.net/xsl|xml\.apache\.org/xalan|saxon\.sf\.net|icl\.com/saxon|exslt\.org))"
            r"|<(?:ms)?xs[l]t?:(?:script|eval)\b|xsl:vendor|php:function|<(?:html|xml|div|span"
            r"|t)[ :][^<>]{0,60}implementation ?=",
            "a namespace or a style sheet in which elements run",
            where=_SENT,
        ),
        Signature(
            "xss-30",
            rf"^[^<]{{0,99}}[\"'`](?:/?+>[^<>]{{0,24}}+<[a-z/!?][a-z\d/> -]| /?+>[^<>]{{0,24}}+<{_ELEMENT})"
            r"|^[^<]{0,60}+</(?:title|textarea|style|noscript|xmp|iframe|template|select|option|svg|math|head|body|html"
            r"|label|button|object|video|audio|form|noembed)(?: [^<>]{0,40}+)?+/?>[^\w<]{0,12}+<[a-z!?/]"
            rf"|^[^<]{{0,40}}-->[^\w<>]{{0,12}}+<(?:!|/|\?|{_ELEMENT})",
            "the end of an attribute, an element or a comment that the value did not begin",
            where=_SENT,
        ),
        Signature(
            "xss-31",
            r"(?:&#0{0,8}60;?|&#x0{0,8}3c;?|%3c|\\0?74|\\u\{0{0,6}3c\}|^[^<\w&]{0,12}+&lt;?) ?/?(?:script|img|svg"
            r"|iframe|body|object|embed|video|audio|input|details|marquee|a href|style|meta|math)(?![\w.])",
            "a tag whose bracket is an entity, as no editor writes it",
            where=Part.TOLD,
        ),
        Signature(
            "xss-32",
            r"(?:[+?&=,(/]|\$\{) ?(?:escape|encodeuri(?:component)?|btoa|string|json\.stringify)?\(? ?(?:window\.)?"
            r"document\.cookie|[+?&] ?(?:local|session)storage\b|\bdocument\.(?:location|cookie) ?= ?[\"'`]"
            r"(?:javascript|https?:|//|data:)|^ ?(?:(?:top|window|self|parent|document)\.)?location"
            r"(?:\.href)? ?= ?[\"'`](?:javascript:|//)|new image\(?\)?[;.][^;]{0,20}src ?= ?[\"'`]?(?:https?:)?//"
            r"|\.getscript\( ?[\"'`]|\bimport ?\( ?[\"'`](?:data:|//|https?:)|sendbeacon\( ?[\"'`](?:https?:)?//",
            "a script that takes away what the browser keeps, or loads another",
            form=Form.HTML,
            where=_SENT,
        ),
        Signature(
            "xss-33",
            r"[\"'`]&\{ ?[a-z]{1,24}\(|\$\{ ?(?:(?:alert|confirm|prompt|eval)[(`.]|document\.|window[.\[]|fetch\("
            r"|location\b|settimeout)|&\{ ?alert|`\$\{[^}]{0,20}\(\)\}`",
            "a script in a template literal or in an entity of Netscape",
            form=Form.HTML,
            where=_SENT,
        ),
        Signature(
            "xss-34",
            r"<(?:iframe|frameset|svg|math|style|form|link|template|marquee|button|input|textarea|select|details"
            r"|dialog|keygen|xss|body|html|head|title|video|audio|source|image|noscript|meta|object|embed|applet"
            r"|base|portal|foreignobject)(?:[ />\"'`]|$)",
            "an element that rich text does without",
            where=Part.TOLD | Part.PATH | Part.REFERER,
            paranoia=2,
        ),
        Signature(
            "xss-35",
            r"\bdocument ?\. ?(?:cookie|write(?:ln)?|domain|location|body|documentelement|url|referrer"
            r"|createelement)\b|\.(?:innerhtml|outerhtml|insertadjacenthtml|srcdoc)\b|\bwindow\.(?:location|open"
            r"|name)\b|localstorage\b|\blocation(?:\.href)? ?= ?[\"'`]|\.parentnode\b|\beval ?\(|\bnew function\b"
            r"|settimeout ?\( ?[\"'`]",
            "a script that reads or writes the document",
            form=Form.HTML,
            where=Part.TOLD,
            severity=Severity.ERROR,
            paranoia=2,
        ),
        Signature(
            "xss-36",
            r"<[^<>]{0,80}[ \"'](?:v-[a-z]{2,8}|ng-[a-z]{2,12}|x-(?:data|init|on|html|bind)|@[a-z]{3,12}|data-bind"
            r"|hx-on|is) ?[:.=]|<!\[cdata\[|<!(?:doctype|entity|element|attlist)\b",
            "an attribute that a framework of the page may run, or a declaration",
            form=Form.HTML,
            where=Part.TOLD,
            paranoia=2,
        ),
        Signature(
            "xss-37",
            r"(?:\\x[0-9a-f]{2}){5}|(?:\\u\{?+[0-9a-f]{4}\}?+){5}|(?:&#x?+[0-9a-f]{2,7}+;?+){5}|(?:\\[0-7]{3}){5}",
            "a run of escapes or of entities",
            form=Form.AS_IS,
            where=Part.TOLD,
            severity=Severity.WARNING,
            paranoia=2,
        ),
        Signature(
            "xss-38",
            r"<[a-z][a-z\d:-]{0,24}[ />]|</[a-z]",
            "a tag",
            where=Part.TOLD | Part.PATH,
            severity=Severity.ERROR,
            paranoia=3,
        ),
        Signature(
            "xss-39",
            r"\b(?:on[a-z]{4,16}|style|src|href) ?= ?[^ ]|(?:java|vb)script ?:|\b[a-z]{2,16}\(\)",
            "what looks like an attribute, a script or a call",
            form=Form.HTML,
            where=Part.TOLD,
            severity=Severity.ERROR,
            paranoia=3,
        ),
        Signature(
            "xss-40",
            r"[<>]|[\"'`][^\w ]|[^\w ][\"'`]",
            "a bracket, or a quotation mark beside a sign",
            where=Part.TOLD,
            severity=Severity.WARNING,
            paranoia=4,
        ),
    ),
)
