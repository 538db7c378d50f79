"""The course: the story told as a tour, and what a machine needs for it."""
