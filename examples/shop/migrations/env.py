"""Leads Alembic to the app's database; `flask db` runs this."""

from logging.config import fileConfig

from alembic import context
from flask import current_app

fileConfig(context.config.config_file_name, disable_existing_loggers=False)
migrate = current_app.extensions["migrate"]
db = migrate.db

with db.engine.connect() as connection:
    context.configure(connection=connection, target_metadata=db.metadata, **migrate.configure_args)
    with context.begin_transaction():
        context.run_migrations()
