#!/bin/sh
# Makes a cluster on this machine, installs Knative in it, and opens the shop there. Needs Docker, kind, kubectl, curl and Go.
set -eu
cd "$(dirname "$0")/../.."
port=${PORT:-8080}

for need in docker kind kubectl curl go; do
	command -v "$need" >/dev/null || { echo "Please install $need, then try again." >&2; exit 1; }
done
kind get clusters | grep -qx popup || kind create cluster --name popup --config - <<YAML
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
  - role: control-plane
    extraPortMappings: [{containerPort: 31080, hostPort: $port, listenAddress: 127.0.0.1}]
YAML
kubectl config use-context kind-popup >/dev/null
sh tools/cluster/knative.sh
# The ingress is reached at the port that was mapped above.
kubectl -n kourier-system patch service kourier --type=merge -p '{"spec":{"type":"NodePort","ports":[{"name":"http2","port":80,"targetPort":8080,"nodePort":31080}]}}' >/dev/null
kubectl -n knative-serving patch configmap config-domain --type=merge -p '{"data":{"shop.test":""}}' >/dev/null

KO_DOCKER_REPO=kind.local KIND_CLUSTER_NAME=popup OVERLAY=kind sh tools/cluster/deploy.sh
sh tools/cluster/popup.sh seed
cat <<TEXT
The shop:     curl -H 'Host: serve-gateway.shop.shop.test' http://localhost:$port/v1/products
Its mails:    kubectl -n shop port-forward service/mailbox 8025, then http://localhost:8025/mailbox
Its admin:    admin@popup.example, password $(kubectl -n shop get secret popup-admin -o jsonpath='{.data.ADMIN_PASSWORD}' | base64 -d)
An order, as proof:
TEXT
ADDRESS=http://localhost:$port HOST=serve-gateway.shop.shop.test sh tools/cluster/order.sh
