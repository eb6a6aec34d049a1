"""The command line: what a notebook does, without one."""

from crmlab.cli.main import main

__all__ = ["main"]
