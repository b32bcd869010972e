"""Composite indices: from values to scores, with their uncertainty, explained.

``build`` makes an index of a spec and its values; ``simulate`` draws what is uncertain; ``explain`` says why.
"""
