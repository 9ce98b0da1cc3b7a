#!/bin/sh
# Deploys an overlay to the cluster that kubectl points to: OVERLAY=kind deploy.sh. Each part is ready before what needs it, so that
# functions know the broker from the start and have one revision. RESOLVE is a command that puts images in the place of their ko:// names.
set -eu
cd "$(dirname "$0")/../.."
overlay=${OVERLAY:-kind}
resolve=${RESOLVE:-"go tool -modfile=tools/tools.mod ko resolve --sbom=none -f -"}
manifests=$(mktemp)
trap 'rm -f "$manifests"' EXIT
began=$(date +%s)
done_with() { echo "$(($(date +%s) - began)) s  $*"; }

# part prints the manifests of functions, their Triggers and schedules (part 1), or all others (part 0).
part() {
	awk -v RS='\n---\n' -v want="$1" '{
		f = /(^|\n)apiVersion: serving\.knative\.dev\// || /(^|\n)kind: (Trigger|PingSource)(\n|$)/
		if (f == want) printf "%s\n---\n", $0 }' "$manifests"
}

secret() { kubectl -n shop get secret "$1" >/dev/null 2>&1; }

kubectl kustomize "infra/overlays/$overlay" | sh -c "$resolve" >"$manifests"
done_with images

kubectl create namespace shop --dry-run=client -o yaml | kubectl apply -f - >/dev/null 2>&1
if ! secret popup-tokens; then
	keys=$(go run ./cmd/popup key)
	kubectl -n shop create secret generic popup-tokens --from-literal="$(echo "$keys" | grep ^TOKEN_KEYS)"
	kubectl -n shop create secret generic popup-public-keys --from-literal="$(echo "$keys" | grep ^TOKEN_PUBLIC_KEYS)"
fi
if ! secret popup-pages; then
	kubectl -n shop create secret generic popup-pages --from-literal="PAGES_KEY=$(head -c 30 /dev/urandom | base64)"
fi
if ! secret popup-admin; then
	password=$(head -c 15 /dev/urandom | base64 | tr '+/' 'ab')
	kubectl -n shop create secret generic popup-admin --from-literal=ADMIN_EMAIL=admin@popup.example --from-literal="ADMIN_PASSWORD=$password"
fi
kubectl -n shop delete job/migrate --ignore-not-found >/dev/null # a Job can't be changed
part 0 | kubectl apply -f - >/dev/null
for namespace in shop nats-io jetstream-broker; do
	for kind in statefulset deployment; do
		for name in $(kubectl -n "$namespace" get "$kind" -l '!serving.knative.dev/service' -o name 2>/dev/null); do
			kubectl -n "$namespace" rollout status "$name" --timeout=5m >/dev/null
		done
	done
done
sh tools/cluster/await-job.sh migrate || { kubectl -n shop logs job/migrate --tail=20 >&2 || true; exit 1; }
done_with "database migrated"
# The Broker is ready only with its dead-letter sink, which is a function.
kubectl -n shop wait --for=condition=Addressable broker/shop --timeout=5m >/dev/null
kubectl -n shop wait --for=condition=Ready sinkbinding/functions --timeout=5m >/dev/null
done_with "broker has its address"
part 1 | kubectl apply -f - >/dev/null
kubectl -n shop wait --for=condition=Ready ksvc,trigger --all --timeout=10m >/dev/null
kubectl -n shop wait --for=condition=Ready broker/shop --timeout=2m >/dev/null
done_with "functions ready"
