"""The smallest Flask app that is worth deploying: one file."""

from flask import Flask, render_template_string

app = Flask(__name__)

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hello</title>
<style>
  body { font: 1.25rem/1.6 system-ui, sans-serif; display: grid; place-content: center; min-height: 90vh; margin: 0 1rem }
</style>
<h1>Hello, {{ name }}!</h1>
<p>Flask says this at <code>{{ request.url }}</code>.</p>
</html>
"""


@app.get("/")
@app.get("/hello/<name>")
def hello(name="World"):
    return render_template_string(PAGE, name=name)
