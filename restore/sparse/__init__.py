"""Sparse families (tortured papers): a few wrong terms among clean prose, each found and weighed by itself.

tables.py    what a family's folder holds: listed phrases, substitutions of words, terms
segments.py  what a word or phrase may stand for by these
model.py     which words follow each other in terms
walks.py     compositions that are known terms
runs.py      compositions that no list has, around words that are telling by themselves
places.py    what a stretch of text weighs, and what all of a text's weigh together
terms.py     the matcher: places of a text
"""
