"""Answers as files of Python that the user keeps, along one axis of a network."""
