#!/bin/bash
# Evaluate one model in shares on a Slurm cluster, one GPU each, then join them:
#
#     sbatch --array=1-8 slurm-eval.sh ORG/MODEL runs/model
#     sbatch --dependency=afterok:JOB slurm-eval.sh ORG/MODEL runs/model merge
#
# A share that was killed (time limit, preemption) resumes where it stopped when its task is
# submitted again: sbatch --array=3 --export=ALL,SHARDS=8 slurm-eval.sh ORG/MODEL runs/model
#SBATCH --job-name=transferscope
#SBATCH --gpus=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=64G
#SBATCH --time=04:00:00
#SBATCH --requeue
set -euo pipefail

if (( $# < 2 || $# > 3 )); then
    echo "usage: slurm-eval.sh MODEL OUT [merge]" >&2
    exit 2
fi
model=$1
out=$2
suite=${SUITE:-paper}
data=(${DATA:+--data "$DATA"})

if [[ ${3:-} == merge ]]; then
    transferscope merge "$out" "$out".shard-*-of-* "${data[@]}"
    exit
fi
shards=${SHARDS:-$SLURM_ARRAY_TASK_COUNT}
share=$SLURM_ARRAY_TASK_ID
transferscope eval "$model" --suite "$suite" "${data[@]}" \
    --shard "$share/$shards" --out "$out.shard-$share-of-$shards"
