# packages.awk -- the package index: name -> stanza, newlines and all.
# SPDX-License-Identifier: MIT
#
# Keys are unique: where the system knows two versions of a package, the
# second one's key is name=version, and a third with that key is left out.

function finish(    key) {
    key = name
    if (key in seen) key = name "=" version
    if (name != "" && !(key in seen)) put(key, stanza)
    seen[key]
    name = version = stanza = ""
}

/^$/ { finish(); next }
/^Package: / { name = $2 }
/^Version: / { version = $2 }
{ stanza = stanza $0 "\n" }
END { finish() }
