#!/bin/sh
# alone.sh -- a stage builds in a tree that holds nothing but common/ and
# itself, with the settings of the real one.
# SPDX-License-Identifier: MIT
#
#   sh alone.sh SOURCE stage2_log COMPILER
set -eu
source=$1 stage=$2 compiler=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

ln -s "$source/common" "$scratch/common"
ln -s "$source/$stage" "$scratch/$stage"
# The root's own file, without the rooms that are not here.
sed -e "/add_subdirectory(stage/d" \
    -e "s/add_subdirectory(common)/&\nadd_subdirectory($stage)/" \
    "$source/CMakeLists.txt" >"$scratch/CMakeLists.txt"

quietly() { "$@" >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }; }
quietly cmake -S "$scratch" -B "$scratch/build" -DCMAKE_C_COMPILER="$compiler" \
    -DCMAKE_BUILD_TYPE=Debug -DKV_BUILD_TESTS=OFF -DKV_BUILD_COMPARE=OFF \
    -DKV_INSTALL=OFF -DKV_WERROR=ON
quietly cmake --build "$scratch/build" -j 2
"$scratch/build/bin/$stage" help >"$scratch/log"
echo "$stage builds alone"
