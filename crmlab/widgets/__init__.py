"""Forms for notebooks; they need ``pip install "crmlab[notebook]"``."""

from crmlab.widgets.login import LoginForm, login

__all__ = ["LoginForm", "login"]
