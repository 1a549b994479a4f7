#!/bin/sh
# planted.sh -- do the checkers see? Each kind of violation is planted in a
# small clean tree, and the checker has to find it.
# SPDX-License-Identifier: MIT
# The commands that plant are expanded later, on purpose:
# shellcheck disable=SC2016,SC2317
set -u
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 2
bad=0 count=0

# c PATH [BODY]: a well-formed file of C.
c() {
    mkdir -p "$(dirname "$1")"
    name=${1##*/}
    {
        echo "// $name -- a part of the fixture."
        echo "// SPDX-License-Identifier: MIT"
        echo
        case $1 in
        *.h)
            guard=$(echo "$1" | tr 'a-z/.' 'A-Z__')
            printf '#ifndef %s\n#define %s\n\n%s\n\n#endif\n' \
                "$guard" "$guard" "${2:-}"
            ;;
        *) printf '%s\n' "${2:-}" ;;
        esac
    } | cat -s >"$1"
}

mkdir clean
cd clean || exit 2
c common/cup.h 'int kv_cup(int n);'
c common/engine_impl.h 'int kv_impl(void);'
c common/coding.h 'int kv_coding(void);'
c common/cup.c '#include "common/cup.h"

int kv_cup(int n)
{
    int more = n + 1;
    return more;
}'
echo 'add_library(kv_common cup.c)' >common/CMakeLists.txt
c stage1_hash/part.h 'int hash_part(void);'
c stage1_hash/part.c '#include "part.h"

int hash_part(void) { return 1; }'
c stage1_hash/engine.c '#include "common/engine_impl.h"

#include "part.h"'
echo 'kv_add_stage(stage1_hash SOURCES part.c engine.c)' \
    >stage1_hash/CMakeLists.txt
mkdir -p tests/meta tests/common notes
echo 'foreach(dir common meta)' >tests/CMakeLists.txt
echo 'kv_test(x SOURCES test_cup.c)' >tests/common/CMakeLists.txt
c tests/common/test_cup.c '#include "common/cup.h"'
echo '# No exceptions.' >tests/meta/exceptions.txt
cp "$here/../../.clang-format" .
printf '#!/bin/sh\necho hello\n' >setup.sh
mkdir .ci && cp setup.sh .ci/run
sed -i '1a # setup.sh -- nothing.\n# SPDX-License-Identifier: MIT' setup.sh
printf '# Notes\n\n## Two words\n\n[up](../README.md)\n' >notes/README.md
printf '# Root\n\n[there](notes/README.md#two-words)\n' >README.md
for file in common/cup.h common/engine_impl.h common/coding.h common/cup.c \
    stage1_hash/part.h stage1_hash/part.c stage1_hash/engine.c \
    tests/common/test_cup.c; do
    printf -- '- `%s` -- a file\n' $file
done >notes/reading-order.md
cd ..

# planted CHECK RULE COMMAND: after COMMAND in a copy of the clean tree, CHECK
# fails and says RULE.
planted() {
    count=$((count + 1))
    rm -rf tree
    cp -r clean tree
    (cd tree && eval "$3")
    if said=$(ROOT=$scratch/tree sh "$here/$1.sh" 2>&1); then
        echo "$1.sh did not find: $3"
        bad=1
    elif ! echo "$said" | grep -qF "$2"; then
        echo "$1.sh found something else than $2 in: $3"
        echo "$said" | sed 's/^/    /'
        bad=1
    fi
}

for check in house format scripts; do
    said=$(ROOT=$scratch/clean sh "$here/$check.sh" 2>&1)
    case $? in
    0 | 77) ;;
    *)
        echo "$check.sh complains about a clean tree:"
        echo "$said"
        bad=1
        ;;
    esac
done

add() { printf '%s\n' "$2" >>"$1"; }

# The rooms.
planted house '[include]' 'add common/cup.c "#include \"stage1_hash/part.h\""'
planted house '[include]' 'add stage1_hash/part.c "#include \"cup.h\""'
planted house '[include]' \
    'add stage1_hash/part.c "#include \"common/engine_impl.h\""'
planted house '[include]' \
    'add stage1_hash/part.c "#include \"common/coding.h\""'
