# escape.awk -- write one record: put(key, value).
# SPDX-License-Identifier: MIT
#
# The escaping is the one of kv_escape (common/bytes.h): printable ASCII as it
# is, \t \n \r \\ by name, any other byte as \xHH. Run with LC_ALL=C, so that a
# character is a byte.

BEGIN {
    for (i = 1; i < 256; i++) {
        if (i < 32 || i > 126) hex[sprintf("%c", i)] = sprintf("\\x%02x", i)
    }
    hex["\t"] = "\\t"; hex["\n"] = "\\n"; hex["\r"] = "\\r"; hex["\\"] = "\\\\"
}

function escape(text,    out, at) {
    while ((at = match(text, /[^ -\[\]-~]/)) > 0) {
        out = out substr(text, 1, at - 1) hex[substr(text, at, 1)]
        text = substr(text, at + 1)
    }
    return out text
}

function put(key, value) { print escape(key) "\t" escape(value) }
