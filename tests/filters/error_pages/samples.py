"""What frameworks answer with where debugging was left on, shortened, and what looks like it."""

from __future__ import annotations

HTML, TEXT, JSON = "text/html; charset=utf-8", "text/plain; charset=utf-8", "application/json"

PAGES: dict[str, tuple[bytes, str]] = {
    "python": (
        b"Traceback (most recent call last):\n"
        b'  File "/srv/shop/views.py", line 31, in checkout\n'
        b"    total = cart.total / count\n"
        b"ZeroDivisionError: division by zero\n",
        TEXT,
    ),
    "django": (
        b"<!DOCTYPE html>\n"
        b'<html lang="en">\n'
        b"<head>\n"
        b"<title>ValueError\n"
        b"          at /pay</title></head>\n"
        b'<body><h1>ValueError<span> at /pay</span></h1><table class="meta"><tr><th>Django '
        b"Version:</th><td>5.2.1</td></tr><tr><th>Exception "
        b"Type:</th><td>ValueError</td></tr><tr><th>Python "
        b"Executable:</th><td>/usr/bin/python3</td></tr><tr><th>Exception Location:</th>\n"
        b'<td><span class="fname">/srv/shop/views.py</span>, line 31, in pay</td></tr></table>\n'
        b'<div id="explanation"><p>You&#x27;re seeing this error because you have <code>DEBUG = '
        b"True</code> in your Django settings file.</p></div></body></html>",
        HTML,
    ),
    "django-404": (
        b"<!DOCTYPE html>\n"
        b'<html><head><title>Page not found at /x</title></head><body><div id="info"><p>Using the '
        b"URLconf defined in <code>shop.urls</code>, Django tried these URL patterns, in this "
        b"order:</p><ol><li><code>admin/</code></li></ol></div><p>You\xe2\x80\x99re seeing this error "
        b"because you have <code>DEBUG = True</code> in your Django settings file.</p></body></html>",
        HTML,
    ),
    "werkzeug": (
        b"<!doctype html>\n"
        b"<html lang=en>\n"
        b"<head>\n"
        b"<title>KeyError: &#39;x&#39;\n"
        b" // Werkzeug Debugger</title>\n"
        b"<script>var CONSOLE_MODE = false, EVALEX = true, EVALEX_TRUSTED = false, SECRET = "
        b'"E7Ulk2ADcx";</script></head><body><div class="debugger"><h1>KeyError</h1>\n'
        b'<h2 class="traceback">Traceback <em>(most recent call last)</em></h2></div></body></html>',
        HTML,
    ),
    "symfony": (
        b"<!-- Uncaught PHP Exception (500 Internal Server Error) -->\n"
        b"<!DOCTYPE html><html><head><title>Oops</title></head><body><div "
        b'class="exception-summary"><h1 class="break-long-words '
        b'exception-message">oops</h1><h2>Symfony Exception</h2></div><div class="trace '
        b'trace-as-html"><span>in <span>/var/www/src/Controller/ShopController.php</span> (line '
        b"17)</span></div></body></html>",
        HTML,
    ),
    "laravel": (
        b"<!doctype html><html><head><title>\xf0\x9f\xa7\xa8 Undefined variable "
        b'$x</title></head><body><script>window.data = {"report":{"notifier":"Laravel '
        b'Client","language":"PHP","framework_version":"10.48.4","exception_class":"ErrorException",'
        b'"stacktrace":[{"file":"/var/www/app/Http/Controllers/Shop.php"}]}};</script>'
        b"<script>window.ignite(window.data)</script></body></html>",
        HTML,
    ),
    "whoops": (
        b"<!DOCTYPE html><!--\n"
        b"\n"
        b"ErrorException: Undefined index in file /var/www/index.php on line 9\n"
        b"Stack trace:\n"
        b"  1. ErrorException-&gt;() /var/www/index.php:9\n"
        b'--><html><head><title>Whoops! There was an error.</title></head><body><div class="Whoops '
        b'container"></div></body></html>',
        HTML,
    ),
    "rails": (
        b"<!DOCTYPE html>\n"
        b'<html lang="en">\n'
        b"<head>\n"
        b"<title>Action Controller: Exception caught</title></head>\n"
        b"<body><header><h1>ActiveRecord::RecordNotFound in "
        b"PostsController#show</h1></header><p><code>Rails.root: /srv/shop</code></p><div "
        b'id="Application-Trace"><a>app/controllers/posts_controller.rb:67:in `set_post&#39;</a></div>',
        HTML,
    ),
    "asp.net": (
        b"<html>\r\n"
        b"<head><title>Object reference not set to an instance of an object.</title></head>\r\n"
        b"<body><span><H1>Server Error in '/' Application.<hr width=100% size=1></H1>\r\n"
        b"<h2><i>Object reference not set</i></h2></span>\r\n"
        b"<b>Stack Trace:</b> <br><pre>\r\n"
        b"[NullReferenceException: Object reference not set to an instance of an object.]\r\n"
        b"   Shop._Default.Page_Load(Object sender, EventArgs e) in c:\\inetpub\\Default.aspx.cs:20\r\n"
        b"</pre><b>Version Information:</b>&nbsp;Microsoft .NET Framework Version:4.0.30319; "
        b"ASP.NET Version:4.8.4",
        HTML,
    ),
    "asp.net-core": (
        b"<!DOCTYPE html><html><head><title>Internal Server Error</title></head><body><h1>An "
        b"unhandled exception occurred while processing the request.</h1><div "
        b'class="titleerror">InvalidOperationException: no</div><p>Shop.Pages.IndexModel.OnGet() in '
        b"<code>Index.cshtml.cs</code></p><pre>System.InvalidOperationException: no\n"
        b"   at Shop.Pages.IndexModel.OnGet() in /src/Shop/Pages/Index.cshtml.cs:line 17\n"
        b"</pre></body></html>",
        HTML,
    ),
    "express": (
        b"<!DOCTYPE html>\n"
        b'<html lang="en">\n'
        b"<head>\n"
        b'<meta charset="utf-8">\n'
        b"<title>Error</title>\n"
        b"</head>\n"
        b"<body>\n"
        b"<pre>Error: boom<br> &nbsp; &nbsp;at /srv/shop/app.js:2:24<br> &nbsp; &nbsp;at "
        b"Layer.handleRequest (/srv/shop/node_modules/router/lib/layer.js:169:33)<br> &nbsp; "
        b"&nbsp;at next (/srv/shop/node_modules/router/lib/route.js:116:16)</pre>\n"
        b"</body>\n"
        b"</html>\n",
        HTML,
    ),
    "node-json": (
        b'{"error":"boom","stack":"Error: boom\\n    at /srv/shop/app.js:3:35\\n    at '
        b"Layer.handleRequest (/srv/shop/node_modules/router/lib/layer.js:169:33)\\n    at next "
        b'(/srv/shop/node_modules/router/lib/route.js:116:16)"}',
        JSON,
    ),
    "spring": (
        b"<html><body><h1>Whitelabel Error Page</h1><p>This application has no explicit mapping for "
        b"/error, so you are seeing this as a fallback.</p><div id='created'>Sat Nov 28 12:00:00 "
        b"UTC 2026</div><div>There was an unexpected error (type=Internal Server Error, "
        b"status=500).</div><div style='white-space:pre-wrap;'>java.lang.RuntimeException: boom\n"
        b"\tat com.shop.Pay.run(Pay.java:12)\n"
        b"</div></body></html>",
        HTML,
    ),
    "spring-json": (
        b'{"timestamp":"2026-11-28T12:00:00.000+00:00","status":500,"error":"Internal Server '
        b'Error","trace":"java.lang.IllegalStateException: boom\\n\\tat '
        b"com.shop.Pay.run(Pay.java:12)\\n\\tat "
        b"java.base/jdk.internal.reflect.DirectMethodHandleAccessor.invoke(DirectMethodHandleAccesso"
        b'r.java:103)\\n","path":"/pay"}',
        JSON,
    ),
    "tomcat": (
        b'<!doctype html><html lang="en"><head><title>HTTP Status 500 \xe2\x80\x93 Internal Server '
        b"Error</title></head><body><h1>HTTP Status 500 \xe2\x80\x93 Internal Server Error</h1><hr "
        b'class="line" /><p><b>Type</b> Exception '
        b"Report</p><p><b>Exception</b></p><pre>java.lang.NullPointerException\n"
        b"\tcom.shop.Pay.doGet(Pay.java:14)\n"
        b"\tjavax.servlet.http.HttpServlet.service(HttpServlet.java:529)\n"
        b"</pre><hr /><h3>Apache Tomcat/9.0.80</h3></body></html>",
        HTML,
    ),
    "php": (
        b"<br />\n"
        b"<b>Fatal error</b>:  Uncaught Exception: boom in /var/www/shop/x.php:2\n"
        b"Stack trace:\n"
        b"#0 /var/www/shop/x.php(3): f()\n"
        b"#1 {main}\n"
        b"  thrown in <b>/var/www/shop/x.php</b> on line <b>2</b><br />\n",
        HTML,
    ),
    "php-text": (
        b"PHP Fatal error:  Uncaught Exception: boom in /var/www/shop/x.php:2\n"
        b"Stack trace:\n"
        b"#0 {main}\n"
        b"  thrown in /var/www/shop/x.php on line 2\n",
        TEXT,
    ),
    "go": (
        b"panic: runtime error: index out of range [5] with length 3\n"
        b"\n"
        b"goroutine 1 [running]:\n"
        b"main.main()\n"
        b"\t/srv/shop/main.go:8 +0x1d\n"
        b"exit status 2\n",
        TEXT,
    ),
    "rust": (
        b"thread 'main' panicked at src/main.rs:4:5:\n"
        b"index out of bounds: the len is 1 but the index is 5\n"
        b"note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
        TEXT,
    ),
}

PLAIN: dict[str, tuple[bytes, str]] = {
    "a blog": (
        b"<h1>How to read a traceback</h1><p>It begins with the words that the most recent call is "
        b"last.</p><pre><code>Traceback (most recent call last):\n"
        b'  File "x.py", line 1, in &lt;module&gt;\n'
        b"</code></pre><p>Now you know.",
        HTML,
    ),
    "a shop": (
        b"<h1>Panic at the checkout</h1><p>Whoops! Your cart is empty. Error: no items. See line 5, in red.",
        HTML,
    ),
    "an API": (
        b'{"status":500,"error":"Internal Server Error","path":"/pay","trace":"00-4bf92f3577b34da6-01"}',
        JSON,
    ),
    "a forum": (
        b"<p>My thread 'main' is about Django, Rails, Express and Spring; PHP has fatal errors, too.</p>",
        HTML,
    ),
    "a script": (
        b"try{f()}catch(e){console.error('Error: '+e.message, e.stack)}",
        "text/javascript",
    ),
    "nothing": (
        b"",
        TEXT,
    ),
}
