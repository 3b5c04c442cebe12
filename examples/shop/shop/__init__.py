"""A small shop: visitors order, and a worker packs what they ordered."""

import os

from flask import Flask
from flask_migrate import Migrate
from redis import Redis
from rq import Queue

from . import pages
from .models import db


def create_app():
    app = Flask(__name__)
    # Both are set on the server by `services`, and nowhere else.
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
    app.extensions["queue"] = Queue(connection=Redis.from_url(os.environ["REDIS_URL"]))
    db.init_app(app)
    Migrate(app, db)
    app.register_blueprint(pages.blueprint)
    return app
