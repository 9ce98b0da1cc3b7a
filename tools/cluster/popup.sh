#!/bin/sh
# Runs the command popup inside the cluster: popup.sh check --rebuild
set -eu
job=popup-$(date +%s)-$$
args=$(for a in "$@"; do printf '%s' "$a" | sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&",/'; done)
patch="[{\"op\":\"replace\",\"path\":\"/spec/template/spec/containers/0/args\",\"value\":[${args%,}]}]"
kubectl -n shop create job "$job" --from=cronjob/popup --dry-run=client -o yaml |
	kubectl patch --local -f - --type=json -p "$patch" -o yaml | kubectl apply -f - >/dev/null
until [ "$(kubectl -n shop get job "$job" -o jsonpath='{.status.succeeded}{.status.failed}')" ]; do sleep 1; done
kubectl -n shop logs "job/$job"
failed=$(kubectl -n shop get job "$job" -o jsonpath='{.status.failed}')
kubectl -n shop delete job "$job" --wait=false >/dev/null
exit "${failed:-0}"
