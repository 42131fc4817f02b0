"""Learning what restore ships: lexicons from parallel text, context models from plain text.

Of the rest of the package only `restore lexicon learn` and `suggest` import it; restoring needs none of it.
"""
