"""What the worker does, in a process of its own."""

from .models import Order, db, now


def pack(number):
    from . import create_app

    with create_app().app_context():
        order = db.session.get_one(Order, number)
        order.packed = now()
        db.session.commit()
