"""Model weights on disk: which files may be there, what they must hash to, and what is worth bringing.

Standard library only: a model server asks this package before it loads anything.
"""

from __future__ import annotations

from atoll.ops.models.faults import Fault, Kind, ModelRefused
from atoll.ops.models.lock import LockedModel, Role
from atoll.ops.models.verify import check_folder, verify

__all__ = ["Fault", "Kind", "LockedModel", "ModelRefused", "Role", "check_folder", "verify"]
