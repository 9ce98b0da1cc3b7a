#!/bin/sh
# Runs the command popup inside the cluster: popup.sh check --rebuild
set -eu
here=$(dirname "$0")
job=popup-$(date +%s)-$$
args=$(for a in "$@"; do printf '%s' "$a" | sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&",/'; done)
patch="[{\"op\":\"replace\",\"path\":\"/spec/template/spec/containers/0/args\",\"value\":[${args%,}]}]"
kubectl -n shop create job "$job" --from=cronjob/popup --dry-run=client -o yaml |
	kubectl patch --local -f - --type=json -p "$patch" -o yaml | kubectl apply -f - >/dev/null
trap 'kubectl -n shop delete job "$job" --wait=false >/dev/null' EXIT
status=0
sh "$here/await-job.sh" "$job" || status=1
kubectl -n shop logs "job/$job" || true
exit "$status"
