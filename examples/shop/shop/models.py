from datetime import datetime, timezone

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(model_class=Base)


def now():
    return datetime.now(timezone.utc)


class Order(db.Model):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    thing: Mapped[str] = mapped_column(db.String(120))
    ordered: Mapped[datetime] = mapped_column(db.DateTime(timezone=True), default=now)
    packed: Mapped[datetime | None] = mapped_column(db.DateTime(timezone=True))
