"""The audit: every printed number held against the others.

Read from the bottom: ``interval`` (what a printed figure may stand for), ``evidence`` (figures by what they are of),
``finding`` (what an audit says), ``grim``, ``levels`` and ``identities`` (relations from the cards), ``verdicts``
(claims of the prose), ``columns``, ``slips``, ``copies``, ``jumps`` and ``forensics`` (slips that nobody declared),
``repair`` (what would mend them), ``run`` (all of it, each contradiction told once).
"""
