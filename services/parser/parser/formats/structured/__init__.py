"""Structured data: JSON, lines of JSON, XML."""
