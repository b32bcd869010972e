"""The audit: every printed number held against the others.

Read from the bottom: ``interval`` (what a printed figure may stand for), ``evidence`` (figures by what they are
of), ``finding`` (what an audit says), ``identities`` (rules from the cards), ``verdicts`` (claims of the prose),
``forensics`` (slips that nobody declared), ``repair`` (what would mend them), ``report`` (all of it, in order).
"""
