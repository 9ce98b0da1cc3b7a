#!/bin/sh
# Removes an overlay and all that the shop stored: Triggers and Brokers first, while the broker is there to let them go.
set -eu
cd "$(dirname "$0")/../.."
kubectl -n shop delete pingsource,trigger,broker --all --ignore-not-found --timeout=2m
kubectl kustomize "infra/overlays/${OVERLAY:-kind}" | kubectl delete --ignore-not-found --timeout=5m -f -
kubectl delete namespace shop --ignore-not-found --timeout=5m
