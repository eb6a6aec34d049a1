"""Forms and panels for notebooks; they need ``pip install "crmlab[notebook]"``."""

try:
    import anywidget as anywidget  # and with it ipywidgets
except ImportError:
    raise ImportError('crmlab.login() and crmlab.explore() need anywidget: pip install "crmlab[notebook]"') from None

from crmlab.widgets.explore import Explorer, explore
from crmlab.widgets.login import LoginForm, login

__all__ = ["Explorer", "LoginForm", "explore", "login"]
