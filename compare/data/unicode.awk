# unicode.awk -- Unicode's characters: code point -> name and properties.
# SPDX-License-Identifier: MIT
#
#     0041;LATIN CAPITAL LETTER A;Lu;0;L;;;;;N;;;;0061;
#     0041 TAB LATIN CAPITAL LETTER A;Lu;0;L;;;;;N;;;;0061;

{
    at = index($0, ";")
    put(substr($0, 1, at - 1), substr($0, at + 1))
}
