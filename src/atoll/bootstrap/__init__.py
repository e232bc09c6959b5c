"""The composition root: settings in, wired ports out. Nothing else knows which adapter stands behind a port."""
