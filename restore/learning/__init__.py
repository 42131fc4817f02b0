"""Learning what restore ships: lexicons from parallel text, context models from plain text.

Nothing outside this package imports it; restoring needs none of it.
"""
