#!/bin/sh
# Installs Knative Serving with Kourier, and Knative Eventing, in the cluster that kubectl points to.
set -eu
version=${KNATIVE:-knative-v1.23.0}
release=https://github.com

apply() { kubectl apply -f "$1" >/dev/null; }

apply "$release/knative/serving/releases/download/$version/serving-crds.yaml"
apply "$release/knative/eventing/releases/download/$version/eventing-crds.yaml"
kubectl wait --for=condition=Established crd --all --timeout=2m >/dev/null
apply "$release/knative/serving/releases/download/$version/serving-core.yaml"
apply "$release/knative-extensions/net-kourier/releases/download/$version/kourier.yaml"
apply "$release/knative/eventing/releases/download/$version/eventing-core.yaml"
kubectl -n knative-serving patch configmap config-network --type=merge -p '{"data":{"ingress-class":"kourier.ingress.networking.knative.dev"}}' >/dev/null
for namespace in knative-serving kourier-system knative-eventing; do
	kubectl -n "$namespace" wait --for=condition=Available deployment --all --timeout=5m >/dev/null
done
echo "Knative $version is ready"
