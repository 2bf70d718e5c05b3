# SPDX-License-Identifier: ISC
"""BIND and Knot as judges of lib/dns: header, response code and answer section of each answer.

They fill authority and additional sections in ways of their own; what these must hold is compared with
NSD, and proofs are validated. Each rule below is a difference that is meant, with its row in the table
of docs/dns.md; a rule gets the query, both parsed answers and the zones' names, and says yes or no.
"""

import random
import re

import dns.name

import differential

CNAME, RRSIG, NSEC, DNAME = 5, 46, 47, 39
TC = 2


def zone_of(name, zones):
    """The longest of the zones' names at or above `name`."""
    labels = dns.name.from_text(name).labels
    for i in range(len(labels)):
        above = dns.name.Name(labels[i:]).to_text(omit_final_dot=True)
        if above in zones:
            return above
    return None


def targets(section):
    return [(r[0], dns.name.from_wire(r[3], 0)[0].to_text()) for r in section if r[1] == CNAME]


def stops_at_zone_end(query, ours, theirs, zones):
    """RFC 1034 section 4.3.2 step 3a: an alias is followed by going back to step 1, which finds any zone of
    the server. BIND and Knot stay in the zone of the question."""
    leaves = any(zone_of(o, zones) != zone_of(t, zones) for o, t in targets(theirs["answer"]))
    return leaves and theirs["rcode"] == 0 and (ours["truncated"] or ours["answer"] >= theirs["answer"])


def other_class(query, ours, theirs, zones):
    """RFC 1035 section 3.2.4: only IN is served; the three refuse the others in three ways."""
    return query.kind.startswith("class ")


def meta_type(query, ours, theirs, zones):
    """RFC 6895 section 3.1: nobody has data of a meta type; here that is NODATA, as in NSD."""
    return re.match(r"type (0|41|128|249|25\d)$", query.kind)


def truncation(query, ours, theirs, zones):
    """RFC 2181 section 9: TC depends on what is sent and how names are compressed. One of the two says TC,
    and the other has sent more than that one could, or less."""
    if ours["flags"] ^ theirs["flags"] != TC or ours["rcode"] not in (theirs["rcode"], 3, 6):
        return False
    whole = theirs if ours["truncated"] else ours
    close = whole["size"] > differential.limit(query) - 128
    return close or DNAME in {r[1] for r in ours["answer"]}


def glue_sets_tc(query, ours, theirs, zones):
    """RFC 9471 section 3: TC when glue does not fit. BIND 9.18 leaves it out in silence."""
    return ours["flags"] == theirs["flags"] | TC and "glue" in query.kind.lower()


def alias_loop(query, ours, theirs, zones):
    """RFC 1034 section 3.6.2: a loop is the resolver's to signal; BIND answers SERVFAIL."""
    return theirs["rcode"] == 2 and re.search(r"loop|self", query.kind.lower())


def type_beside_alias(query, ours, theirs, zones):
    """RFC 4034 section 3, 4: RRSIG and NSEC may stand beside a CNAME, so BIND and Knot do not follow it for
    these types even where they are not there; NSD and we do."""
    return " RRSIG" in query.kind or " NSEC" in query.kind


def long_alias(query, ours, theirs, zones):
    """RFC 6672 section 2.2: YXDOMAIN when the name gets too long. Knot follows the name cut short."""
    return ours["rcode"] == 6


def small_size(query, ours, theirs, zones):
    """RFC 6891 section 6.2.3: a size below 512 means 512. Knot takes sizes below its own least for an error."""
    return re.match(r"EDNS size \d{1,3}$", query.kind) and theirs["rcode"] == 1


def root_opt(query, ours, theirs, zones):
    """RFC 6891 section 6.1.2: the name of an OPT record is the root; Knot does not look."""
    return query.kind == "OPT with a name"


def octets_behind(query, ours, theirs, zones):
    """RFC 1035 says nothing of octets behind the last record; Knot takes them for an error."""
    return query.kind == "octets behind the question" and theirs["rcode"] == 1


def any_below_dname(query, ours, theirs, zones):
    """RFC 1034 section 3.6.2: ANY matches a CNAME; Knot follows the one it makes of a DNAME."""
    return query.any_set and (ours["rcode"], theirs["rcode"]) == (0, 3) and DNAME in {r[1] for r in ours["answer"]}


RULES = {
    "bind": [
        stops_at_zone_end, other_class, meta_type, truncation, glue_sets_tc, alias_loop, type_beside_alias
    ],
    "knot": [
        stops_at_zone_end, other_class, meta_type, truncation, type_beside_alias, long_alias, small_size,
        root_opt, octets_behind, any_below_dname,
    ],
}  # fmt: skip
# Knot does not answer what it cannot parse; RFC 1035 section 4.1.1 has FORMERR for it.
SILENT = {"bind": None, "knot": re.compile("cut to|counts|question|label type|name of 257")}


def comparable(section):
    """Without types of RFC 1035 whose names dnspython does not find, and so does not expand."""
    return {r for r in section if r[1] not in (3, 4, 7, 8, 9, 14)}


def differs(query, ours, theirs):
    if ours["rcode"] != theirs["rcode"] or ours["flags"] != theirs["flags"]:
        return True
    if query.any_set or ours["truncated"]:
        return False
    return comparable(ours["answer"]) != comparable(theirs["answer"])


def run(name, server, reference, zones, queries, share):
    """Asks both a random share of the queries. Returns their number and what differs unexpectedly."""
    rng = random.Random(3)
    ours, theirs = differential.Client(server), differential.Client(reference)
    asked, unexpected = 0, []
    for query in queries:
        if rng.random() >= share:
            continue
        asked += 1
        a, b = ours.ask(query), theirs.ask(query)
        if a is None or b is None:
            if (a is None) == (b is None) or a and SILENT[name] and SILENT[name].match(query.kind):
                continue
            a, b = a or ours.ask_patiently(query), b or theirs.ask_patiently(query)
            if a is None or b is None:
                unexpected.append(f"{query}: answered {a is not None}, {name} {b is not None}")
                continue
        x, y = differential.parse(a), differential.parse(b)
        if differs(query, x, y) and not any(rule(query, x, y, zones) for rule in RULES[name]):
            shown = [f"{key} {x[key]} / {y[key]}" for key in ("rcode", "flags", "answer") if x[key] != y[key]]
            unexpected.append(f"{query}: " + "; ".join(shown))
    ours.close()
    theirs.close()
    return asked, unexpected
