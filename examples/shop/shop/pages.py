from flask import Blueprint, current_app, redirect, render_template, request, url_for

from .models import Order, db
from .tasks import pack

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def index():
    orders = db.session.scalars(db.select(Order).order_by(Order.id.desc()).limit(20))
    return render_template("index.html", orders=orders)


@blueprint.post("/orders")
def order():
    thing = request.form.get("thing", "").strip()
    if not thing or len(thing) > 120:
        return "An order needs a name of at most 120 letters.", 400
    made = Order(thing=thing)
    db.session.add(made)
    # Before the worker is told: it may be faster than this request.
    db.session.commit()
    current_app.extensions["queue"].enqueue(pack, made.id)
    return redirect(url_for("pages.index"))
