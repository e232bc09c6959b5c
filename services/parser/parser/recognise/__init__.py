"""Reads the writing in pictures: scanned pages, photographs of them."""
