"""A bundle: one folder that carries a whole release across a gap."""

from atoll.ops.bundle.create import Bundle, BundleRefused, create, sign

__all__ = ["Bundle", "BundleRefused", "create", "sign"]
