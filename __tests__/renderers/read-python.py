"""Runs on a test server: reads what was rendered for Python and says what is in it, as JSON.

Standard input: JSON with literals [text], entries [[entry module, variable]]. An entry module is run with a module `wsgi`
whose `make` gives back its arguments; what it was called with is the answer.
"""

import ast
import json
import sys
import types

given = json.load(sys.stdin)
calls = []


def make(*arguments, **named):
    calls.append([repr(arguments), repr(named)])
    return lambda environ, start_response: []


wsgi = types.ModuleType("wsgi")
wsgi.make = make
sys.modules["wsgi"] = wsgi
# Not installed here.
sys.modules["werkzeug"] = None


def called(entry, expression):
    """What the entry module called, and what Python itself makes of the expression; or how either of them failed."""
    del calls[:]
    try:
        exec(compile(entry, "entry", "exec"), {})
        by_entry = calls[:]
    except Exception as error:
        by_entry = type(error).__name__
    del calls[:]
    try:
        eval(expression, {"make": make})
        by_python = calls[:]
    except Exception as error:
        by_python = type(error).__name__
    return [repr(by_entry), repr(by_python)]


json.dump(
    {
        "literals": [ast.literal_eval(text) for text in given["literals"]],
        "entries": [called(*one) for one in given["entries"]],
    },
    sys.stdout,
)
