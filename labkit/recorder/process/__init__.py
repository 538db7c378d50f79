"""Recorded processes: what starts them, what runs in them, what they hand over, and what is made of it."""
