from functools import wraps
from hmac import compare_digest

from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for

from .models import Post, db

blueprint = Blueprint("pages", __name__)


def for_author(view):
    """Lets only the author in; others are asked for the password."""

    @wraps(view)
    def guarded(*args, **kwargs):
        if not session.get("author"):
            return redirect(url_for("pages.sign_in"))
        return view(*args, **kwargs)

    return guarded


@blueprint.get("/")
def index():
    posts = db.session.scalars(db.select(Post).order_by(Post.written.desc()).limit(20))
    return render_template("index.html", posts=posts)


@blueprint.get("/posts/<int:number>")
def post(number):
    return render_template("post.html", post=db.get_or_404(Post, number))


@blueprint.route("/write", methods=["GET", "POST"])
@for_author
def write():
    if request.method == "GET":
        return render_template("write.html")
    title, text = (request.form.get(name, "").strip() for name in ("title", "text"))
    if not title or not text or len(title) > 120:
        flash("A post needs a text, and a title of at most 120 letters.")
        return render_template("write.html", title=title, text=text), 400
    written = Post(title=title, text=text)
    db.session.add(written)
    db.session.commit()
    return redirect(url_for("pages.post", number=written.id))


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in():
    if request.method == "POST":
        given, right = request.form.get("password", ""), current_app.config["AUTHOR_PASSWORD"]
        if compare_digest(given.encode(), right.encode()):
            session.clear()
            session["author"] = True
            return redirect(url_for("pages.write"))
        flash("That is not the password.")
    return render_template("sign-in.html")


@blueprint.post("/sign-out")
def sign_out():
    session.clear()
    return redirect(url_for("pages.index"))
