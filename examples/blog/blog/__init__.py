"""A small blog: anybody reads, the author writes."""

import os

from flask import Flask
from flask_migrate import Migrate

from . import pages
from .models import db


def create_app():
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=secret("SECRET_KEY"),
        AUTHOR_PASSWORD=secret("AUTHOR_PASSWORD"),
        # In instance/, which Flask-SQLAlchemy makes where it is missing.
        SQLALCHEMY_DATABASE_URI="sqlite:///blog.db",
        # A form on another site must not post here in the author's name.
        SESSION_COOKIE_SAMESITE="Lax",
    )
    db.init_app(app)
    Migrate(app, db)
    app.register_blueprint(pages.blueprint)
    return app


def secret(name):
    """A variable without which, or with an empty one, the blog would let anybody write."""
    value = os.environ.get(name)
    if not value:
        raise RuntimeError(f"The environment variable {name} is not set.")
    return value
