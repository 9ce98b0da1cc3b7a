#!/bin/sh
# Does to a shop in a cluster what make test-cluster tries: fault.sh kill FUNCTION | lose-broker | sql STATEMENT
set -eu
gone() { kubectl -n "$1" delete pod -l "$2" --grace-period=0 --force --ignore-not-found >/dev/null 2>&1; }
case $1 in
kill) gone shop "serving.knative.dev/service=$2" ;;
lose-broker)
	if kubectl -n nats-io get statefulset nats >/dev/null 2>&1; then
		kubectl -n nats-io delete pvc --all --wait=false >/dev/null
		gone nats-io app.kubernetes.io/name=nats
	else # its disk goes with its pod
		gone jetstream-broker app.kubernetes.io/name=jetstream-broker
	fi
	;;
sql) kubectl -n shop exec statefulset/postgres -- sh -c 'psql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -qAtc "$1"' sh "$2" ;;
*) exit 2 ;;
esac