planted house '[include]' \
    'add tests/common/test_cup.c "#include \"compare/x.h\""'
planted house '[system]' 'add stage1_hash/part.c "#include <unistd.h>"'
planted house '[system]' 'add common/cup.c "#include <sys/mman.h>"'
planted house '[system]' 'add stage1_hash/part.c "#include <time.h>"'
planted house '[unsafe]' 'add common/cup.c "int x = atoi(s);"'
planted house '[memory]' 'add common/cup.c "int *x = malloc(4);"'
planted house '[world]' 'add stage1_hash/part.c "void *x = (printf(0), 0);"'
planted house '[conditional]' 'add stage1_hash/part.c "#ifdef DEBUG"'
planted house '[conditional]' 'add stage1_hash/part.h "#if 0"'
planted house '[common]' 'add common/cup.c "extern kv_engine log_engine;"'

# The shape.
planted house '[width]' 'add common/cup.c "// $(seq -s " " 60)"'
planted house '[blank]' 'add common/cup.c "int x; "'
planted house '[blank]' 'add common/cup.c ""'
planted house '[header]' 'sed -i 1d common/cup.c'
planted house '[header]' 'sed -i 2d common/cup.c'
planted house '[header]' 'sed -i 2d setup.sh'
planted house '[guard]' 'sed -i s/COMMON_CUP_H/COMMON_MUG_H/ common/cup.h'
planted house '[file-length]' 'seq -f "// %g" 500 >>common/cup.c'
planted house '[function-length]' \
    'sed -i "s|^    ret.*|$(seq -s "\n" -f "    // %g" 60)\n&|" common/cup.c'

# The words.
planted house '[later]' 'add common/cup.c "// TO""DO: more"'
planted house '[path]' 'add notes/README.md "cd /ho""me/me/x"'
planted house '[host]' 'add README.md "http""s://example.org/x"'

# A merge that stopped half-way, in a file of any kind.
planted house '[conflict]' 'add notes/README.md "<<<<<<""< HEAD"'
planted house '[conflict]' 'add tests/CMakeLists.txt ">>>>>>""> theirs"'
planted house '[conflict]' 'add notes/data "<<<<<<""<"'

# The order, the links, the lists.
planted house '[order]' 'sed -i /cup.c/d notes/reading-order.md'
planted house '[order]' 'sed -i 1p notes/reading-order.md'
planted house '[order]' 'sed -i "1{h;d};\$G" notes/reading-order.md'
planted house '[order]' 'c common/mug.h'
planted house '[link]' 'add README.md "[gone](notes/gone.md)"'
planted house '[link]' 'add README.md "[gone](notes/README.md#gone)"'
planted house '[root]' 'mkdir doc'
planted house '[registered]' 'c common/mug.c; add notes/reading-order.md \
    "- \`common/mug.c\` -- a file"'
planted house '[registered]' 'mkdir tests/lost; >tests/lost/CMakeLists.txt'
planted house 'excuses nothing' 'add tests/meta/exceptions.txt \
    "width common/cup.c cup.c -- a reason of sufficient length"'
planted house 'has a reason' 'add tests/meta/exceptions.txt \
    "width common/cup.c cup.c"'

# The other checkers.
planted scripts setup.sh 'add setup.sh "if then fi"'
if ROOT=$scratch/clean sh "$here/format.sh" >said; then
    planted format common/cup.c 'add common/cup.c "int   x;"'
else
    cat said
fi

# The compiled libraries.
# library NAME CODE: lib/NAME.a
library() {
    echo "$2" >"$1.c"
    ${CC:-cc} -c "$1.c" -o "$1.o" && ar rcs "$1.a" "$1.o"
}
library good 'int kv_x(void); int hash_x(void) { return kv_x(); }'
library name 'int table_x(void) { return 1; }'
library call 'int getpid(void); int hash_x(void) { return getpid(); }'
sh "$here/symbols.sh" good.a hash_ stage || bad=1
for library in name call; do
    count=$((count + 1))
    if sh "$here/symbols.sh" $library.a hash_ stage >said; then
        echo "symbols.sh did not mind $library.c"
        bad=1
    fi
done

[ $bad = 0 ] && echo "all $count planted violations were found"
exit $bad
