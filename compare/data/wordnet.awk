# wordnet.awk -- WordNet's synsets: part of speech and offset -> gloss.
# SPDX-License-Identifier: MIT
#
#     00001740 03 n 01 entity 0 003 ~ ... | that which is perceived ...
#     n00001740 TAB that which is perceived ...
#
# Offsets repeat between the four files, so the key begins with the file's
# letter: n v a r, as WordNet's own indexes have it (a satellite, type s, is
# in the adjectives' file). Lines that begin with a blank are its licence.

/^ / { next }
{
    letter = $3 == "s" ? "a" : $3
    gloss = substr($0, index($0, " | ") + 3)
    sub(/ +$/, "", gloss)
    put(letter $1, gloss)
}
