#!/bin/sh
# slurm.sh -- a sweep as an array job of Slurm: a task per share, each alone on
# its node.
# SPDX-License-Identifier: MIT
#
#   sbatch --array=1-12 slurm.sh DIR [OPTIONS of compare run]     the shares
#   compare merge DIR/* --out ALL                       when all are done, or:
#   sbatch -d afterany:JOB --wrap 'compare merge DIR/* --out ALL'
#
# The array's size is the number of shares; --array=1-12%4 runs four at a time.
# A task that failed is run again alone, with the number of shares said, for
# Slurm then no longer knows it:   SHARES=12 sbatch --array=7 slurm.sh DIR ...
#
#SBATCH --job-name=compare
# A node that somebody else uses measures somebody else, too:
#SBATCH --exclusive
#SBATCH --nodes=1
#SBATCH --ntasks=1
# Speeds of different processors do not belong in one chart; name your kind:
##SBATCH --constraint=icelake
#SBATCH --time=04:00:00
#SBATCH --output=compare-%A-%a.log
set -eu
[ $# -ge 1 ] || { echo "usage: sbatch --array=1-N slurm.sh DIR [OPTIONS]" >&2; exit 2; }
compare=${COMPARE:-compare}
share=${SLURM_ARRAY_TASK_ID:?is set in an array job: sbatch --array=1-12}
shares=${SHARES:-${SLURM_ARRAY_TASK_COUNT:?}}
dir=$1
shift

# Stores go where the results go, and a network is no disk: measure on the
# node's own, then bring the tables home.
scratch=$(mktemp -d "${TMPDIR:-/tmp}/compare-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
code=0
"$compare" run "$@" --no-progress --only "$share/$shares" \
    --out "$scratch/share" || code=$?
mkdir -p "$dir"
rm -rf "${dir:?}/$share"
cp -R "$scratch/share" "$dir/$share"
exit "$code"
