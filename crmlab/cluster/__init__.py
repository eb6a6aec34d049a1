"""Many machines: each account is a task of Dask's, and the limit of its vendor holds over all of them."""

from __future__ import annotations

from crmlab.cluster.connection import Cluster
from crmlab.cluster.local import ACCOUNTS, local_cluster
from crmlab.cluster.run import Outcomes, each_account
from crmlab.cluster.worker import Task

__all__ = ["ACCOUNTS", "Cluster", "Outcomes", "Task", "each_account", "local_cluster"]
